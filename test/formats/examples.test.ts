/// The examples in docs/formats are what the program writes, byte by byte.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { JsonDecoder } from '../../src/core/decode/json-decoder.js'
import { Roller } from '../../src/core/roller/roller.js'
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

function rolled(): Roller {
  const config = {
    ...{ partition: 0, windows: [{ name: 'm1', lengthMs: 60_000 }], resolutionMs: 1000 },
    ...({ retentionMs: 86_400_000, admission: 'log-time', earlyToleranceMs: 60_000 } as const),
    ...{ dedupeHorizonMs: 3_600_000, hotRangeMs: 0 },
  }
  const roller = new Roller(config, tick(1_700_000_001), { readParts: () => [] })
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
