/// The server of the web benchmarks, in a process of its own: a web role over a feed in memory, whose statistics are made up.
/// Its parent tells it over IPC what to publish, and asks what that cost.

import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import { readDashboard } from '../src/adapters/file/dashboard.js'
import { MemoryDeadLetters } from '../src/adapters/memory/dead-letters.js'
import { NoTokenQueries } from '../src/adapters/memory/no-token-queries.js'
import { MemoryStatsFeed } from '../src/adapters/memory/stats-feed.js'
import { MemoryTradeFeed } from '../src/adapters/memory/trade-feed.js'
import { MemoryTradeLog } from '../src/adapters/memory/trade-log.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { systemStopwatch } from '../src/adapters/system/stopwatch.js'
import { nextTurn } from '../src/adapters/system/turn.js'
import type { StatsUpdate } from '../src/core/stats.js'
import { FIELDS_PER_WINDOW, Field } from '../src/core/stats.js'
import { epochMs, offset, tick } from '../src/core/units.js'
import { DEFAULT_WINDOWS, parseWindows } from '../src/core/windows.js'
import { DEFAULT_WEB_LIMITS } from '../src/delivery/limits.js'
import { ServerMetrics } from '../src/delivery/metrics/server-metrics.js'
import { PartitionTable } from '../src/delivery/partition-table.js'
import type { StatusReport } from '../src/delivery/wire/status.js'
import { type Web, web } from '../src/roles/web.js'
import type { Asked, Cost } from './web-ipc.js'

const parsed = parseWindows(DEFAULT_WINDOWS)
if ('wrong' in parsed) throw new Error('no windows')
const { windows } = parsed
const clock = new SystemClock()
const feed = new MemoryStatsFeed()
let version = 0

/// As many digits as a traded token has; each version differs from the one before.
function statistics(token: string): StatsUpdate {
  version++
  const cells = new Float64Array(windows.length * FIELDS_PER_WINDOW)
  for (let w = 0; w < windows.length; w++) {
    const at = w * FIELDS_PER_WINDOW
    cells[at + Field.BUY_USD] = 123_456_789_012 + ((version * 7919 + w * 31) % 1e11)
    cells[at + Field.SELL_USD] = 99_456_789_012 + w
    cells[at + Field.AMOUNT_0] = 123_456_789
    cells[at + Field.AMOUNT_1] = 987_654_321
    cells[at + Field.AMOUNT_2] = 1000 + (version % 997)
    cells[at + Field.BUYS] = 1000 + (version % 500)
    cells[at + Field.SELLS] = 900
    cells[at + Field.BUYERS] = 800
    cells[at + Field.SELLERS] = 700
    cells[at + Field.TRADERS] = 1200 + (version % 100)
    cells[at + Field.OPEN] = 84_040.448_956_74
    cells[at + Field.HIGH] = 84_100.1
    cells[at + Field.LOW] = 84_000.25
    cells[at + Field.CLOSE] = 84_040 + (version % 1000) / 7
    cells[at + Field.LARGEST_USD] = 165_664_154_523
  }
  const now = clock.now()
  return {
    partition: 0,
    offset: offset(version),
    tick: tick(Math.floor(now / 1000)),
    token,
    asOf: epochMs(Math.floor(now / 1000) * 1000),
    price: 84_040 + (version % 1000) / 7,
    firstSeen: epochMs(now - 80_000_000),
    lastSeen: now,
    cells,
    rolledAt: now,
  }
}

/// For pages, which follow it. What a feed in memory does not have is null.
function made(): StatusReport {
  const now = clock.now()
  return {
    version: '0',
    instance: 'bench',
    startedAt: now,
    now,
    ready: true,
    reason: null,
    percent: null,
    tokens: role.tokens(),
    fates: null,
    rates: { appendedPerSecond: null, rolledPerSecond: null, updatesPerSecond: null },
    partitions: [],
    delay: null,
    clients: role.clients(),
    archive: null,
    storage: {
      tradeLogBytes: null,
      stateBytes: null,
      deadLetterBytes: null,
      deadLettersStored: null,
      deadLettersDropped: null,
    },
    memory: { rssBytes: process.memoryUsage().rss, heapUsedBytes: 0 },
  }
}

