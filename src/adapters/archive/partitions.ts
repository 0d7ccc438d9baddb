/// How the archive's tables are partitioned by time, whatever the database: one table for each stretch of time, named
/// after its beginning in UTC, so that old data go by dropping a table.
///
/// Example: partitionName('trades', 2026-11-24T09:30Z) = `trades_2026112409`, with the swaps of that hour.

import { bucketOf } from '../../core/candles.js'
import { epochMs } from '../../core/units.js'

const HOUR = 3_600_000

/// Length of a partition by kind of table.
export const PARTITION_MS = {
  /// By event time.
  trades: HOUR,
  candles: 24 * HOUR,
  /// Who traded what within a stretch, for counting distinct traders.
  pairs_4h: 4 * HOUR,
  pairs_1d: 24 * HOUR,
  /// By log time.
  recent_ids: HOUR,
} as const

export type PartitionKind = keyof typeof PARTITION_MS

export const PARTITION_KINDS: readonly PartitionKind[] = [
  'trades',
  'candles',
  'pairs_4h',
  'pairs_1d',
  'recent_ids',
]

export interface Partition {
  readonly kind: PartitionKind
  readonly begins: number
}

/// Where the partition that holds the time begins.
export const partitionOf = (kind: PartitionKind, timeMs: number): number =>
  bucketOf(timeMs, PARTITION_MS[kind])

export function partitionName(kind: PartitionKind, beginsMs: number): string {
  const [date = '', time = ''] = new Date(beginsMs).toISOString().split('T')
  return `${kind}_${date.replaceAll('-', '')}${time.slice(0, 2)}`
}

/// The partition that a table's name means, or null for another table.
export function partitionNamed(name: string): Partition | null {
  const match = /^(.+)_(\d{4})(\d\d)(\d\d)(\d\d)$/.exec(name)
  const kind = PARTITION_KINDS.find(each => each === match?.[1])
  if (match === null || kind === undefined) return null
  const [, , year, month, day, hour] = match
  const begins = Date.parse(`${year}-${month}-${day}T${hour}:00:00Z`)
  return Number.isNaN(begins) ? null : { kind, begins: epochMs(begins) }
}

/// The partitions there are, by kind: their beginnings.
export class Partitions {
  readonly #begins: Readonly<Record<PartitionKind, Set<number>>> = {
    trades: new Set(),
    candles: new Set(),
    pairs_4h: new Set(),
    pairs_1d: new Set(),
    recent_ids: new Set(),
  }

  constructor(partitions: Iterable<Partition> = []) {
    for (const partition of partitions) this.add(partition)
  }

  add({ kind, begins }: Partition): void {
    this.#begins[kind].add(begins)
  }

  remove({ kind, begins }: Partition): void {
    this.#begins[kind].delete(begins)
  }

  /// A copy with more partitions.
  with(more: Iterable<Partition>): Partitions {
    const copy = new Partitions(more)
    for (const kind of PARTITION_KINDS) for (const begins of this.#begins[kind]) copy.add({ kind, begins })
    return copy
  }

  /// A copy with some partitions less.
  without(less: readonly Partition[]): Partitions {
    const copy = this.with([])
    for (const partition of less) copy.remove(partition)
    return copy
  }

  has(kind: PartitionKind, begins: number): boolean {
    return this.#begins[kind].has(begins)
  }

  /// Ascending.
  all(kind: PartitionKind): number[] {
    return [...this.#begins[kind]].sort((a, b) => a - b)
  }

  /// Ascending: those that hold something of from ≤ time < to.
  within(kind: PartitionKind, from: number, to: number): number[] {
    return this.all(kind).filter(begins => begins < to && begins + PARTITION_MS[kind] > from)
  }
}

/// Which partition of trades or candles goes first when room is needed: the one that is oldest in proportion to how long
/// its kind is kept, so that both shrink alike; null when only the newest of each are left.
export function nextToDrop(
  partitions: Partitions,
  nowMs: number,
  retentionMs: { readonly trades: number; readonly candles: number },
): Partition | null {
  let chosen: Partition | null = null
  let most = Number.NEGATIVE_INFINITY
  for (const kind of ['trades', 'candles'] as const) {
    const [oldest, ...newer] = partitions.all(kind)
    if (oldest === undefined || newer.length === 0) continue
    const share = (nowMs - oldest) / retentionMs[kind]
    if (share <= most) continue
    most = share
    chosen = { kind, begins: oldest }
  }
  return chosen
}
