import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Random, randomness } from '../../../test/random/randomness.js'
import { hash32 } from '../../core/fingerprint.js'
import { IdsGiven, type NewIds } from '../../core/roller/rebuild/part-maker.js'
import { BLOCK_TICKS, Block } from '../../core/roller/rows/block.js'
import { DictionaryWriter } from '../../core/roller/storage/dictionary.js'
import { Parts } from '../../core/roller/storage/parts.js'
import { Names } from '../../core/roller/tables/names.js'
import { Pairs } from '../../core/roller/tables/pairs.js'
import { startPartThread } from './part-making.js'

const RESOLUTION_MS = 1000

/// Gives ids as a ledger does, to ever more names.
class Tables {
  readonly tokenNames = new Names()
  readonly traderNames = new Names()
  readonly pairs = new Pairs()

  pair(token: number, trader: number): { token: number; pair: number } {
    const intern = (names: Names, text: string) => {
      const bytes = Buffer.from(text)
      return names.intern(bytes, 0, bytes.length, hash32(bytes, 0, bytes.length))
    }
    const tokenId = intern(this.tokenNames, `token ${token}`)
    const traderId = intern(this.traderNames, 'é'.repeat(trader % 5) + trader)
    const known = this.pairs.find(tokenId, traderId)
    return { token: tokenId, pair: known >= 0 ? known : this.pairs.add(tokenId, traderId) }
  }
}

function filled(tables: Tables, block: number, names: number, random: Random): Block {
  const rows = new Block(4)
  for (let i = random.below(200); i >= 0; i--) {
    const slot = random.below(BLOCK_TICKS)
    const row = rows.append(slot)
    const { token, pair } = tables.pair(random.below(names), random.below(names))
    rows.token[row] = token
    rows.pairSide[row] = pair * 2 + random.below(2)
    rows.timeMs[row] = (block * BLOCK_TICKS + slot) * RESOLUTION_MS + random.below(3)
    rows.usd[row] = random.below(1e9)
    rows.setAmount(row, random.below(1e9), 1, 2, 0)
    rows.price[row] = Number.NaN
    rows.block[row] = random.pick([-1, random.below(5)])
    rows.txIndex[row] = 1
    rows.logIndex[row] = random.below(2)
    rows.id0[row] = random.below(2 ** 31)
    rows.idAt[row] = -1
    if (rows.block[row] === -1) rows.keepId(row, Buffer.from(`id ${random.below(1e6)}`), 0, 4)
  }
  return rows
}

const NOTHING: NewIds = {
  tokens: { bytes: new Uint8Array(0), lengths: new Int32Array(0) },
  tokenHashes: new Int32Array(0),
  traders: { bytes: new Uint8Array(0), lengths: new Int32Array(0) },
  pairs: new Int32Array(0),
}

function started(t: TestContext, lastSegment = 0) {
  const making = startPartThread({ resolutionMs: RESOLUTION_MS, lastSegment })
  t.after(() => making.close())
  return making
}

test('parts are those that sealing makes, to the last byte, over several segments', async t => {
  const random = randomness('part thread')
  const tables = new Tables()
  const ids = new IdsGiven(tables)
  const { tokenNames, traderNames, pairs } = tables
  const writer = new DictionaryWriter(tokenNames, traderNames, pairs)
  const parts = new Parts({ readParts: () => [] }, writer, RESOLUTION_MS, tokenNames, pairs)
  const making = started(t)
  let spare: Block | null = null
  let segments = 0
  for (let block = 14_000_000, names = 1; segments < 4; block += 1 + random.below(20), names++) {
    const rows = filled(tables, block, names, random)
    const encoder = parts.begin(block, rows, () => true)
    encoder.step(Number.POSITIVE_INFINITY)
    const expected = encoder.part()
    const count = rows.rows
    // What comes back can be filled anew.
    const handed: Block = spare ?? new Block(1)
    handed.clear()
    handed.copyRows(rows)
    const made = await making.make({ block, rows: handed, newIds: ids.take() })
    assert.deepEqual(made.part, expected)
    assert.equal(made.rows.rows, count)
    spare = made.rows
    segments = made.part.segment
  }
})

test('segments go on after the last one', async t => {
  const tables = new Tables()
  const rows = filled(tables, 5, 3, randomness('segments'))
  const { part } = await started(t, 41).make({ block: 5, rows, newIds: new IdsGiven(tables).take() })
  assert.equal(part.segment, 42)
})

test('after a part that cannot be made none is, and whoever waits hears of it', async t => {
  const making = started(t)
  const tables = new Tables()
  const good = filled(tables, 2, 3, randomness('failing'))
  const bad = making.make({ block: 1, rows: new Block(1), newIds: NOTHING })
  const waiting = making.make({ block: 2, rows: good, newIds: new IdsGiven(tables).take() })
  await assert.rejects(bad, /a filled block has rows/)
  await assert.rejects(waiting, /a filled block has rows/)
  await assert.rejects(making.make({ block: 3, rows: new Block(1), newIds: NOTHING }), /a filled block has/)
})

test('closing lets nobody wait', async t => {
  const making = started(t)
  const tables = new Tables()
  const rows = filled(tables, 2, 3, randomness('closing'))
  const asked = making.make({ block: 2, rows, newIds: new IdsGiven(tables).take() })
  asked.catch(() => {})
  await making.close()
  await assert.rejects(asked, /has ended/)
})
