/// A producer over HTTP: posts batches, again and again until they are acknowledged, and compares what is served
/// with its ledger.

import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../simulation/random.js'
import type { Batch, Day, Ledger } from './ledger.js'
import type { Server } from './server.js'

/// Posts a batch once. True when it was acknowledged; false when the server was not there, broke off or is full.
export async function post(server: Server, ledger: Ledger, batch: Batch): Promise<boolean> {
  let response: Response
  let text: string
  try {
    response = await fetch(`${server.url}/v1/trades`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: batch.body,
      signal: AbortSignal.timeout(10_000),
    })
    text = await response.text()
  } catch {
    return false
  }
  if (response.status === 429 || response.status === 503) {
    assert.ok(response.headers.get('retry-after') !== null, 'a refusal for now says when to come back')
    return false
  }
  assert.equal(response.status, 200, text)
  const { appended, invalid }: { appended: unknown; invalid: unknown } = JSON.parse(text)
  assert.deepEqual({ appended, invalid }, { appended: batch.swaps.length, invalid: [] })
  ledger.acknowledge(batch)
  return true
}

/// Posts new batches, and some old ones again, from several connections, until the server is gone or `signal` aborts.
export async function load(
  server: Server,
  ledger: Ledger,
  random: Random,
  signal: AbortSignal,
): Promise<void> {
  const acknowledged: Batch[] = []
  const producer = async (): Promise<void> => {
    while (server.running && !signal.aborted) {
      const again = random.chance(0.2) && acknowledged.length > 0
      const batch = again ? random.pick(acknowledged) : ledger.newBatch(Date.now())
      if (await post(server, ledger, batch)) acknowledged.push(batch)
      else await pause(5)
    }
  }
  await Promise.all([producer(), producer(), producer()])
}

/// The same by whichever of several servers answers, at up to so many swaps a second, until `signal` aborts.
export async function loadAny(
  servers: () => readonly Server[],
  ledger: Ledger,
  random: Random,
  perSecond: number,
  signal: AbortSignal,
): Promise<void> {
  const acknowledged: Batch[] = []
  const began = Date.now()
  let sent = 0
  const producer = async (): Promise<void> => {
    while (!signal.aborted) {
      const running = servers()
      if (running.length === 0) {
        await pause(5)
        continue
      }
      const again = random.chance(0.1) && acknowledged.length > 0
      const batch = again ? random.pick(acknowledged) : ledger.newBatch(Date.now())
      sent += batch.swaps.length
      const server = random.pick(running)
      if (await post(server, ledger, batch)) acknowledged.push(batch)
      const aheadMs = (sent * 1000) / perSecond - (Date.now() - began)
      await pause(Math.max(5, Math.min(1000, aheadMs)))
    }
  }
  await Promise.all([producer(), producer(), producer()])
}

/// Posts everything that has no acknowledgement until it has.
export async function settle(server: Server, ledger: Ledger, limitMs = 60_000): Promise<void> {
  const deadline = Date.now() + limitMs
  for (const batch of [...ledger.unacknowledged]) {
    while (!(await post(server, ledger, batch))) {
      assert.ok(server.running, `the server is gone:\n${server.output}`)
      const left = `${ledger.unacknowledged.size} batches are not acknowledged after ${limitMs} ms`
      assert.ok(Date.now() < deadline, `${left}:\n${server.output.slice(-2000)}`)
      await pause(20)
    }
  }
}

/// Waits until the server serves exactly what the ledger says. More than that at any time is a double count.
export async function serves(server: Server, ledger: Ledger, limitMs = 15_000): Promise<void> {
  const deadline = Date.now() + limitMs
  for (const token of ledger.tokens) {
    for (;;) {
      const expected = ledger.day(token)
      const served = servedDay(await server.token(token))
      if (JSON.stringify(served) === JSON.stringify(expected)) break
      const tooMuch = (served?.txns.total ?? 0) > (expected?.txns.total ?? 0)
      assert.ok(!tooMuch && Date.now() < deadline, explain(token, served, expected, server))
      await pause(20)
    }
  }
}

/// What the server serves must be right at once: for a server that said that it is ready.
export async function servesAtOnce(server: Server, ledger: Ledger): Promise<void> {
  for (const token of ledger.tokens) {
    const expected = ledger.day(token)
    const served = servedDay(await server.token(token))
    assert.deepEqual(served, expected, explain(token, served, expected, server))
  }
}

/// After a restart: everything acknowledged is there, at once, and nothing that was never sent.
export async function servesAcknowledged(server: Server, ledger: Ledger): Promise<void> {
  const maybe = new Map<string, number>()
  for (const batch of ledger.unacknowledged) {
    for (const { token } of batch.swaps) maybe.set(token, (maybe.get(token) ?? 0) + 1)
  }
  for (const token of ledger.tokens) {
    const expected = ledger.day(token)
    const served = servedDay(await server.token(token))
    const least = expected?.txns.total ?? 0
    const total = served?.txns.total ?? 0
    assert.ok(total >= least, `lost after the restart: ${explain(token, served, expected, server)}`)
    const most = least + (maybe.get(token) ?? 0)
    assert.ok(total <= most, `counted twice after the restart: ${explain(token, served, expected, server)}`)
  }
}

/// The day's statistics out of a token's; null when there are none.
export function servedDay(body: unknown): Day | null {
  if (body === null || typeof body !== 'object') return null
  const day = (field: string): unknown => Reflect.get(Object(Reflect.get(body, field)), 'h24')
  const counts: unknown = day('txns')
  const count = (name: string): number => Number(Reflect.get(Object(counts), name))
  const largest = day('largestTrade')
  return {
    volume: String(day('volume')),
    buyVolume: String(day('buyVolume')),
    sellVolume: String(day('sellVolume')),
    amount: String(day('amount')),
    txns: {
      buys: count('buys'),
      sells: count('sells'),
      total: count('total'),
      buyers: count('buyers'),
      sellers: count('sellers'),
      traders: count('traders'),
    },
    largestTrade: largest === null ? null : String(largest),
  }
}

function explain(token: string, served: Day | null, expected: Day | null, server: Server): string {
  return [
    `token ${token}`,
    `  served:   ${JSON.stringify(served)}`,
    `  expected: ${JSON.stringify(expected)}`,
    `  server:   ${server.output.slice(-2000)}`,
  ].join('\n')
}
