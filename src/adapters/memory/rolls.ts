/// States that several processes share, in memory: deltas of all writers in the order in which they came, as topic `rolls`
/// has them. For tests of what goes on between processes.

import type { EpochMs, Offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type {
  Delta,
  LogGap,
  Placement,
  SharedState,
  SlicePart,
  StateStore,
  StoredPart,
} from '../../ports/state-store.js'
import { MemoryStateStore } from './state-store.js'

interface Written {
  readonly writer: object
  readonly delta: Delta
}

interface Partition {
  readonly deltas: Written[]
  readonly gaps: LogGap[]
  placement: Placement
  readonly watchers: Set<() => void>
}

export class MemoryRolls {
  readonly #clock: Clock
  readonly #partitions = new Map<number, Partition>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /// The state of a partition for another writer.
  async openState(partition: number): Promise<MemorySharedState> {
    const shared = this.#partition(partition)
    const store = new MemorySharedState(shared, this.#clock, at => this.#partition(at).placement)
    for (const { delta } of shared.deltas) await store.take(delta)
    return store
  }

  #partition(number: number): Partition {
    const known = this.#partitions.get(number)
    if (known !== undefined) return known
    const fresh: Partition = {
      ...{ deltas: [], gaps: [], watchers: new Set<() => void>() },
      placement: { carried: 0, settled: 0 },
    }
    this.#partitions.set(number, fresh)
    return fresh
  }
}

export class MemorySharedState implements StateStore, SharedState {
  readonly #store = new MemoryStateStore()
  readonly #shared: Partition
  readonly #clock: Clock
  readonly #placementOf: (partition: number) => Placement

  constructor(shared: Partition, clock: Clock, placementOf: (partition: number) => Placement) {
    this.#shared = shared
    this.#clock = clock
    this.#placementOf = placementOf
  }

  /// Folds what another writer has appended.
  take(delta: Delta): Promise<void> {
    return this.#store.appendDelta(delta)
  }

  async appendDelta(delta: Delta): Promise<void> {
    const before = this.position()
    await this.#store.appendDelta(delta)
    if (this.position() === before) return
    this.#shared.deltas.push({ writer: this, delta })
    for (const wake of [...this.#shared.watchers]) wake()
  }

  gaps(): readonly LogGap[] {
    const now: EpochMs = this.#clock.now()
    return this.#shared.gaps.filter(({ until }) => until > now)
  }

  async noteGap(gap: LogGap): Promise<void> {
    this.#shared.gaps.push(gap)
  }

  async keepAlive(): Promise<void> {}

  async overtaken(at: Offset, signal: AbortSignal): Promise<boolean> {
    const isThere = () =>
      this.#shared.deltas.some(({ writer, delta }) => writer !== this && delta.coversTo > at)
    while (!signal.aborted && !isThere()) await this.#changed(signal)
    return isThere()
  }

  placement(): Placement {
    return this.#shared.placement
  }

  async noteCarried(partitions: number): Promise<void> {
    this.#shared.placement = { ...this.#shared.placement, carried: partitions }
  }

  settle(partitions: number): void {
    this.#shared.placement = { carried: partitions, settled: partitions }
  }

  async othersCarried(partitions: number): Promise<boolean> {
    const all = Array.from({ length: partitions }, (_, at) => this.#placementOf(at))
    return all.every(placement => placement === this.#shared.placement || placement.carried === partitions)
  }

  async discard(): Promise<void> {}

  position(): Offset {
    return this.#store.position()
  }

  parts(): Iterable<StoredPart> {
    return this.#store.parts()
  }

  deltas(): Iterable<Delta> {
    return this.#store.deltas()
  }

  readParts(block: number): readonly StoredPart[] {
    return this.#store.readParts(block)
  }

  appendParts(parts: readonly SlicePart[]): Promise<void> {
    return this.#store.appendParts(parts)
  }

  forget(what: Parameters<StateStore['forget']>[0]): Promise<void> {
    return this.#store.forget(what)
  }

  sizeBytes(): number {
    return this.#store.sizeBytes()
  }

  async close(): Promise<void> {}

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        this.#shared.watchers.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#shared.watchers.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
