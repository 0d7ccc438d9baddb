/// The page of a token in a real browser, from a real server.

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

/// A cell of the table of all windows: its text and its title.
async function cell(page: Page, line: string, window: string): Promise<readonly [string, string]> {
  const heads = await page.locator('.windows thead th').allTextContents()
  const row = page
    .locator('.windows tbody tr')
    .filter({ has: page.getByRole('rowheader', { name: line, exact: true }) })
  const found = row.locator('td').nth(heads.indexOf(window) - 1)
  return [(await found.textContent()) ?? '', (await found.getAttribute('title')) ?? '']
}

test('the page of a token', async t => {
  const market = await Market.open(t, { flags: ['--archive', 'duckdb', '--archive-interval', '500ms'] })
  const { url } = market

  await t.test('shows all windows side by side, live, exact on hover', async t => {
    const page = await open(t, browser, `${url}/#/token/NEW%20ONE?window=m5`)
    await page.getByRole('heading', { name: 'No swap of this token within the last 24h' }).waitFor()
    await accessible(page)
    await screenshot(page, 'token-unknown')
    const now = Date.now()
    await market.send([
      { token: 'NEW ONE', side: 'buy', usd: 1000.5, price: 2, who: 'ann', time: now - 120_000 },
      { token: 'NEW ONE', side: 'sell', usd: 500.25, price: 2.5, who: 'bob', time: now },
      { token: 'NEW ONE', side: 'buy', usd: 100, price: 2.2, who: 'ann', time: now + 1 },
    ])
    await page.getByRole('heading', { name: 'All windows' }).waitFor()
    assert.equal(await page.title(), 'NEW ONE · Volumer')
    await eventually(async () => {
      assert.deepEqual(await cell(page, 'Volume', '1m'), ['$600', '$600.25'])
      assert.deepEqual(await cell(page, 'Volume', '5m'), ['$1.60K', '$1,600.75'])
      assert.deepEqual(await cell(page, 'Traders', '24h'), ['2', '2 distinct traders'])
      assert.deepEqual((await cell(page, 'Change', '5m'))[0], '+10.00%')
      assert.deepEqual((await cell(page, 'Change', '1m'))[0], '−12.00%')
      assert.deepEqual((await cell(page, 'High $', '1h'))[0], '2.5000')
    })
    const pressure = page
      .locator('.pressure tbody tr')
      .filter({ has: page.getByRole('rowheader', { name: '1m' }) })
    await eventually(async () => {
      const cells = await pressure.locator('td').allTextContents()
      assert.deepEqual(cells, ['$100', '17 % bought', '$500', '1', '1'])
      assert.equal(await page.locator('.price-now').textContent(), '$2.2000')
    })
    await market.send([{ token: 'NEW ONE', side: 'buy', usd: 1_000_000, price: 3 }])
    await eventually(async () => assert.equal(await page.locator('.price-now').textContent(), '$3.0000'))
  })

  await t.test(
    'candles come from the archive, move with the feed, and have an interval of the reader’s choice',
    async t => {
      const page = await open(t, browser, `${url}/#/token/BTC`)
      const candles = page.getByRole('img', { name: /^Candles of 1m with volume: \d\d of them/ })
      await candles.waitFor()
      assert.ok((await page.locator('.chart canvas').count()) > 1, 'the chart is drawn')
      const close = () => page.locator('.chart .legend span[title="close"]').textContent()
      await market.send([{ token: 'BTC', side: 'sell', usd: 777, price: 91_234.5 }])
      await eventually(async () => assert.equal(await close(), 'C 91,234.50'))
      // What the archive says of the candle comes with the feed.
      await eventually(async () => {
        const answer = await (await fetch(`${url}/v1/tokens/BTC/candles?interval=1m`)).text()
        const { candles }: { candles: readonly { high: string; buys: number; sells: number }[] } =
          JSON.parse(answer)
        const last = candles.at(-1)
        assert.equal(last?.high, '91234.5')
        const shown = await page.locator('.chart .legend > span').filter({ hasText: 'Swaps' }).textContent()
        assert.equal(shown, `Swaps ${(last?.buys ?? 0) + (last?.sells ?? 0)}`)
      })
      await page
        .getByRole('group', { name: 'Interval of the candles' })
        .getByRole('button', { name: '5m', exact: true })
        .click()
      await page.getByRole('img', { name: /^Candles of 5m with volume: \d\d of them/ }).waitFor()
      assert.match(page.url(), /interval=5m$/)
      await page.reload()
      await page.getByRole('img', { name: /^Candles of 5m with volume: \d\d of them/ }).waitFor()
    },
  )

  await t.test('the tape runs, and top traders are told', async t => {
    const page = await open(t, browser, `${url}/#/token/LINK?window=h1`)
    const swaps = page.locator('.tape tbody tr')
    await swaps.first().waitFor()
    const before = await swaps.count()
    await market.send([
      { token: 'LINK', side: 'buy', usd: 50_000.5, price: 16.5, who: 'whale' },
      { token: 'LINK', side: 'sell', usd: 20_000, price: 16.4, who: 'whale' },
    ])
    await swaps.filter({ hasText: 'whale' }).nth(1).waitFor()
    assert.ok((await swaps.count()) >= before, 'what was there stays')
    const bought = swaps.filter({ hasText: 'buy' }).filter({ hasText: 'whale' }).locator('td')
    assert.deepEqual((await bought.allTextContents()).slice(1, 4), ['buy', '$50.0K', '16.500'])
    assert.equal(await bought.nth(2).getAttribute('title'), '$50,000.500000'.replace(/0+$/, ''))
    const whale = page.locator('.traders tbody tr').first()
    await eventually(async () => {
      const cells = await whale.locator('th, td').allTextContents()
      assert.deepEqual(cells.slice(0, 5), ['whale', '$70.0K', '71 % bought', '$30.0K', '2'])
    })
  })

  await t.test('fates of its swaps are told', async t => {
    const page = await open(t, browser, `${url}/#/token/TWICE`)
    const now = Date.now()
    const swaps = [1, 2, 2, 2].map(i => ({
      ...{ id: `fate${i}`, time: now, who: 'ann', token: 'TWICE', side: 'buy', amount: '1', usd: '2' },
    }))
    const late = { ...swaps[0], id: 'late', time: now - 25 * 3_600_000 }
    const changed = { ...swaps[0], usd: '3' }
    const body = [...swaps, late, changed].map(swap => JSON.stringify(swap)).join('\n')
    const headers = { 'content-type': 'application/x-ndjson' }
    assert.equal((await fetch(`${url}/v1/trades`, { method: 'POST', headers, body })).status, 200)
    const fates = page.locator('.fates tr').filter({ has: page.locator('th[scope="row"]') })
    await eventually(async () => {
      const told = await fates.locator('b').allTextContents()
      const counts = await fates.locator('td:nth-child(2)').allTextContents()
      const shares = await fates.locator('td:nth-child(3)').allTextContents()
      assert.deepEqual(told, ['accepted', 'duplicate', 'late', 'early', 'conflict'])
      assert.deepEqual(counts, ['2', '3', '1', '0', '1'])
      assert.deepEqual(shares, ['33.33 %', '50.00 %', '16.67 %', '', '16.67 %'])
    })
  })

  await t.test('the window is chosen, kept in the address, and the way back is to the board', async t => {
    const page = await open(t, browser, `${url}/#/`)
    await page.locator('.rows .row[data-token="ETH"] .name a').click()
    await page.getByRole('heading', { name: 'ETH', level: 1 }).waitFor()
    await page.getByRole('group', { name: 'Window' }).getByRole('button', { name: '15m' }).click()
    assert.match(page.url(), /#\/token\/ETH\?window=m15$/)
    await page.goBack()
    await page.locator('.rows .row[data-token="ETH"]').waitFor()
  })

  await t.test('is readable on a narrow screen, in the dark, and without serious faults', async t => {
    const wide = await open(t, browser, `${url}/#/token/BTC`, { width: 1440, height: 1000, dark: true })
    await wide.getByRole('heading', { name: 'All windows' }).waitFor()
    await accessible(wide)
    await wide.getByRole('img', { name: /\d\d of them/ }).waitFor()
    await screenshot(wide, 'token')
    await wide.getByRole('region', { name: 'Fates of its swaps' }).scrollIntoViewIfNeeded()
    await screenshot(wide, 'token-below')
    const widest = await open(t, browser, `${url}/#/token/BTC`, { width: 2560, height: 1440 })
    await widest.getByRole('img', { name: /\d\d of them/ }).waitFor()
    await widest.locator('.fates tbody tr').first().waitFor()
    await fits(widest)
    await accessible(widest)
    await screenshot(widest, 'token-wide')
    const narrow = await open(t, browser, `${url}/#/token/BTC`, { width: 360, height: 740 })
    await narrow.getByRole('heading', { name: 'All windows' }).waitFor()
    await fits(narrow)
    await accessible(narrow)
    await screenshot(narrow, 'token-narrow')
  })
})
