/// How the dashboard's files are served: the page for browsers, the index of the routes for everybody else.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startWeb } from '../delivery/web-harness.js'

const bytes = (text: string) => new TextEncoder().encode(text)
const SCRIPT = `console.log('${'x'.repeat(2000)}')`
const DASHBOARD = {
  page: bytes('<!doctype html><title>Volumer</title>'),
  assets: new Map([
    ['index-1.js', { type: 'text/javascript; charset=utf-8', bytes: bytes(SCRIPT) }],
    ['inter-1.woff2', { type: 'font/woff2', bytes: new Uint8Array([1, 2, 3]) }],
  ]),
}
const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

test('a browser gets the page, with a policy that lets nothing in from elsewhere', async t => {
  const { url } = await startWeb(t, { dashboard: DASHBOARD })
  const response = await fetch(url, { headers: BROWSER })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
  assert.match(await response.text(), /<title>Volumer/)
  const policy = response.headers.get('content-security-policy') ?? ''
  assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  assert.doesNotMatch(policy, /unsafe|https?:|\*/)
  const again = await fetch(url, {
    headers: { ...BROWSER, 'if-none-match': response.headers.get('etag') ?? '' },
  })
  assert.equal(again.status, 304)
})

test('other programs get the index of the routes', async t => {
  const { url } = await startWeb(t, { dashboard: DASHBOARD })
  for (const headers of [{}, { accept: '*/*' }, { accept: 'application/json' }]) {
    const response = await fetch(url, { headers })
    const index: { name: unknown } = JSON.parse(await response.text())
    assert.equal(index.name, 'volumer')
    assert.match(response.headers.get('vary') ?? '', /Accept/)
  }
})

test('without a dashboard a browser gets the index too', async t => {
  const { url } = await startWeb(t)
  const index: { name: unknown } = JSON.parse(await (await fetch(url, { headers: BROWSER })).text())
  assert.equal(index.name, 'volumer')
})

test('its files are kept for good, gzipped where that helps; what it does not have is not there', async t => {
  const { url } = await startWeb(t, { dashboard: DASHBOARD })
  const script = await fetch(`${url}/assets/index-1.js`)
  assert.equal(script.headers.get('content-encoding'), 'gzip')
  assert.match(script.headers.get('cache-control') ?? '', /max-age=31536000, immutable/)
  assert.equal(await script.text(), SCRIPT)
  const plain = await fetch(`${url}/assets/index-1.js`, { headers: { 'accept-encoding': 'identity' } })
  assert.equal(plain.headers.get('content-encoding'), null)
  assert.equal(await plain.text(), SCRIPT)
  const font = await fetch(`${url}/assets/inter-1.woff2`)
  assert.deepEqual([...new Uint8Array(await font.arrayBuffer())], [1, 2, 3])
  for (const name of ['index-2.js', '..%2f..%2fpackage.json', '%2e%2e%2findex.html', 'constructor']) {
    const response = await fetch(`${url}/assets/${name}`)
    assert.equal(response.status, 404, name)
    assert.equal(response.headers.get('content-type'), 'application/problem+json')
  }
})
