/// A loop for each broker that has something to do: with a connection of its own, woken by a doorbell, one request
/// under way. Producer and fetcher are made of them.

import type { KafkaCluster } from './cluster.js'
import type { BrokerConnection } from './connection.js'
import { Doorbell } from './doorbell.js'

export interface BrokerLoop {
  readonly node: number
  /// Counts requests: where each begins among the partitions, so that none starves when not all fit.
  turn: number
}

/// A partition as loops see it.
export interface LoopItem {
  readonly topic: string
  readonly partition: number
  /// True while it waits before another try.
  pausing: boolean
}

interface Running extends BrokerLoop {
  readonly doorbell: Doorbell
  connection: BrokerConnection | null
  done: Promise<void>
}

const RETRY_MS = 100

export class BrokerLoops<Item extends LoopItem> {
  readonly #cluster: KafkaCluster
  readonly #loops = new Map<number, Running>()
  /// Does one request's work; false when there is nothing to do for now.
  readonly #work: (loop: BrokerLoop, connect: () => Promise<BrokerConnection>) => Promise<boolean>
  #closed = false

  constructor(
    cluster: KafkaCluster,
    work: (loop: BrokerLoop, connect: () => Promise<BrokerConnection>) => Promise<boolean>,
  ) {
    this.#cluster = cluster
    this.#work = work
  }

  get closed(): boolean {
    return this.#closed
  }

  /// Wakes the loop of the item's leader; where there is none, asks until there is one, and then calls `again`.
  dispatch(item: Item, again: (item: Item) => void): void {
    const leader = this.#cluster.leader(item.topic, item.partition)
    if (leader === null) this.later(item, true, again)
    else this.#loop(leader.node).doorbell.ring()
  }

  /// Calls `again` after a pause, and, where what is known of leaders is stale, after having asked.
  later(item: Item, stale: boolean, again: (item: Item) => void): void {
    item.pausing = true
    const asked = stale ? this.#cluster.refresh() : Promise.resolve()
    void asked
      .then(() => this.#cluster.pause(RETRY_MS))
      .then(() => {
        item.pausing = false
        again(item)
      })
  }

  /// Ends every loop after its request; with `breakOff`, closes its connection at once.
  async close(breakOff: boolean): Promise<void> {
    this.#closed = true
    for (const { doorbell, connection } of this.#loops.values()) {
      doorbell.ring()
      if (breakOff) void connection?.close()
    }
    await Promise.all([...this.#loops.values()].map(({ done }) => done))
  }

  #loop(node: number): Running {
    let loop = this.#loops.get(node)
    if (loop === undefined) {
      loop = { node, turn: 0, doorbell: new Doorbell(), connection: null, done: Promise.resolve() }
      this.#loops.set(node, loop)
      loop.done = this.#run(loop)
    }
    return loop
  }

  async #run(loop: Running): Promise<void> {
    const connect = async (): Promise<BrokerConnection> => {
      if (!loop.connection?.usable) loop.connection = await this.#cluster.connect(loop.node)
      return loop.connection
    }
    while (!this.#closed) {
      if (await this.#work(loop, connect)) loop.turn++
      else await loop.doorbell.sleep()
    }
    await loop.connection?.close()
  }
}

/// The items from another one on each time.
export function rotated<T>(items: readonly T[], turn: number): T[] {
  const first = items.length === 0 ? 0 : turn % items.length
  return [...items.slice(first), ...items.slice(0, first)]
}
