/// The examples in docs/formats are what the program writes, byte by byte.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { JsonDecoder } from '../../src/core/decode/json-decoder.js'
import { Roller, type RollerDelta } from '../../src/core/roller/roller.js'
import { epochMs, offset, tick } from '../../src/core/units.js'

const SWAPS = [
  {
    ...{
      id: 'a1',
      time: 1_700_000_000_250,
      who: 'alice',
      token: 'BTC',
      side: 'buy',
      amount: '2',
      usd: '100',
    },
  },
  {
    ...{
      id: 'a2',
      time: 1_700_000_001_000,
      who: 'bob',
      token: 'BTC',
      side: 'sell',
      amount: '0.5',
      usd: '26',
    },
    ...{ block: 18_000_000, txIndex: 3, logIndex: 7 },
  },
]

const CONFIG = {
  ...{ partition: 0, windows: [{ name: 'm1', lengthMs: 60_000 }], resolutionMs: 1000 },
  ...({ retentionMs: 86_400_000, admission: 'log-time', earlyToleranceMs: 60_000 } as const),
  ...{ dedupeHorizonMs: 3_600_000, hotRangeMs: 0 },
}

function rolled(): Roller {
  const roller = new Roller(CONFIG, tick(1_700_000_001), { readParts: () => [] })
  const { batch, records } = new JsonDecoder().decodeLines(
    Buffer.from(SWAPS.map(swap => `${JSON.stringify(swap)}\n`).join('')),
  )
  roller.apply(batch, offset(0), records, epochMs(1_700_000_001_500))
  return roller
}

/// The bytes of an example: in each line of the block after the heading, hexadecimal pairs up to two spaces and a word.
function documented(file: string, heading: string): string {
  const text = readFileSync(`docs/formats/${file}.md`, 'utf8')
  const block = text.slice(text.indexOf(`${heading}\n`)).split('```')[1] ?? ''
  return block
    .split('\n')
    .map(line => /^\s*((?:[0-9a-f]{2} *)*)/.exec(line)?.[1] ?? '')
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim()
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .replaceAll(/..(?!$)/g, '$& ')

test('the example of a delta', () => {
  const delta = rolled().takeDelta()
  assert.ok(delta !== null)
  assert.equal(documented('deltas', '## Example'), hex(delta.payload))
})

test('a delta of version 2, without totals by token, is read: they are counted from the restart on', () => {
  const delta = rolled().takeDelta()
  assert.ok(delta !== null)
  const before = delta.payload.subarray(
    0,
    delta.payload.length - '03 02 81 c4 9f d5 0c dc db 95 ff bc 31 00'.split(' ').length,
  )
  const payload = Uint8Array.from([2, ...before.subarray(1)])
  const restart = (of: RollerDelta): Roller => {
    const roller = new Roller(CONFIG, tick(1_700_000_001), { readParts: () => [] })
    roller.restoreDelta(of)
    for (const share of roller.restored()) assert.ok(share <= 1)
    return roller
  }
  const none = { duplicate: 0, late: 0, early: 0, conflict: 0 }
  assert.deepEqual(restart(delta).fatesOf('BTC'), { since: 1_700_000_001_500, accepted: 2, ...none })
  const upgraded = restart({ ...delta, payload })
  assert.deepEqual(upgraded.fatesOf('BTC'), { since: 1_700_000_001_500, accepted: 0, ...none })
  assert.deepEqual(upgraded.tokens(), ['BTC'])
})

test('the example of a part', () => {
  const roller = rolled()
  const delta = roller.takeDelta()
  assert.ok(delta !== null)
  roller.committed(delta.coversTo)
  // The blocks are sealed when log time has moved on.
  const { batch } = new JsonDecoder().decodeLines(new Uint8Array(0))
  roller.apply(batch, offset(2), 1, epochMs(1_700_000_900_000))
  let parts = roller.takeParts()
  while (parts?.length === 0) parts = roller.takeParts()
  const [part] = parts ?? []
  assert.ok(part !== undefined)
  assert.equal(documented('parts', '### The head'), hex(part.head))
  assert.equal(documented('parts', '### The data piece'), hex(part.pieces[0] ?? new Uint8Array(0)))
  assert.equal(documented('parts', '### The id piece'), hex(part.pieces[1] ?? new Uint8Array(0)))
})
