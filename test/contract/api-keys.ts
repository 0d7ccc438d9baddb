/// What every store of API keys does.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { epochMs } from '../../src/core/units.js'
import type { ApiKey, ApiKeys } from '../../src/ports/api-keys.js'

export function apiKey(id: string, more: Partial<ApiKey> = {}): ApiKey {
  const hash = id.padEnd(64, '0').replace(/[^0-9a-f]/g, '0')
  return { id, name: `key ${id}`, scopes: ['read'], hash, createdAt: epochMs(1), revokedAt: null, ...more }
}

export function apiKeysContract(name: string, open: (t: TestContext) => Promise<ApiKeys>): void {
  test(`${name}: a key is found by its hash, listed in order, and valid`, async t => {
    const keys = await open(t)
    assert.deepEqual(keys.list(), [])
    await keys.add(apiKey('a1'))
    await keys.add(apiKey('b2', { scopes: ['ingest', 'admin'], name: '' }))
    assert.deepEqual(keys.list(), [apiKey('a1'), apiKey('b2', { scopes: ['ingest', 'admin'], name: '' })])
    assert.deepEqual(keys.byHash(apiKey('a1').hash), apiKey('a1'))
    assert.equal(keys.byHash('ff'), undefined)
    assert.equal(keys.isValid('b2'), true)
    assert.equal(keys.isValid('c3'), false)
    assert.equal(await keys.reload(), false)
  })

  test(`${name}: a revoked key stays listed, and is found no more`, async t => {
    const keys = await open(t)
    await keys.add(apiKey('a1'))
    await keys.add(apiKey('b2'))
    assert.equal(await keys.revoke('a1', epochMs(7)), true)
    assert.equal(await keys.revoke('a1', epochMs(8)), false)
    assert.equal(await keys.revoke('c3', epochMs(8)), false)
    assert.equal(keys.byHash(apiKey('a1').hash), undefined)
    assert.equal(keys.isValid('a1'), false)
    assert.equal(keys.isValid('b2'), true)
    assert.deepEqual(keys.list(), [apiKey('a1', { revokedAt: epochMs(7) }), apiKey('b2')])
  })
}
