/// The trade archive in memory, for tests: swaps in an array, and every answer computed from them anew.

import { bucketOf, CANDLE_INTERVALS, type Candle } from '../../core/candles.js'
import { invariant } from '../../core/invariant.js'
import { type EpochMs, epochMs, type Offset, offset, tickOf } from '../../core/units.js'
import { PositionMovedError } from '../../ports/errors.js'
import type {
  AdmittedSwap,
  ArchiveBatch,
  Archived,
  ArchivedRows,
  ArchivedRowsReader,
  ArchivedSwap,
  ArchiveLimits,
  ArchivePosition,
  ArchiveReach,
  ArchiveRules,
  ArchiveSummary,
  CandleQuery,
  LongWindows,
  TradeArchive,
  TradePlace,
  TradesQuery,
} from '../../ports/trade-archive.js'
import { RowBatches } from '../archive/row-batches.js'

const MINUTE = CANDLE_INTERVALS['1m']
const HOUR = CANDLE_INTERVALS['1h']
const DAY = CANDLE_INTERVALS['1d']
const SWAP_BYTES = 400
const SCAN_ROWS = 1000

type KeptSwap = AdmittedSwap & { readonly partition: number }

export class MemoryTradeArchive implements TradeArchive {
  readonly #rules: ArchiveRules
  readonly #limits: ArchiveLimits
  readonly #positions = new Map<number, ArchivePosition>()
  readonly #asOf = new Map<number, EpochMs>()
  /// In the order of acceptance. Swaps whose trades are dropped stay for their candles.
  #swaps: KeptSwap[] = []
  /// Accepted swaps by their partition and the first 64 bits of their fingerprints.
  readonly #byFingerprint = new Map<string, readonly KeptSwap[]>()
  #tradesFrom = epochMs(0)
  #candlesFrom = epochMs(0)
  #completeFrom = epochMs(0)
  /// Positions that were reached by skipping.
  readonly #skippedTo = new Map<number, Offset>()

  constructor(rules: ArchiveRules, limits: ArchiveLimits) {
    this.#rules = rules
    this.#limits = limits
  }

  async position(partition: number): Promise<ArchivePosition | null> {
    return this.#positions.get(partition) ?? null
  }

