/// Followers of the embedded log that cannot keep up, and frames of every size.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { offset } from '../../src/core/units.js'
import { append } from './append.js'
import { openLog } from './embedded-stores.js'
import { scratchDirectory } from './scratch.js'
import { readTo } from './trade-log.js'

const MIB = 1024 * 1024

/// One record of about `bytes` bytes.
const record = (bytes: number) => Buffer.from(`"${'x'.repeat(bytes)}"\n`)

test('a follower that pauses gets everything afterwards, from the files', async t => {
  const log = openLog(scratchDirectory(t), { segmentBytes: 4 * MIB })
  await append(log, 0, record(10), 1)
  const following = log.follow(0, offset(0), new AbortController().signal)
  assert.equal((await following.next()).value?.firstOffset, 0)
  // It waits at the end, live, and then pauses while far more comes than it may keep waiting.
  const second = following.next()
  await append(log, 0, record(10), 1)
  assert.equal((await second).value?.firstOffset, 1)
  for (let i = 0; i < 30; i++) await append(log, 0, record(MIB), 1)
  for (let i = 2; i < 32; i++) assert.equal((await following.next()).value?.firstOffset, i)
  // And is live again.
  const next = following.next()
  await append(log, 0, record(10), 1)
  assert.equal((await next).value?.firstOffset, 32)
  await following.return(undefined)
  await log.close()
})

test('a follower that pauses for so long that the log dropped its place is told so', async t => {
  const log = openLog(scratchDirectory(t), { segmentBytes: 2 * MIB, sizeBytesMax: 6 * MIB })
  await append(log, 0, record(10), 1)
  const following = log.follow(0, offset(0), new AbortController().signal)
  await following.next()
  const second = following.next()
  await append(log, 0, record(10), 1)
  await second
  for (let i = 0; i < 30; i++) {
    const { firstOffset } = await append(log, 0, record(MIB), 1)
    log.release(0, firstOffset)
  }
  await assert.rejects(
    async () => {
      for (;;) await following.next()
    },
    { code: 'E_OFFSET_GONE' },
  )
  await log.close()
})

test('frames of every size are read back, across the pieces in which files are read', async t => {
  const directory = scratchDirectory(t)
  const log = openLog(directory, { segmentBytes: 5 * MIB })
  const sizes = [1, MIB - 60, 3 * MIB, 2, MIB, MIB + 1, 17, 6 * MIB, 100_000, 1]
  for (const size of sizes) await append(log, 0, record(size), 1)
  const read = async (from: typeof log) =>
    (await readTo(from, 0, 0, sizes.length)).map(({ bytes }) => bytes.length - 3)
  assert.deepEqual(await read(log), sizes)
  await log.close()
  const again = openLog(directory, { segmentBytes: 5 * MIB, create: false })
  assert.deepEqual(await read(again), sizes)
  await again.close()
})
