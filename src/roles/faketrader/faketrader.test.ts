import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../adapters/memory/clock.js'
import { MemoryTradeLog } from '../../adapters/memory/trade-log.js'
import { epochMs, offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { LogFullError } from '../../ports/errors.js'
import type { Appended, TradeLog } from '../../ports/trade-log.js'
import { Faketrader, TICK_MS } from './faketrader.js'
import { SwapGenerator } from './generator.js'

const START_MS = 1_790_000_000_000

/// A memory log whose appends the test can hold up or let fail.
function setup(tradesPerSecond: number) {
  const manual = new ManualClock(START_MS)
  let sleptMs = 0
  // The machine's clock, which goes on while the process sleeps.
  const clock: Clock = {
    now: () => epochMs(manual.now() + sleptMs),
    at: (at, wake) => manual.at(epochMs(at - sleptMs), wake),
  }
  const memory = new MemoryTradeLog({ clock })
  const said: string[] = []
  const failures: unknown[] = []
  let inFlight = 0
  let inFlightMax = 0
  let gate: Promise<void> | null = null
  let error: Error | null = null
  const log: Pick<TradeLog, 'append'> = {
    async append(pieces): Promise<readonly Appended[]> {
      inFlight++
      inFlightMax = Math.max(inFlightMax, inFlight)
      try {
        if (gate !== null) await gate
        if (error !== null) throw error
        return await memory.append(pieces)
      } finally {
        inFlight--
      }
    },
  }
  const generator = new SwapGenerator({ seed: 1, tokens: 10, traders: 10, duplicates: 0, late: 0 })
  const faketrader = new Faketrader({
    generator,
    log,
    clock,
    tradesPerSecond,
    say: message => said.push(message),
    fail: failure => failures.push(failure),
  })
  const run = async (ms: number) => {
    for (let t = 0; t < ms; t += TICK_MS) {
      manual.advance(TICK_MS)
      // Appends resolve in turns of the microtask queue.
      await new Promise<void>(resolve => setImmediate(resolve))
    }
  }
  return {
    sleep(ms: number) {
      sleptMs += ms
    },
    faketrader,
    run,
    said,
    failures,
    end: () => memory.bounds(0).end,
    inFlightMax: () => inFlightMax,
    hold(until: Promise<void> | null) {
      gate = until
    },
    failWith(failure: Error | null) {
      error = failure
    },
  }
}

test('appends at the rate asked for', async () => {
  const { faketrader, run, end } = setup(1000)
  faketrader.start()
  await run(2000)
  await faketrader.stop()
  assert.ok(Math.abs(end() - 2000) <= 10, `${end()} swaps in two seconds`)
  assert.equal(faketrader.appended, end())
})

test('a rate below one a tick is kept too', async () => {
  const { faketrader, run, end } = setup(3)
  faketrader.start()
  await run(4000)
  await faketrader.stop()
  assert.ok(end() >= 11 && end() <= 12, `${end()} swaps in four seconds`)
})

test('after a stall it catches up without a burst, and forgets what is older than a second', async () => {
  const { sleep, faketrader, run, end } = setup(1000)
  faketrader.start()
  await run(1000)
  const before = end()
  sleep(60_000)
  await run(TICK_MS)
  assert.ok(end() - before <= 4 * TICK_MS, `${end() - before} swaps at once`)
  await run(5000)
  await faketrader.stop()
  assert.ok(end() - before <= 6100, `${end() - before} swaps in five seconds after the stall`)
})

test('a slow log bounds what is under way, and stopping waits for it', async () => {
  const { faketrader, run, end, hold, inFlightMax } = setup(1000)
  let release = () => {}
  hold(
    new Promise(resolve => {
      release = resolve
    }),
  )
  faketrader.start()
  await run(3000)
  assert.equal(end(), 0)
  assert.ok(inFlightMax() <= 8, `${inFlightMax()} appends under way`)
  let stopped = false
  const stopping = faketrader.stop().then(() => {
    stopped = true
  })
  await run(50)
  assert.equal(stopped, false)
  release()
  await stopping
  assert.ok(end() > 0)
  assert.equal(faketrader.appended, end())
})

test('a full log is said once, waited for, and nothing generated is lost', async () => {
  const { faketrader, run, end, failWith, said } = setup(1000)
  failWith(new LogFullError('the trade log is full', 1))
  faketrader.start()
  await run(3000)
  assert.deepEqual(said, ['faketrader waits: the trade log is full'])
  assert.equal(end(), offset(0))
  failWith(null)
  await run(3000)
  await faketrader.stop()
  assert.deepEqual(said.slice(1), ['faketrader goes on: the trade log takes swaps again'])
  assert.ok(end() > 1000)
})

test('a log that fails for good is reported once', async () => {
  const { faketrader, run, failWith, failures } = setup(1000)
  const failure = new Error('the disk is gone')
  failWith(failure)
  faketrader.start()
  await run(100)
  await faketrader.stop()
  assert.deepEqual(failures, [failure])
})
