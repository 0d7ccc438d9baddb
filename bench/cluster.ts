/// A cluster on Kafka, the broker on the same cores: how fast instances roll what is in `trades` into `rolls` and `stats`, alone and
/// several together, and how long a restore from `rolls` takes on an empty disk.
///
///   node dist/bench/cluster.js [swaps]
///
/// Each instance is a process of its own. All share this machine's cores with the broker, so more instances show what sharing costs
/// here, and not what more machines would bring.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { KafkaCluster } from '../src/adapters/kafka/cluster.js'
import { NO_SECURITY } from '../src/adapters/kafka/security.js'
import { topicNames, topicSpecs } from '../src/adapters/kafka/topic-specs.js'
import { ensureTopics } from '../src/adapters/kafka/topics.js'
import { KafkaTradeLog } from '../src/adapters/kafka/trade-log.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { Server } from '../test/integration/server.js'
import { TestCluster } from '../tools/kafka/cluster.js'
import { swapsOf } from './load.js'
import { Checksum, type Measure, report } from './report.js'

const swaps = Number(process.argv[2] ?? 1_000_000)
const PARTITIONS = 12
const PER_APPEND = 1000
const INSTANCES = [1, 2, 4]

const directory = mkdtempSync(join(tmpdir(), 'volumer-bench-cluster-'))
const brokers = await TestCluster.start({ directory, brokers: 1 })
const clock = new SystemClock()
const cluster = await KafkaCluster.open({
  brokers: [{ host: '127.0.0.1', port: brokers.ports[0]?.broker ?? 0 }],
  security: NO_SECURITY,
  clock,
  clientId: 'bench',
  say: console.error,
})

async function makeTopics(prefix: string): Promise<void> {
  const plan = { prefix, replica: 'a', partitions: PARTITIONS, retentionMs: 86_400_000 }
  await ensureTopics(cluster, topicSpecs({ ...plan, deadLettersMaxBytes: 2 ** 28, replication: 1 }), 1)
}

async function fill(prefix: string): Promise<void> {
  const log = await KafkaTradeLog.open({ cluster, topic: topicNames(prefix, 'a').trades })
  const generator = swapsOf(1)
  const now = Date.now()
  for (let i = 0; i < swaps; i += PER_APPEND) await log.append([generator.next(now + i / 1000, PER_APPEND)])
  await log.close()
}

interface Status {
  readonly fates: { readonly accepted: number; readonly duplicate: number } | null
  readonly partitions: readonly { readonly state: string; readonly rolled: number | null }[]
}

async function statusOf(server: Server): Promise<Status> {
  return JSON.parse(await (await fetch(`${server.url}/v1/status`)).text())
}

interface Rolled {
  /// Accepted and duplicate.
  readonly swaps: number
  readonly accepted: number
  /// Swaps a second between the first look that saw some, and the last one.
  readonly sustained: number
}

/// Resolves when every partition is live on one of them.
async function live(servers: readonly Server[]): Promise<Rolled> {
  const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0)
  let first: { readonly at: number; readonly swaps: number } | null = null
  for (;;) {
    const all = await Promise.all(servers.map(statusOf))
    const at = performance.now()
    const accepted = sum(all.map(({ fates }) => fates?.accepted ?? 0))
    const swaps = accepted + sum(all.map(({ fates }) => fates?.duplicate ?? 0))
    if (first === null && swaps > 0) first = { at, swaps }
    const liveOnes = all.flatMap(({ partitions }) => partitions.filter(({ state }) => state === 'live'))
    if (liveOnes.length >= PARTITIONS) {
      const since = first ?? { at, swaps }
      return { swaps, accepted, sustained: ((swaps - since.swaps) / (at - since.at)) * 1000 }
    }
    await pause(20)
  }
}

async function stop(servers: readonly Server[]): Promise<void> {
  for (const server of servers) server.signal('SIGTERM')
  await Promise.all(servers.map(({ exited }) => exited))
}

const measures: Measure[] = []
const checksum = new Checksum()
for (const instances of INSTANCES) {
  const prefix = `i${instances}.`
  const homes = Array.from({ length: instances }, (_, i) => join(directory, `${prefix}${i}`))
  const kafka = ['--kafka', brokers.bootstrap(), '--kafka-prefix', prefix, '--roles', 'roller']
  const start = () => Promise.all(homes.map(home => Server.start(directory, ['--data', home, ...kafka])))
  // Once before there is anything: who finds swaps and no state looks through all of them for some that lie in another's partition.
  await makeTopics(prefix)
  const before = await start()
  await live(before)
  await stop(before)
  await fill(prefix)
  const began = performance.now()
  const servers = await start()
  const rolled = await live(servers)
  checksum.add(rolled.accepted)
  const seconds = (performance.now() - began) / 1000
  measures.push({
    what: `${instances} instances: trades → rolls and stats, sustained`,
    value: rolled.sustained,
    unit: 'swaps/s',
    ...(instances === 1 ? { target: { value: 200_000, atLeast: true } } : {}),
  })
  measures.push({ what: 'the same, start included', value: swaps / seconds, unit: 'swaps/s' })
  await stop(servers)
  if (instances === 1) {
    for (const home of homes) rmSync(home, { recursive: true, force: true })
    const again = performance.now()
    const restored = await start()
    await live(restored)
    const restoreSeconds = (performance.now() - again) / 1000
    measures.push({
      what: 'restore from rolls on an empty disk, start included',
      value: (restoreSeconds * 1_000_000) / swaps,
      unit: 's/million',
    })
    for (const server of restored) await server.kill()
  }
}
report({
  name: 'cluster',
  measures,
  checksum: checksum.toString(),
  notes: [`${swaps.toLocaleString('en')} swaps of 302 bytes; the broker and all instances share the cores`],
})
await cluster.close()
await brokers.close()
rmSync(directory, { recursive: true, force: true })
