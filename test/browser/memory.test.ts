/// Whoever walks through the pages for long leaves nothing behind: no elements, no listeners, no memory. The long form is
/// `make dashboard-hour`.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, CDPSession } from 'playwright-core'
import { eventually } from '../wait/eventually.js'
import { launch, open } from './browser.js'
import { Market } from './market.js'

let browser: Browser
before(async () => {
  browser = await launch()
})
after(() => browser.close())

const ROUNDS_BEFORE = 2
const ROUNDS = 5

/// What is left after a collection of garbage.
async function held(devTools: CDPSession): Promise<{ nodes: number; listeners: number; heapBytes: number }> {
  // What was let go in the first one may hold what is let go in the second one.
  for (let i = 0; i < 2; i++) await devTools.send('HeapProfiler.collectGarbage')
  const { metrics } = await devTools.send('Performance.getMetrics')
  const of = (name: string) => metrics.find(metric => metric.name === name)?.value ?? Number.NaN
  return { nodes: of('Nodes'), listeners: of('JSEventListeners'), heapBytes: of('JSHeapUsedSize') }
}

test('walking through the pages leaves nothing behind', async t => {
  const market = await Market.open(t, { flags: ['--archive', 'duckdb', '--archive-interval', '500ms'] })
  const page = await open(t, browser, market.url, { mayFail: true })
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Performance.enable')
  const stop = new AbortController()
  const live = market.live(stop.signal)
  const round = async (token: string) => {
    await page.locator(`.rows .row[data-token="${token}"] .name a`).click()
    await page.locator('.chart canvas').first().waitFor()
    await page.locator('.tape tbody tr').first().waitFor()
    await page.getByRole('link', { name: 'Pulse' }).click()
    await page.locator('.measured li').first().waitFor()
    await page.getByRole('link', { name: 'Board' }).click()
    await page.locator('.rows .row[data-token="BTC"]').waitFor()
  }
  for (let i = 0; i < ROUNDS_BEFORE; i++) await round('ETH')
  const before = await held(devTools)
  for (let i = 0; i < ROUNDS; i++) await round('SOL')
  // The page that was left last may be held for a moment more.
  await eventually(async () => {
    const after = await held(devTools)
    const text = JSON.stringify({ before, after })
    assert.ok(after.listeners <= before.listeners + 30, text)
    assert.ok(after.nodes <= before.nodes * 1.3 + 300, text)
    assert.ok(after.heapBytes <= before.heapBytes + 3e6, text)
  })
  stop.abort()
  await live
})

/// Nodes of the document, texts included.
const ATTACHED = `(() => {
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ALL)
  let count = 1
  while (walker.nextNode() !== null) count++
  return count
})()`

/// Without shell/let-go.ts each drawing of the table kept all those before it, and every row that had left the screen: a page that was
/// open for an hour held more than a gigabyte.
test('rows that have left the table are let go, however often the order changes', async t => {
  const market = await Market.open(t)
  const url = `${market.url}/#/?sort=last`
  const page = await open(t, browser, url, { height: 320, mayFail: true })
  await page.locator('.rows .row[data-token]').first().waitFor()
  // A row that nothing happens to is what kept the others.
  await page.evaluate(`localStorage.setItem('volumer.pins', '["QUIET"]')`)
  await page.reload()
  await page.locator('.pinned .row[data-token="QUIET"]').waitFor()
  const devTools = await page.context().newCDPSession(page)
  await devTools.send('Performance.enable')
  // Counts the rows that come, so that the test knows that enough of them have.
  await page.evaluate(`
    window.came = 0
    new MutationObserver(changes => {
      for (const { addedNodes } of changes) window.came += addedNodes.length
    }).observe(document.querySelector('.rows'), { childList: true })
    undefined`)
  const came = async (count: number) =>
    eventually(async () =>
      assert.ok(Number(await page.evaluate('window.came')) >= count, `${count} rows came`),
    )
  const stop = new AbortController()
  const live = market.live(stop.signal)
  const detached: number[] = []
  for (let count = 50; count <= 300; count += 50) {
    await came(count)
    const { nodes } = await held(devTools)
    const attached = Number(await page.evaluate(ATTACHED))
    detached.push(nodes - attached)
  }
  // Some rows that have just left are there until Preact needs their place; all that ever left came to 630 and more.
  t.diagnostic(`nodes outside of the document: ${detached.join(', ')}`)
  assert.ok(Math.min(...detached) <= 450, `nodes outside of the document: ${detached.join(', ')}`)
  stop.abort()
  await live
})
