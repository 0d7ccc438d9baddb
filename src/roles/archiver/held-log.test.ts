import assert from 'node:assert/strict'
import { test } from 'node:test'
import { append } from '../../../test/contract/append.js'
import { ManualClock } from '../../adapters/memory/clock.js'
import { MemoryTradeLog } from '../../adapters/memory/trade-log.js'
import { offset } from '../../core/units.js'
import { HeldLog } from './held-log.js'

async function filled(heldBytes: number): Promise<HeldLog> {
  const log = new MemoryTradeLog({ clock: new ManualClock(0), sizeBytesMax: 1000 })
  const held = new HeldLog(log, heldBytes)
  // Each is 100 bytes.
  for (let i = 0; i < 100; i++) await append(held, 0, Buffer.from(`${' '.repeat(99)}\n`), 1)
  return held
}

test('what is checkpointed and not archived is held, and goes when it is archived', async () => {
  const held = await filled(1_000_000)
  held.release(0, offset(90))
  assert.equal(held.bounds(0).first, 0)
  held.archived(0, offset(50))
  assert.equal(held.bounds(0).first, 50)
  held.archived(0, offset(100))
  assert.equal(held.bounds(0).first, 90)
})

test('beyond the bound the oldest records go, and no more than must', async () => {
  const held = await filled(8000)
  held.release(0, offset(95))
  // 100 records of 100 bytes are 2,000 bytes too many.
  assert.equal(held.bounds(0).first, 20)
  held.release(0, offset(96))
  assert.equal(held.bounds(0).first, 20)
})

test('what is not checkpointed is held whatever its size', async () => {
  const held = await filled(2000)
  held.archived(0, offset(100))
  held.release(0, offset(10))
  assert.equal(held.bounds(0).first, 10)
})