  async append(batch: ArchiveBatch): Promise<Archived> {
    const isFirst = this.#move(batch.partition, batch.from, batch.to, batch.logTime)
    this.#noteHole(batch, isFirst)
    let archived = 0
    let expired = 0
    for (const swap of batch.swaps) {
      if (swap.time < this.#tradesFrom) expired++
      else if (this.#take(batch.partition, swap)) archived++
    }
    return { archived, expired, duplicates: batch.swaps.length - archived - expired }
  }

  async skip(partition: number, from: Offset, to: Offset, logTime: EpochMs): Promise<void> {
    this.#move(partition, from, to, logTime)
    this.#skippedTo.set(partition, to)
  }

  async candles({ token, interval, from, to }: CandleQuery): Promise<readonly Candle[]> {
    const intervalMs = CANDLE_INTERVALS[interval]
    const floor = intervalMs < CANDLE_INTERVALS['1m'] ? this.#tradesFrom : this.#candlesFrom
    const buckets = new Map<number, AdmittedSwap[]>()
    for (const swap of this.#swaps) {
      const time = bucketOf(swap.time, intervalMs)
      if (swap.token !== token || swap.time < floor || time < from || time >= to) continue
      const bucket = buckets.get(time)
      if (bucket === undefined) buckets.set(time, [swap])
      else bucket.push(swap)
    }
    return [...buckets].sort(([a], [b]) => a - b).map(([time, swaps]) => candleOf(epochMs(time), swaps))
  }

  async closeBefore(token: string, time: EpochMs): Promise<number | null> {
    const before = this.#swaps.filter(
      swap => swap.token === token && swap.time < time && swap.time >= this.#candlesFrom,
    )
    return candleOf(epochMs(0), before).close
  }

  async windows(token: string, lengthsMs: readonly number[]): Promise<LongWindows> {
    const reach = this.#reach()
    if (reach.asOf === null) return { ...reach, windows: [] }
    const to = epochMs(bucketOf(reach.asOf, MINUTE) + MINUTE)
    const sums = lengthsMs.map(lengthMs => {
      const from = epochMs(Math.max(0, to - lengthMs))
      const floor = Math.max(from, this.#candlesFrom)
      const swaps = this.#swaps.filter(swap => swap.token === token && swap.time >= floor && swap.time < to)
      const { time: _time, traders: _traders, ...rest } = candleOf(from, swaps)
      return { from, to, ...rest }
    })
    return { ...reach, windows: sums }
  }

  async trades({ of, from, to, limit, after }: TradesQuery): Promise<readonly ArchivedSwap[]> {
    return this.#kept(from, to)
      .filter(swap => ('token' in of ? swap.token === of.token : swap.who === of.who))
      .filter(swap => after === null || compare(swap, after) < 0)
      .sort((a, b) => compare(b, a))
      .slice(0, limit)
      .map(plain)
  }

  async *scan(from: EpochMs, to: EpochMs): AsyncGenerator<readonly ArchivedSwap[]> {
    const swaps = this.#kept(from, to).sort(compare).map(plain)
    for (let at = 0; at < swaps.length; at += SCAN_ROWS) yield swaps.slice(at, at + SCAN_ROWS)
  }

  async openRows(partition: number): Promise<ArchivedRowsReader | null> {
    const position = this.#positions.get(partition)
    if (position === undefined) return null
    const swaps = this.#kept(epochMs(0), epochMs(Number.MAX_SAFE_INTEGER)).filter(
      swap => swap.partition === partition,
    )
    const within = (from: number, to: number) => swaps.filter(({ time }) => time >= from && time < to)
    const batches = new RowBatches()
    async function* chunks(some: readonly KeptSwap[]): AsyncGenerator<ArchivedRows> {
      for (let at = 0; at < some.length; at += SCAN_ROWS) {
        yield batches.of(some.slice(at, at + SCAN_ROWS).map(plain))
      }
    }
    return {
      position,
      positionBefore: async loggedBefore => {
        const before = swaps.filter(({ logTime }) => logTime < loggedBefore)
        const last = before.reduce<KeptSwap | null>(
          (a, b) => (a !== null && a.offset > b.offset ? a : b),
          null,
        )
        return last === null ? null : { offset: offset(last.offset + 1), logTime: last.logTime }
      },
      count: async (from, to, below) => within(from, to).filter(swap => swap.offset < below).length,
      rows: (from, to) => chunks(within(from, to)),
      rowsLogged: loggedFrom =>
        chunks(swaps.filter(({ logTime }) => logTime >= loggedFrom).sort((a, b) => a.offset - b.offset)),
      close: async () => {},
    }
  }

  async maintain(partition: number, asOf: EpochMs): Promise<void> {
    const { tradesRetentionMs, candlesRetentionMs, sizeBytesMax } = this.#limits
    this.#asOf.set(partition, epochMs(Math.max(asOf, this.#asOf.get(partition) ?? 0)))
    const now = Math.min(asOf, this.#reach().asOf ?? asOf)
    this.#forget(now - tradesRetentionMs, now - candlesRetentionMs)
    // Candles have no size of their own here: half the share of both limits leaves, until the rest fits.
    let share = 1
    while (this.#sizeBytes() > sizeBytesMax && share > 1e-6) {
      share /= 2
      this.#forget(now - tradesRetentionMs * share, now - candlesRetentionMs * share)
    }
  }

  async summary(): Promise<ArchiveSummary> {
    return { ...this.#reach(), sizeBytes: this.#sizeBytes() }
  }

  async close(): Promise<void> {}

  #reach(): ArchiveReach {
    const times = [...this.#positions].map(([number, { logTime }]) =>
      Math.max(logTime, this.#asOf.get(number) ?? 0),
    )
    return {
      asOf: times.length === 0 ? null : epochMs(Math.min(...times)),
      completeFrom: this.#completeFrom,
      tradesFrom: this.#tradesFrom,
      candlesFrom: this.#candlesFrom,
    }
  }

  /// After something that is missing, everything is there from the first swap that comes on.
  #noteHole({ partition, from, swaps, logTime }: ArchiveBatch, isFirst: boolean): void {
    if (this.#skippedTo.get(partition) !== from && !(isFirst && from > 0)) return
    const there = (swaps[0]?.logTime ?? logTime) + this.#rules.earlyToleranceMs
    this.#completeFrom = epochMs(Math.max(this.#completeFrom, there))
  }

  /// Returns whether there was no position before.
  #move(partition: number, from: Offset, to: Offset, logTime: EpochMs): boolean {
    const position = this.#positions.get(partition)
    if (position !== undefined && position.offset !== from) {
      throw new PositionMovedError(`The archive stands at offset ${position.offset}, not ${from}`)
    }
    invariant(from <= to, 'a batch does not end before it begins')
    this.#positions.set(partition, { offset: to, logTime })
    return position === undefined
  }

  /// False for a duplicate.
  #take(partition: number, swap: AdmittedSwap): boolean {
    const [word0, word1] = swap.fingerprint
    const key = `${partition} ${word0} ${word1}`
    const alike = this.#byFingerprint.get(key) ?? []
    if (alike.some(kept => this.#isDuplicate(kept, swap))) return false
    const kept = { ...swap, partition }
    this.#byFingerprint.set(key, [...alike, kept])
    this.#swaps.push(kept)
    return true
  }

  /// Of two swaps whose fingerprints begin with the same 64 bits.
  #isDuplicate(kept: AdmittedSwap, swap: AdmittedSwap): boolean {
    const { resolutionMs, dedupeHorizonMs } = this.#rules
    if (tickOf(kept.time, resolutionMs) === tickOf(swap.time, resolutionMs)) return true
    return kept.fingerprint[2] === swap.fingerprint[2] && swap.logTime - kept.logTime < dedupeHorizonMs
  }

  #kept(from: EpochMs, to: EpochMs): KeptSwap[] {
    return this.#swaps.filter(({ time }) => time >= from && time < to && time >= this.#tradesFrom)
  }

  #forget(tradesBefore: number, candlesBefore: number): void {
    this.#tradesFrom = later(this.#tradesFrom, tradesBefore, HOUR)
    this.#candlesFrom = later(this.#candlesFrom, candlesBefore, DAY)
    const floor = Math.min(this.#tradesFrom, this.#candlesFrom)
    this.#swaps = this.#swaps.filter(({ time }) => time >= floor)
  }

  #sizeBytes(): number {
    return SWAP_BYTES * this.#kept(this.#tradesFrom, epochMs(Number.MAX_SAFE_INTEGER)).length
  }
}

