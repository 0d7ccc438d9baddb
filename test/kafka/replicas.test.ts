/// Two replica sets: one of them is killed while a client watches, in turn. The client sees no pause and no step back, and the
/// sets have written the same bytes for the same versions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { Fetcher } from '../../src/adapters/kafka/fetcher.js'
import { lookUpBounds } from '../../src/adapters/kafka/offsets.js'
import { readRecords, recordValue } from '../../src/adapters/kafka/record-batch.js'
import { isReport } from '../../src/adapters/kafka/report-record.js'
import { Random, testSeed } from '../simulation/random.js'
import { sharedBroker } from './broker.js'
import { connect, freshPrefix } from './connect.js'
import { Fleet } from './fleet/fleet.js'
import { Watching } from './fleet/watching.js'

const broker = await sharedBroker()
const ROUNDS = Number(process.env.VOLUMER_CHAOS_ROUNDS ?? 1)
const WATCH_MS = 6000
const GAP_MS_MAX = 250
const SWAP_EACH_MS = 20
/// None of the ledger's.
const WATCHED = 'WATCHED'

test('a replica set that is killed leaves no gap, and sets write the same bytes for the same versions', {
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
    const calm = performance.now()
    await pause(WATCH_MS)
    // What this machine and its other work cost: pauses that nobody's death explains.
    const calmGapMs = watching.longestGapMs(calm + 1000, performance.now())
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const place = sets[round % 2]
      assert.ok(place)
      const killed = performance.now()
      await place.server.kill()
      await pause(WATCH_MS)
      const gapMs = watching.longestGapMs(killed, performance.now())
      t.diagnostic(`longest gap ${gapMs.toFixed()} ms, in calm ${calmGapMs.toFixed()} ms`)
      assert.ok(
        gapMs <= Math.max(GAP_MS_MAX, 2 * calmGapMs),
        `${gapMs} ms without an update, ${calmGapMs} ms in calm`,
      )
      await fleet.restart(place)
      await fleet.settled()
    }
  } finally {
    abort.abort()
    await trading
  }
  assert.deepEqual(watching.goneBack(), [])
  assert.deepEqual(watching.complaints, [])
  assert.ok(watching.heard.length > 100, `${watching.heard.length} updates`)

  await fleet.underLoad(() => pause(3000))
  await fleet.agree('the replica sets were killed in turn')
  for (const { server } of sets) server.signal('SIGTERM')
  await Promise.all(sets.map(({ server }) => server.exited))
  const { cluster } = await connect(t, broker.plaintext)
  const { versions, twice, different } = await writtenVersions(cluster, `${prefix}stats`)
  t.diagnostic(`${versions} versions in topic stats, ${twice} of them from both sets`)
  assert.deepEqual(different, [])
  assert.ok(twice > 100, `only ${twice} of ${versions} versions were written by both`)
})

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

/// The header of a record: format, partition, offset and tick (docs/formats/kafka-topics.md).
const versionOf = (value: Buffer): string =>
  [value.readInt32LE(8), value.readDoubleLE(12), value.readDoubleLE(20)].join(':')

/// All updates of the topic: those that came more than once, and those that came with other bytes.
async function writtenVersions(cluster: Awaited<ReturnType<typeof connect>>['cluster'], topic: string) {
  await cluster.watch(topic)
  const partitions = Array.from({ length: cluster.topic(topic)?.leaders.length ?? 0 }, (_, i) => i)
  const bounds = await lookUpBounds(cluster, topic, partitions)
  const fetcher = new Fetcher(cluster)
  const written = new Map<string, Buffer>()
  const twice = new Set<string>()
  const different: string[] = []
  for (const [partition, { first, end }] of bounds) {
    const reader = fetcher.read(topic, partition, first)
    for (let next = first; next < end; ) {
      const fetched = await reader.read()
      assert.ok(fetched !== null)
      next = fetched.next
      if (fetched.batch === null) continue
      const columns = readRecords(fetched.batch)
      for (let i = 0; i < columns.count; i++) {
        const value = recordValue(columns, i)
        if (isReport(columns, i) || value.length === 0) continue
        const keyAt = columns.keyAt[i] ?? 0
        const key = columns.bytes.toString('utf8', keyAt, keyAt + (columns.keyLength[i] ?? 0))
        const version = `${key} ${versionOf(value)}`
        const known = written.get(version)
        if (known === undefined) written.set(version, Buffer.from(value))
        else if (!known.equals(value)) different.push(version)
        else twice.add(version)
      }
    }
    reader.end()
  }
  await fetcher.close()
  return { versions: written.size, twice: twice.size, different }
}
