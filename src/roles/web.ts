/// The web role: follows the statistics feed, keeps the newest update of every token, and serves it over HTTP and
/// WebSocket; takes swaps over HTTP into the trade log. It knows no roller: two roles of one process talk through
/// ports only.

import type { AddressInfo } from 'node:net'
import { epochMs } from '../core/units.js'
import type { Window } from '../core/windows.js'
import { bodyReader } from '../delivery/http/body.js'
import { httpServer } from '../delivery/http/server.js'
import { intake } from '../delivery/intake.js'
import type { WebLimits } from '../delivery/limits.js'
import { Rate } from '../delivery/rate.js'
import { TokenTable } from '../delivery/token-table.js'
import { statsEncoder } from '../delivery/wire/stats.js'
import type { ClientStatus, Readiness, StatusReport } from '../delivery/wire/status.js'
import { Hub } from '../delivery/ws/hub.js'
import { acceptWebSockets } from '../delivery/ws/upgrade.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetters } from '../ports/dead-letters.js'
import type { StatsFeed } from '../ports/stats-feed.js'
import type { TradeLog } from '../ports/trade-log.js'

export interface WebOptions {
  readonly feed: StatsFeed
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  readonly clock: Clock
  /// Resolves in a later turn of the event loop.
  nextTurn(): Promise<void>
  /// As the roller is configured.
  readonly windows: readonly Window[]
  readonly limits: WebLimits
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
  /// Refuses what is new, finishes what is under way, sends clients away politely. Resolves within `limits.drainMs`
  /// and a little, with every connection closed.
  drain(): Promise<void>
}

export function web(options: WebOptions): Web {
  const { clock, limits, onError } = options
  const table = new TokenTable()
  const encoder = statsEncoder(options.windows)
  const bodies = bodyReader(limits, clock)
  let caughtUp = false
  let served = false
  let drained: Promise<void> | null = null

  const readiness = (): Readiness => {
    if (!caughtUp) return { ready: false, reason: 'the statistics feed is being read', percent: null }
    return options.readiness()
  }
  // Once complete, statistics stay correct as of their time, also while the roller is behind.
  const serving = (): boolean => {
    served ||= readiness().ready
    return served
  }

  const hub = new Hub({ tokens: table, encoder, clock, limits, serving })
  const draining = (): boolean => drained !== null
  const app = httpServer({
    tokens: table,
    encoder,
    serving,
    readiness,
    status: options.status,
    draining,
    bodies,
    intake: intake(options),
    rate:
      limits.swapsPerSecond === null ? null : new Rate(clock, limits.swapsPerSecond, limits.swapsPerSecond),
    limits,
    onError,
  })
  acceptWebSockets(app.server, { hub, limits, draining })

  const unfollow = options.feed.follow({
    onUpdates(updates) {
      hub.publish(updates.filter(update => table.take(update)))
    },
    onCaughtUp() {
      caughtUp = true
    },
  })

  async function drain(): Promise<void> {
    unfollow()
    hub.drain()
    const cancel = clock.at(epochMs(clock.now() + limits.drainMs), () => {
      hub.stop()
      app.server.closeAllConnections()
    })
    await app.close()
    cancel()
    hub.stop()
  }

  return {
    readiness,
    tokens: () => table.size,
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
