import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { append } from '../../../test/contract/append.js'
import { epochMs, offset } from '../../core/units.js'
import { SystemClock } from '../system/clock.js'
import { type EmbeddedStoresOptions, openEmbeddedStores } from './data-directory.js'

const clock = new SystemClock()

function options(t: TestContext): EmbeddedStoresOptions {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return { directory, clock, partitions: 2, resolutionMs: 1000 }
}

async function fill(given: EmbeddedStoresOptions): Promise<void> {
  const stores = await openEmbeddedStores(given)
  await append(stores.log, 1, Buffer.from('{}\n{}\n'), 2)
  await stores.states[1]?.appendDelta({
    coversFrom: offset(0),
    coversTo: offset(2),
    logTime: epochMs(5),
    maxBlock: 1,
    payload: Buffer.from('rows'),
  })
  await stores.close()
}

test('a new directory is created, and opened again with what it held', async t => {
  const given = options(t)
  await fill(given)
  const stores = await openEmbeddedStores(given)
  assert.equal(stores.log.partitions, 2)
  assert.deepEqual(stores.log.bounds(1), { first: 0, end: 2 })
  assert.deepEqual(
    stores.states.map(state => state.position()),
    [0, 2],
  )
  assert.equal(stores.deadLetters.counts().stored, 0)
  assert.ok(stores.sizeBytes() > 0)
  await stores.close()
})

test('a directory that is open is refused, and closing lets go of it', async t => {
  const given = options(t)
  const stores = await openEmbeddedStores(given)
  await assert.rejects(openEmbeddedStores(given), { code: 'E_LOCKED' })
  await stores.close()
  await (await openEmbeddedStores(given)).close()
})

test('other settings than the directory was made with are refused, each named', async t => {
  const given = options(t)
  await fill(given)
  await assert.rejects(openEmbeddedStores({ ...given, partitions: 3, resolutionMs: 500 }), {
    code: 'E_SETTINGS_MISMATCH',
    message: /partitions is 2 there and 3 now, resolutionMs is 1000 there and 500 now/,
  })
  // A refused start leaves no lock.
  await (await openEmbeddedStores(given)).close()
})

test('each byte of FORMAT matters, and data without it are not taken for a new directory', async t => {
  const given = options(t)
  await fill(given)
  const path = join(given.directory, 'FORMAT')
  const whole = readFileSync(path)
  for (let i = 0; i < whole.length; i++) {
    const bytes = Buffer.from(whole)
    bytes[i] = (bytes[i] ?? 0) ^ 1
    writeFileSync(path, bytes)
    await assert.rejects(openEmbeddedStores(given), { code: 'E_DAMAGED' }, `byte ${i}`)
  }
  rmSync(path)
  await assert.rejects(openEmbeddedStores(given), { code: 'E_DAMAGED', message: /FORMAT is missing/ })
  writeFileSync(path, whole)
  await (await openEmbeddedStores(given)).close()
})

for (const part of ['log', 'log/1', 'state', 'state/0/parts', 'state/1/deltas', 'dead-letters']) {
  test(`without ${part} the directory is refused`, async t => {
    const given = options(t)
    await fill(given)
    rmSync(join(given.directory, part), { recursive: true })
    await assert.rejects(openEmbeddedStores(given), { code: 'E_DAMAGED', message: /missing/ })
  })
}

test('a state that the log does not reach is refused', async t => {
  const given = options(t)
  await fill(given)
  const other = { ...given, directory: join(given.directory, 'other') }
  await (await openEmbeddedStores(other)).close()
  rmSync(join(given.directory, 'log'), { recursive: true })
  const { cpSync } = await import('node:fs')
  cpSync(join(other.directory, 'log'), join(given.directory, 'log'), { recursive: true })
  await assert.rejects(openEmbeddedStores(given), {
    code: 'E_DAMAGED',
    message: /ends at offset 2, but the trade log/,
  })
})