const later = (floor: EpochMs, before: number, partitionMs: number): EpochMs =>
  epochMs(Math.max(floor, before <= 0 ? 0 : bucketOf(before, partitionMs)))

function candleOf(time: EpochMs, swaps: readonly AdmittedSwap[]): Candle {
  const priced = swaps
    .filter(swap => swap.price !== null)
    .sort((a, b) => Buffer.compare(a.place, b.place))
    .map(swap => swap.price ?? 0)
  const buys = swaps.filter(({ side }) => side === 'buy')
  const sells = swaps.filter(({ side }) => side === 'sell')
  const sum = (of: readonly AdmittedSwap[]) => of.reduce((total, { usd }) => total + BigInt(usd), 0n)
  return {
    time,
    open: priced[0] ?? null,
    high: priced.length === 0 ? null : Math.max(...priced),
    low: priced.length === 0 ? null : Math.min(...priced),
    close: priced.at(-1) ?? null,
    buyUsd: sum(buys),
    sellUsd: sum(sells),
    buys: buys.length,
    sells: sells.length,
    traders: new Set(swaps.map(({ who }) => who)).size,
  }
}

/// Chain order, ids by their bytes.
function compare(a: TradePlace, b: TradePlace): number {
  return (
    a.time - b.time ||
    (a.block ?? -1) - (b.block ?? -1) ||
    (a.txIndex ?? -1) - (b.txIndex ?? -1) ||
    (a.logIndex ?? -1) - (b.logIndex ?? -1) ||
    Buffer.compare(Buffer.from(a.id), Buffer.from(b.id))
  )
}

function plain(swap: KeptSwap): ArchivedSwap {
  const { fingerprint, place, ...rest } = swap
  return rest
}
