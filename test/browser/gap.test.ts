/// What was missed while the connection was away, and can not be brought back, is said; the numbers are whole again at once.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { eventually } from '../wait/eventually.js'
import { holdClock, launch, open, screenshot, tryNow } from './browser.js'
import { Market } from './market.js'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

test('a gap is said, and healed', async t => {
  const market = await Market.open(t, { flags: ['--checkpoint-interval', '200ms'] })
  const page = await open(t, browser, market.url, { mayFail: true, ownClock: true })
  await page.locator('.rows .row[data-token="SHIB"]').waitFor()
  // Pinned tokens are followed with a cursor, which the next process does not know.
  await page.getByRole('button', { name: 'Pin SHIB' }).click()
  const swaps = page.locator('.pinned .row[data-token="SHIB"] .split .up')
  await eventually(async () => assert.ok(Number(await swaps.textContent()) > 0))
  const before = Number(await swaps.textContent())
  // What it says passes; it stays while the page's clock is held.
  await holdClock(page)
  await market.server.kill()
  await market.startAgain()
  await market.send([{ token: 'SHIB', side: 'buy', usd: 5, price: 0.0000134 }])
  await tryNow(page)
  await page.getByText('The server was restarted meanwhile. Every number is fresh.').waitFor()
  await screenshot(page, 'state-gap-healed')
  await page.clock.resume()
  await eventually(async () => assert.equal(Number(await swaps.textContent()), before + 1))
})
