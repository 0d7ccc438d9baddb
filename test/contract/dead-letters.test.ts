import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EmbeddedDeadLetters } from '../../src/adapters/embedded/dead-letters.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryDeadLetters } from '../../src/adapters/memory/dead-letters.js'
import { content, fromHttp, fromLog, localDeadLettersContract, plain } from './dead-letters.js'
import { scratchDirectory } from './scratch.js'

const clock = new ManualClock(0)

localDeadLettersContract('memory', (_, sizeBytesMax) => new MemoryDeadLetters({ sizeBytesMax }))
localDeadLettersContract(
  'embedded',
  (t, sizeBytesMax) =>
    new EmbeddedDeadLetters({ directory: scratchDirectory(t, 'letters'), clock, sizeBytesMax }),
)

test('letters, counts and what is known of the log survive a restart, dropped ones included', async t => {
  const options = { directory: scratchDirectory(t, 'letters'), clock, sizeBytesMax: 64_000 }
  const store = new EmbeddedDeadLetters(options)
  for (let i = 0; i < 200; i++) await store.append([fromLog(i % 3, i, { input: Buffer.alloc(1000, 'a') })])
  for (let i = 0; i < 200; i++) await store.append([fromHttp(i, { input: Buffer.alloc(1000, 'a') })])
  const before = { counts: store.counts(), content: await content(store), size: store.sizeBytes() }
  assert.ok(before.counts.dropped >= 200, 'all letters of the log are dropped')
  await store.close()

  const again = new EmbeddedDeadLetters({ ...options, create: false })
  assert.deepEqual({ counts: again.counts(), content: await content(again), size: again.sizeBytes() }, before)
  await again.append([fromLog(1, 199), fromLog(2, 197), fromLog(0, 198)])
  assert.deepEqual(again.counts(), before.counts)
  await again.append([fromLog(1, 200)])
  assert.deepEqual((await content(again)).at(-1), plain(fromLog(1, 200)))
  await again.close()
})
