/// A real Chromium, and pages in it that watch themselves: what they log as an error, what they throw, and what they ask of other
/// hosts than their own fails the test that opened them.

import assert from 'node:assert/strict'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import { CHROMIUM_FLAGS, chromium as chromiumPath } from '../../tools/browser/chromium.js'
import { eventually } from '../wait/eventually.js'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')
/// Pictures of each view, for people. Git ignores them.
const SCREENSHOTS = join(ROOT, 'screenshots')
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')

/// What browsers print themselves when a server is away or refuses.
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to )/

export interface Opened {
  readonly width?: number
  readonly height?: number
  readonly dark?: boolean
  readonly lessMotion?: boolean
  /// The server goes away, refuses, or has no archive: browsers print that as errors.
  readonly mayFail?: boolean
  /// The page's clock can be held; see `holdClock`.
  readonly ownClock?: boolean
  /// What the browser keeps, of another page: the same reader.
  readonly as?: Page
}

/// How long a page may take to be back after the server is.
const BACK_MS = 30_000

export async function launch(): Promise<Browser> {
  const executablePath = chromiumPath()
  assert.ok(executablePath !== null, 'there is a chromium')
  return chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
}

export async function open(
  t: TestContext,
  browser: Browser,
  url: string,
  options: Opened = {},
): Promise<Page> {
  const { width = 1280, height = 800, dark = false, lessMotion = false, mayFail = false, as } = options
  const context: BrowserContext =
    as?.context() ??
    (await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: lessMotion ? 'reduce' : 'no-preference',
      locale: 'en-GB',
    }))
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  if (options.ownClock === true) await page.clock.install()
  const faults: string[] = []
  page.on('pageerror', error => faults.push(error.stack ?? error.message))
  page.on('console', message => {
    if (message.type() !== 'error' && message.type() !== 'warning') return
    if (!(mayFail && OF_THE_NETWORK.test(message.text()))) faults.push(message.text())
  })
  page.on('request', request => {
    if (new URL(request.url()).host !== new URL(url).host) faults.push(`asks for ${request.url()}`)
  })
  t.after(async () => {
    await context.close()
    assert.deepEqual(faults, [], 'errors of the page')
  })
  await page.goto(url)
  return page
}

/// Lets the page's time stand still: what it says for a moment only stays, until `page.clock.resume()`.
export async function holdClock(page: Page): Promise<void> {
  // Time can be held in the future only.
  const { now }: { now: number } = await page.evaluate('({ now: Date.now() })')
  await page.clock.pauseAt(now + 1000)
}

/// Presses "Try now" until the page is connected: while a try is under way the button does nothing. It is pressed from inside, at
/// once, since it may go while somebody outside makes sure that it stands still.
export async function tryNow(page: Page): Promise<void> {
  const live = page.getByRole('status', { name: 'Connection: live' })
  await eventually(async () => {
    await page.evaluate(
      `[...document.querySelectorAll('.banner button')].find(each => each.textContent === 'Try now')?.click()`,
    )
    assert.equal(await live.count(), 1, 'live')
  }, BACK_MS)
}

/// What the page has said since it was asked to listen.
export interface Said {
  /// Resolves when it has said this, be it gone already.
  heard(what: RegExp): Promise<void>
}

/// Notes each banner, each notice and each state of the connection as it appears, so that no test has to catch it.
export async function listen(page: Page): Promise<Said> {
  await page.evaluate(`
    window.said = []
    const note = () => {
      const texts = [...document.querySelectorAll('.banner, .notice, .link[aria-label]')]
        .map(each => each.getAttribute('aria-label') ?? each.textContent)
      for (const text of texts) if (!window.said.includes(text)) window.said.push(text)
    }
    note()
    new MutationObserver(note).observe(document.body, {
      subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-label'],
    })
    undefined`)
  return {
    heard: what =>
      eventually(async () => {
        const said: readonly string[] = await page.evaluate('window.said')
        assert.ok(
          said.some(text => what.test(text)),
          `wanted ${what}, heard ${JSON.stringify(said)}`,
        )
      }, BACK_MS),
  }
}

export async function screenshot(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENSHOTS, { recursive: true })
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
}

/// Fails with what axe finds serious or critical.
export async function accessible(page: Page): Promise<void> {
  await page.evaluate(readFileSync(AXE, 'utf8'))
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html, failureSummary }) => id + ': ' + html + '\\n' + failureSummary)))`,
  )
  assert.deepEqual(found, [])
}

/// Nothing is wider than the screen.
export async function fits(page: Page): Promise<void> {
  const wider: unknown = await page.evaluate(
    `[...document.querySelectorAll('body *')]
      .filter(each => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('[data-scrolls]'))
      .slice(0, 5).map(each => each.outerHTML.slice(0, 120))`,
  )
  assert.deepEqual(wider, [])
}
