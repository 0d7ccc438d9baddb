/// A web role on a free port over memory adapters, with a clock that the test moves, and clients to talk to it.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryDeadLetters } from '../../src/adapters/memory/dead-letters.js'
import { NoTokenQueries } from '../../src/adapters/memory/no-token-queries.js'
import { MemoryStatsFeed } from '../../src/adapters/memory/stats-feed.js'
import { MemoryTradeFeed } from '../../src/adapters/memory/trade-feed.js'
import { MemoryTradeLog } from '../../src/adapters/memory/trade-log.js'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import type { QuestionRoutesOptions } from '../../src/delivery/http/question-routes.js'
import { DEFAULT_WEB_LIMITS, type WebLimits } from '../../src/delivery/limits.js'
import { ServerMetrics } from '../../src/delivery/metrics/server-metrics.js'
import { PartitionTable } from '../../src/delivery/partition-table.js'
import type { Readiness, StatusReport } from '../../src/delivery/wire/status.js'
import type { ApiKeys } from '../../src/ports/api-keys.js'
import type { Dashboard } from '../../src/ports/dashboard.js'
import type { DeadLetter, DeadLetters } from '../../src/ports/dead-letters.js'
import type { TokenQueries } from '../../src/ports/token-queries.js'
import type { TradeArchive } from '../../src/ports/trade-archive.js'
import type { TradeLog } from '../../src/ports/trade-log.js'
import { type Web, web } from '../../src/roles/web.js'
import { until } from '../wait/eventually.js'
import { THREE_WINDOWS } from './token-stats.js'

export const START = 1_790_000_000_000

export interface Setting {
  readonly limits?: Partial<WebLimits>
  readonly log?: TradeLog
  readonly partitions?: number
  readonly archive?: TradeArchive
  /// Nobody can be asked unless given.
  readonly queries?: TokenQueries
  readonly peers?: QuestionRoutesOptions['peers']
  readonly dashboard?: Dashboard
  /// As if another process archived.
  readonly archivedElsewhere?: boolean
  readonly keys?: ApiKeys
  readonly metrics?: ServerMetrics
  readonly corsOrigins?: readonly string[]
  readonly trustProxy?: boolean
  /// Called at each question.
  readonly readiness?: () => Readiness
}

export interface Running {
  readonly url: string
  readonly wsUrl: string
  readonly port: number
  readonly role: Web
  status(): StatusReport
  readonly clock: ManualClock
  readonly feed: MemoryStatsFeed
  readonly trades: MemoryTradeFeed
  readonly log: TradeLog
  readonly deadLetters: MemoryDeadLetters
  /// Errors that the role reported. A test that expects some takes them out.
  readonly errors: unknown[]
}

export async function startWeb(t: TestContext, setting: Setting = {}): Promise<Running> {
  const clock = new ManualClock(START)
  const feed = new MemoryStatsFeed()
  const trades = new MemoryTradeFeed()
  const log = setting.log ?? new MemoryTradeLog({ clock, partitions: setting.partitions ?? 1 })
  const deadLetters = new MemoryDeadLetters()
  const errors: unknown[] = []
  const readiness = setting.readiness ?? (() => ({ ready: true }) as const)
  const limits = { ...DEFAULT_WEB_LIMITS, ...setting.limits }
  const role: Web = web({
    feed,
    serves: true,
    partitions: new PartitionTable(),
    elsewhere: () => [],
    log,
    deadLetters,
    archive: setting.archive ?? null,
    trades,
    peers: setting.peers ?? null,
    queries: setting.queries ?? new NoTokenQueries({ resolutionMs: 1000, retentionMs: 86_400_000 }),
    dashboard: setting.dashboard ?? null,
    archivesHere: setting.archivedElsewhere !== true,
    clock,
    nextTurn,
    windows: THREE_WINDOWS,
    limits,
    metrics: setting.metrics ?? new ServerMetrics(systemStopwatch),
    version: '0.0.0-test',
    keys: setting.keys ?? null,
    corsOrigins: setting.corsOrigins ?? [],
    trustProxy: setting.trustProxy ?? false,
    readiness,
    status: () => report(role),
    onError: error => errors.push(error),
  })
  const { port } = await role.listen('127.0.0.1', 0)
  t.after(async () => {
    const drained = role.drain()
    clock.advance(limits.drainMs)
    await drained
    assert.deepEqual(errors, [])
  })
  const host = `127.0.0.1:${port}`
  return {
    url: `http://${host}`,
    wsUrl: `ws://${host}/ws`,
    port,
    role,
    status: () => report(role),
    clock,
    feed,
    trades,
    log,
    deadLetters,
    errors,
  }
}

function report(role: Web): StatusReport {
  return {
    version: '0.0.0-test',
    instance: 'test',
    startedAt: START,
    now: START,
    ready: true,
    reason: null,
    percent: null,
    tokens: role.tokens(),
    fates: { accepted: 3, duplicate: 1, late: 0, early: 0, invalid: 0, conflict: 0 },
    rates: { appendedPerSecond: 1, rolledPerSecond: 1, updatesPerSecond: 1 },
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
    memory: { rssBytes: 1, heapUsedBytes: 1 },
  }
}

/// What is in the log, as one text per partition.
export async function appendedText(log: TradeLog): Promise<string[]> {
  const texts: string[] = []
  for (let partition = 0; partition < log.partitions; partition++) {
    const { first, end } = log.bounds(partition)
    const abort = new AbortController()
    let text = ''
    if (first < end) {
      for await (const batch of log.follow(partition, first, abort.signal)) {
        text += Buffer.from(batch.bytes).toString()
        if (batch.firstOffset + batch.count === end) break
      }
    }
    texts.push(text)
  }
  return texts
}

export async function lettersIn(deadLetters: DeadLetters): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = []
  for await (const letter of deadLetters.read()) letters.push(letter)
  return letters
}

export interface Message {
  readonly type: string
  readonly seq: number
  readonly [field: string]: unknown
}

/// A WebSocket client that keeps what it hears.
export class Peer {
  readonly ws: WebSocket
  readonly heard: Message[] = []
  closed: { code: number; reason: string } | null = null

  constructor(ws: WebSocket) {
    this.ws = ws
    ws.on('message', (data, isBinary) => {
      assert.equal(isBinary, false)
      this.heard.push(JSON.parse(data.toString()))
    })
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() }
    })
    ws.on('error', () => undefined)
  }

  static async connect(t: TestContext, running: Running): Promise<Peer> {
    const peer = new Peer(new WebSocket(running.wsUrl, { perMessageDeflate: false }))
    t.after(() => peer.ws.terminate())
    await new Promise((resolve, reject) => peer.ws.once('open', resolve).once('error', reject))
    return peer
  }

  say(message: unknown): void {
    this.ws.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  pause(): void {
    this.ws.pause()
  }

  resume(): void {
    this.ws.resume()
  }

  terminate(): void {
    this.ws.terminate()
  }

  /// Waits for `count` messages, and takes all that have come.
  async take(count: number): Promise<Message[]> {
    await until(() => this.heard.length >= count, `${count} messages, heard ${JSON.stringify(this.heard)}`)
    return this.heard.splice(0)
  }

  async close(): Promise<{ code: number; reason: string }> {
    await until(() => this.closed !== null, 'the connection is closed')
    return this.closed ?? { code: 0, reason: '' }
  }
}