const role: Web = web({
  archivesHere: true,
  feed,
  serves: true,
  partitions: new PartitionTable(),
  elsewhere: () => [],
  log: new MemoryTradeLog({ clock }),
  deadLetters: new MemoryDeadLetters({ sizeBytesMax: 1e6 }),
  archive: null,
  peers: null,
  trades: new MemoryTradeFeed(),
  queries: new NoTokenQueries({ resolutionMs: 1000, retentionMs: 86_400_000 }),
  dashboard: await readDashboard(fileURLToPath(new URL('../dashboard', import.meta.url))),
  clock,
  nextTurn,
  windows,
  limits: { ...DEFAULT_WEB_LIMITS, connectionsMax: 30_000, clientsMax: 20_000, requestsPerSecond: 1000 },
  metrics: new ServerMetrics(systemStopwatch),
  version: '0',
  keys: null,
  corsOrigins: [],
  trustProxy: false,
  readiness: () => ({ ready: true }),
  status: made,
  onError: error => console.error(error),
})
const empty = fastify({ logger: false })
empty.get('/', () => ({ hello: 'world' }))
/// What an answer of that size costs anybody.
const constant = Buffer.from(JSON.stringify('x'.repeat(4000)))
empty.get('/4k', (_request, reply) => reply.type('application/json; charset=utf-8').send(constant))

let cpu = process.cpuUsage()
let cancel = () => {}

function cost(): Cost {
  const used = process.cpuUsage(cpu)
  const { messagesSent, updatesConflated } = role.clients()
  const rssBytes = process.memoryUsage().rss
  cpu = process.cpuUsage()
  return { cpuMs: (used.user + used.system) / 1000, rssBytes, messagesSent, updatesConflated }
}

async function fill(tokens: number): Promise<void> {
  for (let i = 0; i < tokens; i += 1000) {
    feed.publish(Array.from({ length: Math.min(1000, tokens - i) }, (_, k) => statistics(`t${i + k}`)))
    await nextTurn()
  }
}

/// One update a swap, `perSecond` of them, spread over each second.
function trade(tokens: number, perSecond: number): void {
  const began = performance.now()
  let done = 0
  const step = () => {
    const due = ((performance.now() - began) / 1000) * perSecond
    for (; done < due; done++) feed.publish([statistics(`t${(done * 7919) % tokens}`)])
    cancel = clock.at(epochMs(clock.now() + 1), step)
  }
  step()
}

/// Batches of all tokens as fast as they can be sent, for so long.
async function saturate(tokens: number, ms: number): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until) {
    feed.publish(Array.from({ length: tokens }, (_, i) => statistics(`t${i}`)))
    // A sender that does not wait for its readers measures how it conflates.
    do await nextTurn()
    while (role.clients().unsentBytes > 4_000_000 && performance.now() < until)
  }
}

process.on('message', async (asked: Asked) => {
  switch (asked.do) {
    case 'fill':
      await fill(asked.tokens)
      break
    case 'trade':
      trade(asked.tokens, asked.perSecond)
      break
    case 'rest':
      cancel()
      break
    case 'saturate':
      await saturate(asked.tokens, asked.ms)
      break
    case 'collect':
      Reflect.get(globalThis, 'gc')?.()
      break
    case 'cost':
      break
    default:
      asked satisfies never
  }
  process.send?.(cost())
})

const { port } = await role.listen('127.0.0.1', 0)
await empty.listen({ host: '127.0.0.1', port: 0 })
const address = empty.server.address()
process.send?.({ port, emptyPort: address !== null && typeof address === 'object' ? address.port : 0 })
process.on('disconnect', () => process.exit(0))
