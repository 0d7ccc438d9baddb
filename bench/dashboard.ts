/// The dashboard in a real Chromium: how long frames take at 500 changed tokens a second, while 100,000 rows are scrolled through, and
/// whether its memory stays flat.
///
///   node dist/bench/dashboard.js [seconds] [tokens]
///
/// All changed tokens are among those that the page shows: the board follows a hundred, thirty more are pinned, and each change moves
/// a row. The server is another process, the browser some more; all share the machine's cores with whatever else is going on. So two
/// things are measured: the time from one callback of requestAnimationFrame to the next, which is what a reader sees here and now, and
/// the processor's time that each task of the page's main thread took, which is the page's own doing.

import { setTimeout as pause } from 'node:timers/promises'
import { type Browser, type CDPSession, chromium, type Page } from 'playwright-core'
import { CHROMIUM_FLAGS, chromium as chromiumPath } from '../tools/browser/chromium.js'
import { Checksum, report } from './report.js'
import { WebProcess } from './web-ipc.js'

const seconds = Number(process.argv[2] ?? 30)
const tokens = Number(process.argv[3] ?? 100_000)
const CHANGES_PER_SECOND = 500
/// The board follows a stretch of a hundred.
const CHANGING = 100
const PINNED = 30
const WARM_MS = 5000
const SCROLL_MS = 8000
/// Between two looks at the memory.
const LOOK_MS = 10_000
/// A trace grows with its length.
const TRACED_MS = 8000

/// Runs in the page: notes frames from now on.
const RECORD = `
  window.frames_ = { gaps: [], blank: 0, seen: 0 }
  let before = performance.now()
  const frame = now => { window.frames_.gaps.push(now - before); before = now; requestAnimationFrame(frame) }
  requestAnimationFrame(frame)
  undefined
`
/// Runs in the page: scrolls through all rows, some screens a frame, and looks whether rows are there.
const SCROLL = `
  new Promise(done => {
    const grid = document.querySelector('.grid')
    const began = performance.now()
    const way = grid.scrollHeight - grid.clientHeight
    let frame = 0
    const step = now => {
      const share = Math.min(1, (now - began) / ${SCROLL_MS})
      // At first as a wheel does, 3,000 px a second, then with the bar all the way down.
      grid.scrollTop = share < 0.5 ? (now - began) * 3 : way * ((share - 0.5) * 2)
      if (share < 0.5) {
        window.frames_.seen += document.querySelectorAll('.rows .row').length
        window.frames_.blank += document.querySelectorAll('.rows .row.blank').length
      }
      if (share < 1) requestAnimationFrame(step)
      else done(grid.scrollHeight)
    }
    requestAnimationFrame(step)
  })
`

interface Frames {
  readonly gaps: readonly number[]
  readonly blank: number
  readonly seen: number
}

interface Memory {
  readonly at: number
  readonly heapBytes: number
  readonly nodes: number
  readonly listeners: number
}

const sorted = (values: readonly number[]) => [...values].sort((a, b) => a - b)
const quantile = (values: readonly number[], share: number) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0

async function takeFrames(page: Page): Promise<Frames> {
  const frames: Frames = await page.evaluate(
    `(() => { const frames = window.frames_; window.frames_ = { gaps: [], blank: 0, seen: 0 }; return frames })()`,
  )
  return frames
}

/// After a collection of garbage, so that what is left is held by somebody.
async function memoryOf(devTools: CDPSession): Promise<Memory> {
  await devTools.send('HeapProfiler.collectGarbage')
  const { metrics } = await devTools.send('Performance.getMetrics')
  const of = (name: string) => metrics.find(metric => metric.name === name)?.value ?? 0
  return {
    at: performance.now(),
    heapBytes: of('JSHeapUsedSize'),
    nodes: of('Nodes'),
    listeners: of('JSEventListeners'),
  }
}

