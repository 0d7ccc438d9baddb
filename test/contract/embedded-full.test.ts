/// A full disk, and a disk that fails: real limits where the system lets us set them, and a file system that fails at
/// chosen calls.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Disk, systemDisk } from '../../src/adapters/embedded/disk.js'
import { randomness } from '../random/randomness.js'
import { append } from './append.js'
import { openLog } from './embedded-stores.js'
import { scratchDirectory } from './scratch.js'
import { fillWith, smallFileSystem } from './small-file-system.js'
import { lines, readTo, records } from './trade-log.js'

const noRoom = () => Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })

const upTo = (end: number) => Array.from({ length: end }, (_, i) => i)

test('an append that finds no room is refused, leaves nothing behind, and storing goes on', async t => {
  const random = randomness(t.name)
  const directory = scratchDirectory(t)
  let full = false
  const disk: Disk = {
    // A full disk takes a part of what it is given.
    write: async (fd, buffers, position) => {
      if (!full) return systemDisk.write(fd, buffers, position)
      const all = Buffer.concat([...buffers])
      writeSync(fd, all, 0, random.below(all.length), position)
      throw noRoom()
    },
    sync: systemDisk.sync,
  }
  const log = openLog(directory, { disk })
  let end = 0
  for (let round = 0; round < 60; round++) {
    full = random.below(3) === 0
    const counts = upTo(1 + random.below(4)).map(() => 1 + random.below(60))
    const outcomes = await Promise.allSettled(
      counts.map((count, i) => {
        const first = end + counts.slice(0, i).reduce((a, b) => a + b, 0)
        return append(log, 0, lines(first, count), count)
      }),
    )
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'E_STORAGE_FULL')
      else end = outcome.value.firstOffset + outcome.value.count
    }
    assert.equal(
      outcomes.some(({ status }) => status === 'rejected'),
      full,
    )
    assert.equal(log.bounds(0).end, end)
  }
  assert.ok(end > 0)
  assert.deepEqual((await readTo(log, 0, 0, end)).flatMap(records), upTo(end))
  await log.close()
  const again = openLog(directory, { create: false })
  assert.deepEqual((await readTo(again, 0, 0, end)).flatMap(records), upTo(end))
  await again.close()
})

test('after a failed sync the log takes nothing more, and the next start has what was acknowledged', async t => {
  const directory = scratchDirectory(t)
  let failing = false
  const log = openLog(directory, {
    disk: {
      write: systemDisk.write,
      sync: async fd => {
        if (failing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        await systemDisk.sync(fd)
      },
    },
  })
  await append(log, 0, lines(0, 10), 10)
  failing = true
  await assert.rejects(append(log, 0, lines(10, 10), 10), { code: 'E_STORAGE_FAILED', retryable: false })
  failing = false
  await assert.rejects(append(log, 0, lines(10, 10), 10), { code: 'E_STORAGE_FAILED' })
  assert.equal(log.bounds(0).end, 10)
  await log.close()
  const again = openLog(directory, { create: false })
  assert.deepEqual(again.bounds(0), { first: 0, end: 10 })
  assert.equal((await append(again, 0, lines(10, 5), 5)).firstOffset, 10)
  assert.deepEqual((await readTo(again, 0, 0, 15)).flatMap(records), upTo(15))
  await again.close()
})

test('a write that fails for another reason is refused and leaves nothing behind', async t => {
  const directory = scratchDirectory(t)
  let failing = true
  const log = openLog(directory, {
    disk: {
      write: async (fd, buffers, position) => {
        if (failing) throw Object.assign(new Error('EIO: i/o error'), { code: 'EIO' })
        await systemDisk.write(fd, buffers, position)
      },
      sync: systemDisk.sync,
    },
  })
  await assert.rejects(append(log, 0, lines(0, 10), 10), { code: 'E_STORAGE_FAILED' })
  failing = false
  assert.equal((await append(log, 0, lines(0, 10), 10)).firstOffset, 0)
  await log.close()
})

test('appends beyond the queue are refused at once and change nothing', async t => {
  const log = openLog(scratchDirectory(t), { queueBytesMax: 2000 })
  const outcomes = await Promise.allSettled(upTo(100).map(i => append(log, 0, lines(i, 1), 1)))
  const refused = outcomes.filter(outcome => outcome.status === 'rejected')
  assert.ok(refused.length > 50 && refused.length < 100, `${refused.length} of 100 are refused`)
  for (const { reason } of refused) {
    assert.equal(reason.code, 'E_LOG_FULL')
    assert.equal(reason.retryable, true)
  }
  assert.equal(log.bounds(0).end, 100 - refused.length)
  await log.close()
})

test('a file size limit of the system is a full disk', { skip: process.platform === 'win32' }, async t => {
  const directory = scratchDirectory(t)
  const script = fileURLToPath(new URL('append-until-full.js', import.meta.url))
  // 256 blocks of 1 KiB (of 512 bytes in some shells).
  const { stdout } = await promisify(execFile)('bash', [
    '-c',
    'ulimit -f 256; exec "$@"',
    'bash',
    process.execPath,
    script,
    directory,
  ])
  const { end, refusals } = JSON.parse(stdout)
  assert.ok(end > 1000 && refusals > 0, stdout)
  const log = openLog(directory, { create: false })
  assert.equal(log.bounds(0).end, end)
  assert.deepEqual((await readTo(log, 0, 0, end)).flatMap(records), upTo(end))
  await log.close()
})

test('a file system that is really full, until there is room again', async t => {
  const mount = smallFileSystem(t, '512k')
  if (mount === null) return
  const makeRoom = fillWith(mount, 200_000)

  const directory = join(mount, 'log')
  const log = openLog(directory, { segmentBytes: 30_000 })
  let end = 0
  let refusals = 0
  const appendOrRefuse = async () => {
    try {
      await append(log, 0, lines(end, 200), 200)
      end += 200
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error)
      assert.equal(error.code, 'E_STORAGE_FULL')
      refusals++
    }
  }
  while (refusals < 20) await appendOrRefuse()
  const whenFull = end
  makeRoom()
  while (refusals < 40) await appendOrRefuse()
  assert.ok(whenFull > 0 && end > whenFull, `${whenFull} records before, ${end} after there was room`)
  assert.deepEqual((await readTo(log, 0, 0, end)).flatMap(records), upTo(end))
  await log.close()
  const again = openLog(directory, { create: false })
  assert.deepEqual((await readTo(again, 0, 0, end)).flatMap(records), upTo(end))
  await again.close()
  const sizes = readdirSync(join(directory, '0')).map(name => statSync(join(directory, '0', name)).size)
  assert.ok(sizes.length > 5)
})
