import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Random, randomness } from '../../../../test/random/randomness.js'
import { priceOf } from '../../decimal.js'
import { ABSENT } from '../../swap-batch.js'
import { Block } from '../rows/block.js'
import { ByteReader, ByteWriter } from './bytes.js'
import { keepsId, NO_ID, RowColumnsReader, RowColumnsWriter, WHOLE_ID } from './row-columns.js'

const COLUMNS = [
  ...['pairSide', 'timeMs', 'usd', 'amountLow', 'amountMid', 'amountHigh', 'price', 'priceGiven'],
  ...['block', 'txIndex', 'logIndex', 'id0', 'id1', 'id2'],
] as const

/// Fills a row with anything that a swap can be.
function fill(rows: Block, row: number, random: Random, uniform: boolean): void {
  const word = () => random.below(2 ** 32) | 0
  const limb = (zero: number) => (random.below(zero) === 0 ? 0 : random.below(1e9))
  rows.pairSide[row] = random.below(2 * PAIRS)
  rows.timeMs[row] = 1_790_000_000_000 + random.below(1000)
  rows.usd[row] = random.pick([0, 1, 127, 128, 9e15, random.below(9e15)])
  const [a0, a1, a2, a3] = uniform ? [1, 2, 3, 0] : [limb(3), limb(3), limb(3), limb(2)]
  rows.setAmount(row, a0, a1, a2, a3)
  const isGiven = !uniform && random.below(3) === 0
  rows.priceGiven[row] = isGiven ? 1 : 0
  rows.price[row] = isGiven ? random.below(1e9) / 7 : priceOf(rows.usd[row] as number, a0, a1, a2, a3)
  const place = (max: number) => (uniform || random.below(4) > 0 ? random.below(max) : ABSENT)
  rows.block[row] = place(2 ** 53 - 1)
  rows.txIndex[row] = place(2 ** 31)
  rows.logIndex[row] = place(2 ** 31)
  rows.id0[row] = word()
  rows.id1[row] = word()
  rows.id2[row] = word()
  rows.idAt[row] = -1
  if (keepsId(rows.block[row] as number, rows.txIndex[row] as number, rows.logIndex[row] as number)) {
    const id = Buffer.from(`é${random.below(1e9)}`.repeat(random.below(20)))
    rows.keepId(row, id, 0, id.length)
  }
}

const PAIRS = 70_000
/// Local numbers count down.
const pairs = Int32Array.from({ length: PAIRS }, (_, number) => PAIRS - 1 - number)

function written(rows: Block, idWords: typeof WHOLE_ID | typeof NO_ID): Uint8Array {
  const writer = new RowColumnsWriter(idWords)
  writer.begin(1_790_000_000_000)
  for (let row = 0; row < rows.rows; row++)
    writer.add(rows, row, PAIRS - 1 - ((rows.pairSide[row] as number) >> 1))
  const out = new ByteWriter()
  writer.finish(out)
  return out.take()
}

test('rows that were written are read back, whatever they are', () => {
  const random = randomness('row columns')
  for (let round = 0; round < 200; round++) {
    const rows = new Block(4)
    const count = random.below(60)
    const uniform = random.below(2) === 0
    rows.extend(0, count)
    for (let row = 0; row < count; row++) fill(rows, row, random, uniform)
    for (const idWords of [WHOLE_ID, NO_ID] as const) {
      const reader = new ByteReader(written(rows, idWords))
      const read = new Block(4)
      read.hold(count)
      const columns = new RowColumnsReader(idWords)
      columns.readPairs(reader, count, read, 0, pairs)
      columns.readTimes(reader, count, read, 0, 1_790_000_000_000)
      columns.readValues(reader, count, read, 0)
      columns.readPlaces(reader, count, read, 0)
      assert.ok(reader.done)
      for (let row = 0; row < count; row++) {
        for (const column of COLUMNS) {
          if (column.startsWith('id') && idWords === NO_ID) continue
          assert.equal(read[column][row], rows[column][row], `${column} of row ${row}`)
        }
        assert.deepEqual(idText(read, row), idText(rows, row))
      }
    }
  }
})

test('what a slice is summed up from is read without the rest', () => {
  const random = randomness('row columns, sums')
  const rows = new Block(4)
  rows.extend(0, 50)
  for (let row = 0; row < 50; row++) fill(rows, row, random, false)
  const read = new Block(4)
  read.hold(50)
  const reader = new ByteReader(written(rows, NO_ID))
  const columns = new RowColumnsReader(NO_ID)
  columns.readPairs(reader, 50, read, 0, pairs)
  columns.readTimes(reader, 50, read, 0, 1_790_000_000_000)
  columns.readValues(reader, 50, read, 0)
  for (const column of ['pairSide', 'timeMs', 'usd', 'amountLow', 'amountHigh', 'price'] as const) {
    assert.deepEqual(read[column].slice(0, 50), rows[column].slice(0, 50), column)
  }
})

function idText(rows: Block, row: number): string | null {
  const at = rows.idAt[row] as number
  return at < 0 ? null : Buffer.from(rows.ids.subarray(at, at + (rows.idLength[row] as number))).toString()
}
