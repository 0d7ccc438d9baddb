/// The pulse in a real browser, from a real server.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { eventually } from '../wait/eventually.js'
import { accessible, fits, launch, open, screenshot } from './browser.js'
import { Market } from './market.js'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

const milliseconds = (text: string): number => {
  const [, value = 'NaN', unit] = /^([\d.]+) (ms|s)$/.exec(text) ?? []
  return Number(value) * (unit === 's' ? 1000 : 1)
}

/// p50 and p99 as they are shown.
async function shownDelay(page: Page): Promise<readonly number[]> {
  return (await page.locator('.delay .figure .value').allTextContents()).map(milliseconds)
}

test('the pulse measures the delay to this screen, and shows rates, fates, partitions, clients', async t => {
  const market = await Market.open(t)
  await market.send([{ token: 'BTC', side: 'buy', usd: 5, price: 84_000, time: Date.now() - 25 * 3_600_000 }])
  const page = await open(t, browser, `${market.url}/#/pulse`, { width: 1440, height: 1000, mayFail: true })
  await page.getByRole('heading', { name: 'From swap to this screen' }).waitFor()
  await page.getByText('no swap seen yet').waitFor()
  const stop = new AbortController()
  const live = market.live(stop.signal)
  await page.getByText(/^\d{2,} swaps of the last minute$/).waitFor()
  const [p50 = Number.NaN, p99 = Number.NaN] = await shownDelay(page)
  assert.ok(p50 > 0 && p50 <= p99 && p99 < 5000, `p50 ${p50} ms, p99 ${p99} ms`)
  await page.locator('.rate-line path.edge').waitFor({ state: 'attached' })
  await accessible(page)
  await screenshot(page, 'pulse')
  stop.abort()
  await live

  const fate = (name: string) =>
    page
      .locator('.fates tr')
      .filter({ has: page.getByRole('rowheader', { name }) })
      .locator('td')
      .first()
  await eventually(async () => {
    assert.equal(await fate('late').textContent(), '1')
    const status: { fates: { accepted: number } } = JSON.parse(
      await (await fetch(`${market.url}/v1/status`)).text(),
    )
    assert.equal(await fate('accepted').getAttribute('title'), status.fates.accepted.toLocaleString('en'))
  })
  await eventually(async () => {
    const partition = await page.locator('.partitions tbody tr').first().locator('td').allTextContents()
    assert.match(partition[1] ?? '', /:\d+, this one$/)
    assert.deepEqual([partition[0], ...partition.slice(2, 4)], ['0', 'live', '0'])
  })
  const clients = page.locator('.clients .facts div').filter({ hasText: 'WebSockets' })
  await eventually(async () => assert.equal(await clients.locator('dd').textContent(), '1'))
  await open(t, browser, market.url, { mayFail: true })
  await eventually(async () => assert.equal(await clients.locator('dd').textContent(), '2'))

  const wide = await open(t, browser, `${market.url}/#/pulse`, {
    ...{ width: 2560, height: 1440, dark: true, mayFail: true },
  })
  await wide.getByRole('heading', { name: 'Server' }).waitFor()
  await fits(wide)
  await accessible(wide)
  await screenshot(wide, 'pulse-wide')
  const narrow = await open(t, browser, `${market.url}/#/pulse`, {
    width: 360,
    height: 740,
    dark: true,
    mayFail: true,
  })
  await narrow.getByRole('heading', { name: 'Server' }).waitFor()
  await fits(narrow)
  await accessible(narrow)
  await screenshot(narrow, 'pulse-narrow')
})
