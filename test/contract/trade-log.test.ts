import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedTradeLog } from '../../src/adapters/embedded/trade-log.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryTradeLog } from '../../src/adapters/memory/trade-log.js'
import { offset } from '../../src/core/units.js'
import { append } from './append.js'
import { scratchDirectory } from './scratch.js'
import { lines, localTradeLogContract } from './trade-log.js'

localTradeLogContract('memory', (_, opening) => new MemoryTradeLog(opening))
localTradeLogContract(
  'embedded',
  (t, opening) => new EmbeddedTradeLog({ ...opening, directory: scratchDirectory(t), segmentBytes: 2000 }),
)

test('a small size bound is kept by the embedded log without more settings', async t => {
  const log = new EmbeddedTradeLog({
    directory: scratchDirectory(t),
    clock: new ManualClock(0),
    sizeBytesMax: 100_000,
  })
  for (let at = 0; at < 20_000; at += 50) {
    await append(log, 0, lines(at, 50), 50)
    log.release(0, offset(at))
  }
  assert.ok(log.sizeBytes() <= 110_000, `${log.sizeBytes()} bytes`)
  const { first, end } = log.bounds(0)
  assert.ok(first > 0 && end === 20_000)
  await log.close()
})
