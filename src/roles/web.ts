/// The web role: follows the statistics feed, keeps the newest update of every token, and serves it over HTTP and
/// WebSocket; takes swaps over HTTP into the trade log. It knows no roller: two roles of one process talk through
/// ports only.

import { createHash, randomBytes } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { epochMs } from '../core/units.js'
import type { Window } from '../core/windows.js'
import { CandleReader } from '../delivery/feeds/candle-reader.js'
import { Cursors } from '../delivery/feeds/cursors.js'
import { History } from '../delivery/feeds/history.js'
import { type ClientInfo, Hub } from '../delivery/feeds/hub.js'
import { Pacing } from '../delivery/feeds/pacing.js'
import { StateFeeds } from '../delivery/feeds/state-feeds.js'
import { TokenFeed } from '../delivery/feeds/token-feed.js'
import { TradesFeed } from '../delivery/feeds/trades-feed.js'
import { Guard } from '../delivery/guard/guard.js'
import { Origins } from '../delivery/guard/origins.js'
import { bodyReader } from '../delivery/http/body.js'
import type { QuestionRoutesOptions } from '../delivery/http/question-routes.js'
import { httpServer } from '../delivery/http/server.js'
import { intake } from '../delivery/intake.js'
import type { WebLimits } from '../delivery/limits.js'
import type { ServerMetrics, WebGauges } from '../delivery/metrics/server-metrics.js'
import type { PartitionTable } from '../delivery/partition-table.js'
import { OnDemand } from '../delivery/queries/on-demand.js'
import { Pages } from '../delivery/rankings/pages.js'
import { Standings } from '../delivery/rankings/standings.js'
import { Rate } from '../delivery/rate.js'
import { StatsTexts } from '../delivery/stats-texts.js'
import { TokenTable } from '../delivery/token-table.js'
import { TotalsTable } from '../delivery/totals.js'
import { placeWindows } from '../delivery/wire/metrics.js'
import type { ClientStatus, Readiness, StatusReport } from '../delivery/wire/status.js'
import { Sockets } from '../delivery/ws/sockets.js'
import { acceptWebSockets, clientAddress } from '../delivery/ws/upgrade.js'
import type { ApiKeys } from '../ports/api-keys.js'
import type { Clock } from '../ports/clock.js'
import type { Dashboard } from '../ports/dashboard.js'
import type { DeadLetters } from '../ports/dead-letters.js'
import type { StatsFeed, StatsFollower } from '../ports/stats-feed.js'
import type { TokenQueries } from '../ports/token-queries.js'
import type { AdmittedSwap, TradeArchive } from '../ports/trade-archive.js'
import type { TradeFeed } from '../ports/trade-feed.js'
import type { TradeLog } from '../ports/trade-log.js'

export interface WebOptions {
  readonly feed: StatsFeed
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  /// Whether it reads the feed and serves statistics; without, it takes swaps, and tells how the process is.
  readonly serves: boolean
  /// Gets what the feed says about partitions.
  readonly partitions: PartitionTable
  /// Partitions that other processes are to roll. Their statistics are current only if somebody says so.
  elsewhere(): readonly number[]
  /// For candles and trades; null where there is none.
  readonly archive: TradeArchive | null
  /// Swaps as they are accepted.
  readonly trades: TradeFeed
  /// For what the feed does not carry.
  readonly queries: TokenQueries
  /// What other instances may ask; null where there are none.
  readonly peers: QuestionRoutesOptions['peers']
  /// The page for browsers; null where none was built.
  readonly dashboard: Dashboard | null
  /// Whether `archived` is called: else somebody else archives.
  readonly archivesHere: boolean
  readonly clock: Clock
  /// Resolves in a later turn of the event loop.
  nextTurn(): Promise<void>
  /// As the roller is configured.
  readonly windows: readonly Window[]
  readonly limits: WebLimits
  readonly metrics: ServerMetrics
  /// Of the program.
  readonly version: string
  /// null where no key is asked for.
  readonly keys: ApiKeys | null
  /// Origins of web pages that may use this server, or `*`.
  readonly corsOrigins: readonly string[]
  /// Whether the address of a request is what a proxy in front says.
  readonly trustProxy: boolean
  /// Whether the statistics are complete and current. The web adds that it has read the feed.
  readiness(): Readiness
  status(): StatusReport
  /// Gets errors that are no client's fault; the client got a 500.
  onError(error: unknown): void
}

export interface Web {
  /// Resolves with where it listens. Port 0 chooses a free one. Rejects when the address is in use.
  listen(host: string, port: number): Promise<AddressInfo>
  readiness(): Readiness
  /// Tokens with statistics.
  tokens(): number
  clients(): ClientStatus
  gauges(): WebGauges
  readonly guard: Guard
  /// Those swaps are in the archive now.
  archived(swaps: readonly AdmittedSwap[]): void
  /// Whether anybody waits for what is archived.
  readonly followsArchive: boolean
  /// For operators.
  listClients(): readonly ClientInfo[]
  closeClient(id: number): boolean
  /// Closes the clients whose key was revoked. Call when keys have changed.
  keysChanged(): void
  /// Refuses what is new, finishes what is under way, sends clients away politely. Resolves within `limits.drainMs`
  /// and a little, with every connection closed.
  drain(): Promise<void>
}

