/// The board in a real browser, from a real server.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { eventually } from '../wait/eventually.js'
import { accessible, fits, launch, open, screenshot } from './browser.js'
import { Market, TOKENS } from './market.js'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

/// The names of the rows, top to bottom.
async function names(page: Page): Promise<readonly string[]> {
  const rows = await page.locator('.rows .row[data-token]').evaluateAll(elements =>
    elements
      .map(element => ({
        top: element.getBoundingClientRect().top,
        token: element.getAttribute('data-token') ?? '',
      }))
      .sort((a, b) => a.top - b.top)
      .map(({ token }) => token),
  )
  return rows
}

const row = (page: Page, token: string) => page.locator(`.rows .row[data-token="${token}"]`)
/// No row is on its way to another place.
const stillRows = (page: Page) =>
  eventually(async () =>
    assert.equal(
      await page.evaluate(
        "document.getAnimations().filter(each => each.transitionProperty === 'transform').length",
      ),
      0,
    ),
  )
const loaded = (page: Page) => row(page, 'BTC').waitFor()
const hash = (page: Page) => decodeURIComponent(new URL(page.url()).hash)

async function asked(url: string): Promise<readonly string[]> {
  const response = await fetch(url)
  const { tokens }: { tokens: readonly { token: string }[] } = JSON.parse(await response.text())
  return tokens.map(({ token }) => token)
}

/// The rows are in the order of the answer, asked anew each time: windows move meanwhile.
const shows = (page: Page, question: string) =>
  eventually(async () => {
    const expected = await asked(`${question}&limit=10`)
    assert.deepEqual((await names(page)).slice(0, 10), expected)
  })

