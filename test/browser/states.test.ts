/// What a reader is told when not all is well: in a real browser, with real servers that are stopped, killed and started again.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { cleanEnvironment } from '../integration/server.js'
import { eventually } from '../wait/eventually.js'
import { accessible, holdClock, launch, listen, open, screenshot, tryNow } from './browser.js'
import { Market } from './market.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

test('a restart, polite or not, is survived without a reload: said, counted down, healed', async t => {
  const market = await Market.open(t, { flags: ['--checkpoint-interval', '200ms'] })
  const page = await open(t, browser, market.url, { mayFail: true, ownClock: true })
  const btc = page.locator('.rows .row[data-token="BTC"]')
  const banner = page.locator('.banner')
  const live = page.getByRole('status', { name: 'Connection: live' })
  await btc.waitFor()
  await page.evaluate('window.sameDocument = true')
  const said = await listen(page)

  // While the page's clock is held it does not try again, so that what it says can be looked at.
  await holdClock(page)
  market.server.signal('SIGTERM')
  await banner.filter({ hasText: /^The server is restarting\..* Next try in \d+ s\./ }).waitFor()
  await page.getByRole('status', { name: 'Connection: offline' }).waitFor()
  await screenshot(page, 'state-restarting')
  assert.deepEqual(await market.server.exited, { code: 0, signal: null })
  await market.startAgain()
  await page.clock.resume()
  await said.heard(/^Connected again after \d+ s\. Every number shown is current\./)
  await live.waitFor()

  await holdClock(page)
  await market.server.kill()
  await banner
    .filter({ hasText: /^Not connected: .*Numbers stand still since \d\d:\d\d:\d\d\. Next try in \d+ s\./ })
    .waitFor()
  await screenshot(page, 'state-away')
  // The checker needs a clock that runs. The server stays away meanwhile, for longer than a live one may be silent: the page is not to
  // call what it shows stale once it is connected again.
  await page.clock.resume()
  await accessible(page)
  await page.clock.fastForward(5000)
  await holdClock(page)
  await market.startAgain()
  await tryNow(page)
  await page.locator('.notice').filter({ hasText: 'Connected again' }).first().waitFor()
  await screenshot(page, 'state-connected-again')
  await page.clock.resume()
  await eventually(async () => assert.equal(await banner.count(), 0))

  const volume = async () => (await btc.locator('.c-volume').getAttribute('title')) ?? ''
  const before = await volume()
  await market.send([{ token: 'BTC', side: 'buy', usd: 5_000_000, price: 84_000 }])
  await eventually(async () => assert.ok((await volume()) > before && (await volume()).startsWith('$5,')))
  assert.equal(await page.evaluate('window.sameDocument'), true)
})

test('a server that says nothing is called stale, with the time since when', async t => {
  const market = await Market.open(t)
  const page = await open(t, browser, market.url, { mayFail: true, ownClock: true })
  await page.locator('.rows .row[data-token="BTC"]').waitFor()
  await page.getByRole('status', { name: 'Connection: live' }).waitFor()
  await holdClock(page)
  market.server.signal('SIGSTOP')
  t.after(() => market.server.signal('SIGCONT'))
  // Later the page gives the connection up.
  await page.clock.fastForward(5000)
  await page.getByText(/^Nothing heard from the server for \d+ s\. Numbers stand still since/).waitFor()
  await page.getByRole('status', { name: 'Connection: stale' }).waitFor()
  await screenshot(page, 'state-stale')
  market.server.signal('SIGCONT')
  await page.clock.resume()
  await page.getByRole('status', { name: 'Connection: live' }).waitFor()
})

test('an empty market says how to send the first swap', async t => {
  const market = await Market.open(t, { swaps: false })
  const page = await open(t, browser, market.url, { mayFail: true })
  await page.getByRole('heading', { name: 'No swaps yet' }).waitFor()
  await accessible(page)
  await screenshot(page, 'state-empty')
  await market.send([{ token: 'FIRST', side: 'buy', usd: 10, price: 2 }])
  await page.locator('.rows .row[data-token="FIRST"]').waitFor()
  assert.equal(await page.getByText('No swaps yet').count(), 0)
})

test('a server that wants a key asks for it, refuses a wrong one, and works with a right one', async t => {
  const create = ['keys', 'create', '--name', 'reader', '--scope', 'read', '--keys-file', 'keys.json']
  let key = ''
  const market = await Market.open(t, {
    swaps: false,
    flags: ['--auth', 'on', '--keys-file', 'keys.json'],
    prepare(data) {
      const options = { cwd: data, env: cleanEnvironment(), encoding: 'utf8' } as const
      key = execFileSync(process.execPath, [MAIN, ...create], options).trim()
    },
  })
  const page = await open(t, browser, market.url, { mayFail: true })
  await page.getByRole('heading', { name: 'This server asks for an API key' }).waitFor()
  await accessible(page)
  await screenshot(page, 'state-key-needed')
  await page.getByLabel('API key').fill('volumer_nonsense')
  await page.getByLabel('API key').press('Enter')
  await page.getByRole('heading', { name: 'This API key is not known' }).waitFor()
  await page.getByLabel('API key').fill(key)
  await page.getByRole('button', { name: 'Connect' }).click()
  await page.getByRole('heading', { name: 'No swaps yet' }).waitFor()
  await page.getByRole('button', { name: 'Forget key' }).click()
  await page.getByRole('heading', { name: 'This server asks for an API key' }).waitFor()
})