export function web(options: WebOptions): Web {
  const { clock, limits, onError, keys, version, metrics } = options
  const windows = placeWindows(options.windows)
  const totals = new TotalsTable(windows)
  const table: TokenTable = new TokenTable([
    totals.change,
    (token, _before, after) => standings.note(token, after),
  ])
  const standings = new Standings({ tokens: table, clock })
  const texts = new StatsTexts(windows)
  const bodies = bodyReader(limits, clock)
  const guard = new Guard({ keys, clock, limits })
  const origins = new Origins(options.corsOrigins)
  let caughtUp = false
  let served = false
  /// Once everything is, later moves of partitions make nothing incomplete.
  let allServed = false
  let drained: Promise<void> | null = null

  const readiness = (): Readiness => {
    if (options.serves && !caughtUp)
      return { ready: false, reason: 'the statistics feed is being read', percent: null }
    const own = options.readiness()
    if (!own.ready || !options.serves) return own
    const missing = allServed ? [] : options.elsewhere().filter(at => !options.partitions.isServed(at))
    allServed = missing.length === 0
    if (allServed) return own
    const which = missing.length > 3 ? `${missing.slice(0, 3).join(', ')}, …` : missing.join(', ')
    return { ready: false, reason: `nobody has said yet that partition ${which} is rolled`, percent: null }
  }
  // Once complete, statistics stay correct as of their time, also while the roller is behind.
  const serving = (): boolean => {
    served ||= options.serves && readiness().ready
    return served
  }

  const history = new History({ keptMs: limits.resumeMs, bytesMax: limits.resumeBytesMax })
  const epoch = randomBytes(4).toString('hex')
  const cursors = new Cursors(epoch, history)
  const pacing = new Pacing()
  const tokenFeed = new TokenFeed({ windows, tokens: table, history, pacing, cursors })
  const tradesFeed = new TradesFeed({ history, pacing, cursors })
  const { archive, archivesHere: isTold } = options
  const candles =
    archive === null
      ? null
      : new CandleReader({ candles: query => archive.candles(query), isTold, clock, onError })
  const stateFeeds = new StateFeeds({ windows, standings, totals, candles, clock, status: options.status })
  const hub = new Hub({
    ...{ tokenFeed, tradesFeed, stateFeeds, pacing, cursors, history },
    ...{ clock, limits, metrics, serving },
  })
  const draining = (): boolean => drained !== null
  const app = httpServer({
    tokens: table,
    texts,
    totals,
    peers: options.peers,
    onDemand: new OnDemand({ tokens: table, windows, queries: options.queries }),
    pages: new Pages({
      standings,
      tokens: table,
      clock,
      instance: Number.parseInt(epoch, 16) * 2 ** 20,
      nextTurn: options.nextTurn,
    }),
    shape: createHash('sha256')
      .update(JSON.stringify([version, windows.map(({ name }) => name)]))
      .digest('hex')
      .slice(0, 6),
    hub,
    serving,
    readiness,
    status: options.status,
    draining,
    bodies,
    guard,
    origins,
    metrics,
    intake: intake(options),
    rate:
      limits.swapsPerSecond === null ? null : new Rate(clock, limits.swapsPerSecond, limits.swapsPerSecond),
    dashboard: options.dashboard,
    archive,
    clock,
    limits,
    trustProxy: options.trustProxy,
    version,
    onError,
  })
  acceptWebSockets(app.server, {
    hub,
    sockets: new Sockets(hub, limits),
    guard,
    origins,
    limits,
    addressOf: request => clientAddress(request, options.trustProxy),
    draining,
    onError,
  })

  const follower: StatsFollower = {
    onUpdates: updates => hub.publish(updates.filter(update => table.take(update))),
    onCaughtUp() {
      caughtUp = true
    },
    onReports: reports => options.partitions.take(reports, caughtUp ? clock.now() : null),
  }
  const unfollowTrades = options.trades.follow({
    get wantsAny() {
      return tradesFeed.tokens > 0
    },
    wants: token => tradesFeed.isFollowed(token),
    onTrades: updates => hub.publishTrades(updates),
  })
  const unfollow = options.serves ? options.feed.follow(follower) : () => {}

  async function drain(): Promise<void> {
    unfollow()
    unfollowTrades()
    hub.drain()
    const cancel = clock.at(epochMs(clock.now() + limits.drainMs), () => {
      hub.stop()
      app.server.closeAllConnections()
    })
    await app.close()
    cancel()
    hub.stop()
    candles?.stop()
    standings.close()
  }

  return {
    readiness,
    tokens: () => table.size,
    guard,
    archived: swaps => candles?.archived(swaps),
    get followsArchive() {
      return candles?.followed ?? false
    },
    listClients: () => hub.clients(),
    closeClient: id => hub.closeById(id, 'closedByOperator'),
    keysChanged: () => hub.closeKeys(id => keys?.isValid(id) ?? true),
    gauges: () => ({
      closed: hub.closed,
      rateLimited: guard.refused,
      resumeBytes: history.bytes,
      rankings: standings.size,
      liveSwapsLeftOut: options.trades.leftOut,
    }),
    clients: () => ({ ...hub.counts(), bodyBytesInFlight: bodies.budget.used }),
    async listen(host, port) {
      await app.listen({ host, port })
      const address = app.server.address()
      if (address === null || typeof address === 'string') throw new Error('the server has no TCP address')
      return address
    },
    drain() {
      drained ??= drain()
      return drained
    },
  }
}
