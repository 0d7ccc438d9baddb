/// Clients with follows whose maximum rate makes a change wait.

import type { EpochMs } from '../../core/units.js'
import type { Client } from './client.js'
import type { TokenFollow } from './token-follow.js'
import type { TradesFollow } from './trades-feed.js'

type PacedFollow = TokenFollow | TradesFollow

export class Pacing {
  readonly #clients = new Set<Client>()

  /// The follow has something at that position, and may not send it yet.
  wait(follow: PacedFollow, position: number): void {
    follow.client.pace(follow, position)
    this.#clients.add(follow.client)
  }

  forget(client: Client): void {
    this.#clients.delete(client)
  }

  /// Gives each follow that may go now, and waits no more for it.
  release(now: EpochMs, go: (follow: PacedFollow) => void): void {
    for (const client of this.#clients) {
      for (const follow of client.paced) {
        if (!mayGo(follow, now)) continue
        client.paced.delete(follow)
        go(follow)
      }
      if (client.paced.size > 0 && client.open) continue
      this.#clients.delete(client)
      client.settle()
    }
  }
}

/// `intervalMs` is 0 for no limit of its own.
export function mayGo({ intervalMs, sentAt }: PacedFollow, now: EpochMs): boolean {
  // A clock that was set back must not hold updates up.
  return sentAt === null || now - sentAt >= intervalMs || now < sentAt
}
