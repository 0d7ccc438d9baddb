import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { FileApiKeys } from '../../src/adapters/file/api-keys.js'
import { MemoryApiKeys } from '../../src/adapters/memory/api-keys.js'
import { epochMs } from '../../src/core/units.js'
import { apiKey, apiKeysContract } from './api-keys.js'
import { scratchDirectory } from './scratch.js'

const open = (path: string) => FileApiKeys.open(path, ms => pause(ms))

apiKeysContract('memory', async () => new MemoryApiKeys())
apiKeysContract('file', t => open(join(scratchDirectory(t, 'keys'), 'keys.json')))

test('what one process changed, another one takes in; nothing of either is lost', async t => {
  const path = join(scratchDirectory(t, 'keys'), 'keys.json')
  const one = await open(path)
  const other = await open(path)
  await Promise.all([
    ...Array.from({ length: 10 }, (_, i) => one.add(apiKey(`a${i}`))),
    ...Array.from({ length: 10 }, (_, i) => other.add(apiKey(`b${i}`))),
  ])
  await one.reload()
  await other.reload()
  assert.equal(one.list().length, 20)
  assert.deepEqual(
    other
      .list()
      .map(({ id }) => id)
      .sort(),
    one
      .list()
      .map(({ id }) => id)
      .sort(),
  )
  await one.revoke('b3', epochMs(5))
  assert.equal(other.isValid('b3'), true)
  assert.equal(await other.reload(), true)
  assert.equal(other.isValid('b3'), false)
  assert.equal(await other.reload(), false)
})

test('the file is for its owner alone, and holds no key', async t => {
  const path = join(scratchDirectory(t, 'keys'), 'keys.json')
  const keys = await open(path)
  await keys.add(apiKey('a1'))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  chmodSync(path, 0o644)
  await keys.add(apiKey('b2'))
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('a file that cannot be read is refused, and what was known stays', async t => {
  const path = join(scratchDirectory(t, 'keys'), 'keys.json')
  const keys = await open(path)
  await keys.add(apiKey('a1'))
  const good = readFileSync(path, 'utf8')
  for (const [text, wanted] of [
    ['{', /not JSON/],
    ['{"version":2,"keys":[]}', /version 2/],
    ['{"version":1}', /no list/],
    [good.replace('"read"', '"root"'), /key 1 of it/],
    [good.replace(/"hash": "./, '"hash": "g'), /key 1 of it/],
  ] as const) {
    writeFileSync(path, text)
    await assert.rejects(open(path), wanted)
    await assert.rejects(keys.reload(), wanted)
    assert.equal(keys.isValid('a1'), true)
  }
})
