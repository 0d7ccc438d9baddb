import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SystemClock } from '../system/clock.js'
import { type DirectoryLock, lockDirectory, lockIn, placeInTemporaries } from './lock.js'

const clock = new SystemClock()

function scratch(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/// Another process that takes the lock and says so, or what it got instead.
async function startHolder(
  t: TestContext,
  directory: string,
): Promise<{ child: ChildProcess; said: string }> {
  const code = `
    const { lockDirectory } = await import(${JSON.stringify(new URL('lock.js', import.meta.url).href)})
    const { SystemClock } = await import(${JSON.stringify(new URL('../system/clock.js', import.meta.url).href)})
    try {
      await lockDirectory(${JSON.stringify(directory)}, new SystemClock())
      console.log('held')
      setInterval(() => {}, 1000)
    } catch (error) {
      console.log(error.code + ' ' + error.message)
    }`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  return { child, said: String(line).trim() }
}

test('a second process is refused and told who holds the directory; kill -9 frees it at once', async t => {
  const directory = scratch(t)
  const { child, said } = await startHolder(t, directory)
  assert.equal(said, 'held')
  await assert.rejects(lockDirectory(directory, clock), {
    code: 'E_LOCKED',
    message: new RegExp(`process ${child.pid}`),
  })
  assert.match((await startHolder(t, directory)).said, /^E_LOCKED/)

  child.kill('SIGKILL')
  await once(child, 'exit')
  const lock = await lockDirectory(directory, clock)
  assert.match((await startHolder(t, directory)).said, new RegExp(`^E_LOCKED.*process ${process.pid}`))
  await lock.release()
  assert.deepEqual(readdirSync(directory), [])
})

test('a released lock can be taken again, by the same process too', async t => {
  const directory = scratch(t)
  for (let i = 0; i < 3; i++) {
    const lock = await lockDirectory(directory, clock)
    await assert.rejects(lockDirectory(directory, clock), { code: 'E_LOCKED' })
    await lock.release()
  }
  assert.deepEqual(readdirSync(directory), [])
})

test('of many that start at once, one holds, whatever was left behind', async t => {
  const directory = scratch(t)
  let held: DirectoryLock[] = []
  for (let round = 0; round < 30; round++) {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => lockDirectory(directory, clock)),
    )
    held = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'E_LOCKED')
    }
    assert.equal(held.length, 1, `${held.length} hold the lock in round ${round}`)
    for (const lock of held) await lock.release()
  }
})

test('of many processes that start at once on what a killed one left, one holds', async t => {
  const directory = scratch(t)
  const { child } = await startHolder(t, directory)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const started = await Promise.all(Array.from({ length: 5 }, () => startHolder(t, directory)))
  assert.equal(started.filter(({ said }) => said === 'held').length, 1)
  assert.equal(started.filter(({ said }) => said.startsWith('E_LOCKED')).length, 4)
})

test('a directory with a path longer than a socket may have', async t => {
  const directory = join(scratch(t), 'd'.repeat(120), 'e'.repeat(120))
  mkdirSync(directory, { recursive: true })
  const lock = await lockDirectory(directory, clock)
  assert.match((await startHolder(t, directory)).said, /^E_LOCKED/)
  await lock.release()
})

test('where a directory cannot have sockets, they lie in the temporaries, and exclude as well', async t => {
  const directory = scratch(t)
  const place = () => placeInTemporaries(directory)
  const { directory: temporaries } = place()
  t.after(() => rmSync(temporaries, { recursive: true, force: true }))
  const outcomes = await Promise.allSettled(
    Array.from({ length: 5 }, () => lockIn(place(), directory, clock)),
  )
  const held = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  assert.equal(held.length, 1)
  await assert.rejects(lockIn(place(), join(directory, '.'), clock), { code: 'E_LOCKED' })
  for (const lock of held) await lock.release()
  await (await lockIn(place(), directory, clock)).release()
  assert.deepEqual(readdirSync(directory), [])
})

test('a process that is stopped is alive', { skip: process.platform === 'win32' }, async t => {
  const directory = scratch(t)
  const { child } = await startHolder(t, directory)
  child.kill('SIGSTOP')
  await assert.rejects(lockDirectory(directory, clock), {
    code: 'E_LOCKED',
    message: new RegExp(`${child.pid}`),
  })
})