test('the board', async t => {
  const market = await Market.open(t, { flags: ['--archive', 'duckdb', '--archive-interval', '500ms'] })
  const { url } = market

  await t.test('loads from the server alone and shows the tokens in the order of the API', async t => {
    const page = await open(t, browser, url)
    await loaded(page)
    assert.equal(await page.title(), 'Volumer')
    await shows(page, `${url}/v1/tokens?sort=volume.1h`)
    await page.getByText('30 tokens').waitFor()
    await page.getByRole('status', { name: 'Connection: live' }).waitFor()
    // A name is text, whatever is in it.
    assert.equal(await row(page, '<b>bold</b>').locator('.name').textContent(), '<b>bold</b>')
    assert.equal(
      await row(page, TOKENS[10]?.[0] ?? '')
        .locator('.name')
        .textContent(),
      '0x698250…311933',
    )
    const response = await fetch(url, { headers: { accept: 'text/html' } })
    assert.match(
      response.headers.get('content-security-policy') ?? '',
      /default-src 'none'.*script-src 'self'/,
    )
  })

  await t.test('sorts by a column and back, which the address holds', async t => {
    const page = await open(t, browser, url)
    await loaded(page)
    const head = page.getByRole('columnheader', { name: 'Traders' })
    await head.getByRole('button').click()
    await shows(page, `${url}/v1/tokens?sort=txns.1h.traders`)
    assert.equal(await head.getAttribute('aria-sort'), 'descending')
    assert.equal(hash(page), '#/?sort=traders')
    await head.getByRole('button').click()
    await shows(page, `${url}/v1/tokens?sort=txns.1h.traders&order=asc`)
    assert.equal(await head.getAttribute('aria-sort'), 'ascending')
    assert.equal(hash(page), '#/?sort=traders&order=asc')
    await page.getByRole('columnheader', { name: 'Token' }).getByRole('button').click()
    await shows(page, `${url}/v1/tokens?sort=token&order=asc`)
    await page.goBack()
    await page.goBack()
    await shows(page, `${url}/v1/tokens?sort=txns.1h.traders`)
    await page.getByRole('button', { name: 'Losers' }).click()
    await eventually(() => assert.equal(hash(page), '#/?sort=change&order=asc'))
  })

  await t.test('finds by name and by bounds, and says when nothing matches', async t => {
    const page = await open(t, browser, url)
    await loaded(page)
    await page.keyboard.press('/')
    await page.keyboard.type('p')
    await eventually(async () =>
      assert.deepEqual([...(await names(page))].sort(), ['COMP', 'JUP', 'OP', 'PEPE', 'XRP']),
    )
    assert.equal(hash(page), '#/?search=p')
    await page.keyboard.type('zz')
    await page.getByRole('heading', { name: 'No token matches' }).waitFor()
    await screenshot(page, 'board-nothing-found')
    await page.getByRole('button', { name: 'Clear search and filter' }).click()
    await loaded(page)
    await page.getByText('Filter').click()
    await page.getByLabel('Swaps at least').fill('200')
    await page.getByLabel('Swaps at least').press('Enter')
    await eventually(async () => assert.deepEqual([...(await names(page))].sort(), ['BTC', 'ETH', 'SOL']))
    assert.equal(hash(page), '#/?minSwaps=200')
    await page.getByText('Filter').click()
    await page.getByLabel('Expression').fill('volume.h1 >')
    await page.getByLabel('Expression').blur()
    await page.getByRole('alert').filter({ hasText: 'filter' }).waitFor()
    await page.getByLabel('Expression').fill('token ~ "eth"')
    await page.getByLabel('Expression').blur()
    await eventually(async () => assert.deepEqual(await names(page), ['ETH']))
  })

  await t.test('a link opens the view that it holds', async t => {
    const page = await open(
      t,
      browser,
      `${url}/#/?window=h24&sort=price&order=asc&search=b&minSwaps=35&filter=token~%22b%22+and+priceUsd%3E0.00001`,
    )
    await eventually(async () =>
      assert.deepEqual(await names(page), ['SHIB', 'BONK', 'ARB', '<b>bold</b>', 'BTC']),
    )
    assert.equal(await page.getByRole('searchbox').inputValue(), 'b')
    assert.equal(await page.getByRole('button', { name: '24h', pressed: true }).count(), 1)
  })

  await t.test('pinned tokens stay at the top, also in the next visit', async t => {
    const page = await open(t, browser, url)
    await loaded(page)
    await row(page, 'SHIB').getByRole('button', { name: 'Pin SHIB' }).click()
    const pinned = page.locator('.pinned .row')
    await eventually(async () => assert.match((await pinned.allTextContents()).join(), /SHIB.*\$/))
    const again = await open(t, browser, `${url}/#/?search=btc`, { as: page })
    await eventually(async () =>
      assert.match((await again.locator('.pinned .row').allTextContents()).join(), /SHIB.*\$/),
    )
    await again.locator('.pinned').getByRole('button', { name: 'Pin SHIB' }).click()
    await eventually(async () => assert.equal(await again.locator('.pinned').count(), 0))
  })

  await t.test('works with the keyboard alone', async t => {
    const page = await open(t, browser, url)
    await loaded(page)
    const focused = () => page.evaluate('document.activeElement?.getAttribute("role")')
    for (let presses = 0; (await focused()) !== 'grid'; presses++) {
      assert.ok(presses < 60, 'Tab reaches the table')
      await page.keyboard.press('Tab')
    }
    const active = () => page.locator('.row.active').getAttribute('data-token')
    await eventually(async () => assert.equal(await active(), 'BTC'))
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await eventually(async () => assert.equal(await active(), (await names(page))[1]))
    await page.keyboard.press('p')
    await page.locator('.pinned .row').waitFor()
    await screenshot(page, 'board-keyboard')
    await page.keyboard.press('p')
    await page.keyboard.press('End')
    await eventually(async () => assert.equal(await active(), 'QUIET'))
    await page.keyboard.press('Home')
    await page.keyboard.press('Enter')
    await eventually(() => assert.match(hash(page), /^#\/token\/BTC/))
    await page.goBack()
    await loaded(page)
  })

  await t.test('light and dark, by the system and by the switch', async t => {
    const stop = new AbortController()
    t.after(() => stop.abort())
    const live = market.live(stop.signal)
    const ground = (page: Page) =>
      page.evaluate('getComputedStyle(document.body.parentElement).backgroundColor')
    const page = await open(t, browser, url, { dark: true, width: 1440, height: 900 })
    await loaded(page)
    await page.locator('.rows .line path[d^="M"]').first().waitFor({ state: 'attached' })
    assert.equal(await ground(page), 'rgb(15, 21, 27)')
    await accessible(page)
    // Where swaps come, rows change places all the time.
    stop.abort()
    await live
    await stillRows(page)
    await screenshot(page, 'board')
    await page.getByRole('button', { name: 'Theme: system' }).click()
    await eventually(async () => assert.equal(await ground(page), 'rgb(255, 255, 255)'))
    await accessible(page)
    await screenshot(page, 'board-light')
    const again = await open(t, browser, url, { as: page })
    await loaded(again)
    assert.equal(await ground(again), 'rgb(255, 255, 255)')
  })

  await t.test('is readable on a narrow screen and on a wide one', async t => {
    const narrow = await open(t, browser, url, { width: 360, height: 740 })
    await loaded(narrow)
    await fits(narrow)
    await accessible(narrow)
    await narrow.getByRole('combobox', { name: 'Window' }).selectOption('5m')
    await narrow.getByRole('combobox', { name: 'Sort by' }).selectOption('Change ↑')
    await eventually(() => assert.equal(hash(narrow), '#/?window=m5&sort=change&order=asc'))
    await screenshot(narrow, 'board-narrow')
    const wide = await open(t, browser, url, { width: 2560, height: 1200 })
    await loaded(wide)
    await wide.getByRole('columnheader', { name: 'VWAP' }).waitFor()
    await fits(wide)
    await wide.locator('.rows .row[data-token="SEI"] .line path[d^="M"]').waitFor({ state: 'attached' })
    await screenshot(wide, 'board-wide')
  })

  await t.test('nothing moves for who wants less motion', async t => {
    const page = await open(t, browser, url, { lessMotion: true })
    await loaded(page)
    await market.send([{ token: 'BTC', side: 'buy', usd: 900, price: 85_000 }])
    await eventually(async () =>
      assert.equal(await row(page, 'BTC').locator('.c-price').textContent(), '85,000.00'),
    )
    assert.equal(await page.evaluate('document.getAnimations().length'), 0)
  })

  await t.test('numbers move as swaps come, exact on hover, and a new token takes its place', async t => {
    const page = await open(t, browser, `${url}/#/?window=m5&sort=volume`)
    await loaded(page)
    await market.send([{ token: 'MOVER', side: 'buy', usd: 1_234_567.25, price: 2.5 }])
    await row(page, 'MOVER').waitFor()
    await eventually(async () => assert.deepEqual((await names(page))[0], 'MOVER'))
    const volume = row(page, 'MOVER').locator('.c-volume')
    await eventually(async () => assert.equal(await volume.textContent(), '$1.23M'))
    assert.equal(await volume.getAttribute('title'), '$1,234,567.25')
    assert.equal(await row(page, 'MOVER').locator('.c-price').textContent(), '2.5000')
    await market.send([{ token: 'MOVER', side: 'sell', usd: 1_000_000, price: 2 }])
    await eventually(async () => assert.equal(await volume.textContent(), '$2.23M'))
    await eventually(async () => {
      assert.equal(await row(page, 'MOVER').locator('.c-change').textContent(), '−20.00%')
      assert.equal(await row(page, 'MOVER').locator('.split .up').textContent(), '1')
      assert.equal(await row(page, 'MOVER').locator('.split .down').textContent(), '1')
    })
  })
})