/// The processor's time in ms of each task of the page's main thread meanwhile, from the browser's own trace.
async function tasksOf(
  browser: Browser,
  page: Page,
  work: () => Promise<unknown>,
): Promise<readonly number[]> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] })
  await work()
  const trace: { traceEvents: readonly TraceEvent[] } = JSON.parse((await browser.stopTracing()).toString())
  const mains = trace.traceEvents.filter(
    ({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain',
  )
  const isMain = (event: TraceEvent) => mains.some(({ pid, tid }) => event.pid === pid && event.tid === tid)
  // Tasks within tasks are in the outer one.
  const outer = trace.traceEvents.filter(
    event => event.name === 'ThreadControllerImpl::RunTask' && isMain(event),
  )
  return outer.map(({ tdur = 0 }) => tdur / 1000)
}

interface TraceEvent {
  readonly name: string
  readonly pid: number
  readonly tid: number
  /// Microseconds of the processor.
  readonly tdur?: number
  readonly args?: { readonly name?: string }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/// Least squares, in bytes a minute.
function slope(looks: readonly Memory[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
  const minutes = looks.map(({ at }) => at / 60_000)
  const [x, y] = [mean(minutes), mean(looks.map(({ heapBytes }) => heapBytes))]
  const over = looks.reduce((sum, { heapBytes }, i) => sum + ((minutes[i] ?? 0) - x) * (heapBytes - y), 0)
  const under = minutes.reduce((sum, each) => sum + (each - x) ** 2, 0)
  return under === 0 ? 0 : over / under
}

const executablePath = chromiumPath()
if (executablePath === null) throw new Error('there is no chromium on the path')
const server = await WebProcess.start()
const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS] })
try {
  await server.ask({ do: 'fill', tokens })
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } })
  const pins = Array.from({ length: PINNED }, (_, i) => `t${i}`)
  await context.addInitScript(`localStorage.setItem('volumer.pins', ${JSON.stringify(JSON.stringify(pins))})`)
  const page = await context.newPage()
  const devTools = await context.newCDPSession(page)
  await devTools.send('Performance.enable')
  await page.goto(`http://127.0.0.1:${server.port}/`)
  await page.locator('.rows .row[data-token]').first().waitFor()
  // The changed tokens rise to the top, since their volume is that of later versions.
  await server.ask({ do: 'trade', tokens: CHANGING, perSecond: CHANGES_PER_SECOND })
  await pause(WARM_MS)
  await page.evaluate(RECORD)

  const looks = [await memoryOf(devTools)]
  await takeFrames(page)
  const gaps: number[] = []
  const began = performance.now()
  while (performance.now() - began < seconds * 1000) {
    await pause(Math.min(LOOK_MS, began + seconds * 1000 - performance.now()))
    const frames = await takeFrames(page)
    gaps.push(...frames.gaps)
    looks.push(await memoryOf(devTools))
    // The collection of garbage is ours, not the page's.
    await takeFrames(page)
    if (gaps.length > 1_000_000) gaps.splice(0, 500_000)
  }
  const busy = await tasksOf(browser, page, () => pause(TRACED_MS))
  let height = 0
  await takeFrames(page)
  const scrolled = await tasksOf(browser, page, async () => {
    height = await page.evaluate(SCROLL)
  })
  const scroll = await takeFrames(page)

  const [first] = looks
  const last = looks.at(-1)
  if (first === undefined || last === undefined) throw new Error('no look at the memory')
  const checksum = new Checksum()
  checksum.add(Math.round(height))
  report({
    name: 'dashboard',
    measures: [
      { what: `frames at ${CHANGES_PER_SECOND} changed tokens/s`, value: gaps.length, unit: '' },
      { what: 'frame to frame, p50', value: quantile(gaps, 0.5), unit: 'ms' },
      { what: 'frame to frame, p99', value: quantile(gaps, 0.99), unit: 'ms' },
      { what: 'frame to frame, longest', value: Math.max(...gaps.slice(-100_000)), unit: 'ms' },
      {
        what: 'processor time of a task, longest',
        value: Math.max(...busy),
        unit: 'ms',
        target: { value: 50, atLeast: false },
      },
      {
        what: 'the same, p99 of those over 1 ms',
        value: quantile(
          busy.filter(ms => ms > 1),
          0.99,
        ),
        unit: 'ms',
      },
      { what: 'main thread, of one core', value: (100 * sum(busy)) / TRACED_MS, unit: '%' },
      {
        what: `scrolling ${tokens} rows: frame to frame, p50`,
        value: quantile(scroll.gaps, 0.5),
        unit: 'ms',
      },
      { what: 'scrolling: frame to frame, p99', value: quantile(scroll.gaps, 0.99), unit: 'ms' },
      {
        what: 'scrolling: processor time of a task, longest',
        value: Math.max(...scrolled),
        unit: 'ms',
        target: { value: 50, atLeast: false },
      },
      {
        what: 'scrolling: rows not there yet, by the wheel',
        value: (100 * scroll.blank) / Math.max(1, scroll.seen),
        unit: '%',
      },
      { what: 'heap of the page at first', value: first.heapBytes / 2 ** 20, unit: 'MiB' },
      {
        what: `heap after ${Math.round((last.at - first.at) / 1000)} s`,
        value: last.heapBytes / 2 ** 20,
        unit: 'MiB',
      },
      { what: 'growth of the heap', value: slope(looks.slice(1)) / 1024, unit: 'KiB/min' },
      { what: 'elements at first', value: first.nodes, unit: '' },
      { what: 'elements at last', value: last.nodes, unit: '' },
      { what: 'listeners at last, beyond those at first', value: last.listeners - first.listeners, unit: '' },
    ],
    checksum: checksum.toString(),
    notes: [`${tokens} tokens, ${CHANGING} of them change, ${PINNED} are pinned`],
  })
} finally {
  await browser.close()
  server.stop()
}
