/// Two replica sets: one of them is killed while a client watches, in turn. The client sees no pause and no step back.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Random, testSeed } from '../simulation/random.js'
import { sharedBroker } from './broker.js'
import { freshPrefix } from './connect.js'
import { Fleet, type Place } from './fleet/fleet.js'
import { Watching } from './fleet/watching.js'

const broker = await sharedBroker()
const ROUNDS = Number(process.env.VOLUMER_CHAOS_ROUNDS ?? 1)
const WATCH_MS = 6000
const GAP_MS_MAX = 250
const SWAP_EACH_MS = 20
/// None of the ledger's.
const WATCHED = 'WATCHED'

test('a replica set that is killed while a client watches leaves no gap', {
  timeout: 300_000 + ROUNDS * 120_000,
}, async t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const prefix = freshPrefix()
  const fleet = new Fleet(t, broker.plaintext, new Random(seed))
  const common = ['--kafka-prefix', prefix]
  const sets = [await fleet.roller(...common), await fleet.roller(...common, '--replica', 'b')]
  const web = await fleet.web(...common)
  await fleet.ready()
  await fleet.settled()

  const watching = await Watching.token(t, web.server.url, WATCHED)
  const abort = new AbortController()
  const trading = trade(web.server.url, abort.signal)
  try {
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const place = sets[round % 2]
      assert.ok(place)
      await killedWithoutGap(t, fleet, watching, place)
    }
  } finally {
    abort.abort()
    await trading
  }
  assert.deepEqual(watching.goneBack(), [])
  assert.deepEqual(watching.complaints, [])
  assert.ok(watching.heard.length > 100, `${watching.heard.length} updates`)

  await fleet.underLoad(() => pause(1000))
  await fleet.agree('the replica sets were killed in turn')
})

/// Kills the set and starts it again.
async function killedWithoutGap(
  t: TestContext,
  fleet: Fleet,
  watching: Watching,
  place: Place,
): Promise<void> {
  const calm = performance.now()
  await pause(WATCH_MS)
  // What this machine and its other work cost: pauses that nobody's death explains.
  const calmGapMs = watching.longestGapMs(calm, performance.now())
  const killed = performance.now()
  await place.server.kill()
  await pause(WATCH_MS)
  const gapMs = watching.longestGapMs(killed, performance.now())
  t.diagnostic(`${place.name} killed: longest gap ${gapMs.toFixed()} ms, in calm ${calmGapMs.toFixed()} ms`)
  assert.ok(
    gapMs <= Math.max(GAP_MS_MAX, 2 * calmGapMs),
    `${gapMs} ms without an update, ${calmGapMs} ms in calm\n${fleet.output()}`,
  )
  await fleet.restart(place)
  await fleet.settled()
}

/// Posts a swap of the token every few milliseconds.
async function trade(url: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    const swap = { id: `w${i}`, time: Date.now(), who: `t${i % 50}`, token: WATCHED, side: 'buy' }
    const posted = await fetch(`${url}/v1/trades`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: `${JSON.stringify({ ...swap, amount: '1', usd: '1' })}\n`,
    })
    assert.equal(posted.status, 200, await posted.text())
    await pause(SWAP_EACH_MS)
  }
}
