import type { TestContext } from 'node:test'
import { type Candle, formatMicroUsd } from '../../src/core/candles.js'
import { type EpochMs, epochMs, type Offset, offset } from '../../src/core/units.js'
import type {
  Archived,
  ArchivedSwap,
  ArchiveLimits,
  ArchiveRules,
  TradeArchive,
  TradesOf,
} from '../../src/ports/trade-archive.js'
import { BatchBuilder } from '../../src/roles/archiver/batch-builder.js'
import type { PlainCandle } from '../oracle/candles.js'
import { DEFAULT_RULES, ndjson, type RawBatch, type RawRecord, type RawSwap } from '../simulation/raw-swap.js'

export const SECOND = 1000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/// A midnight, UTC.
export const START = Date.UTC(2026, 10, 24)

export const ARCHIVE_RULES: ArchiveRules = DEFAULT_RULES

export const BOUNDLESS: ArchiveLimits = {
  tradesRetentionMs: 1000 * DAY,
  candlesRetentionMs: 1000 * DAY,
  sizeBytesMax: 2 ** 40,
}

export interface ArchiveOpening {
  readonly rules: ArchiveRules
  readonly limits: ArchiveLimits
}

/// A place for an archive that goes with the test.
export interface ArchivePlace {
  /// The first opening makes an empty archive. One at a time is open.
  open(opening: ArchiveOpening): Promise<TradeArchive>
  /// Whether an archive that is opened again has what was there.
  readonly durable: boolean
}

export type MakeArchivePlace = (t: TestContext) => Promise<ArchivePlace>

/// Appends records as a trade log would hold them, and the archiver make batches of them.
export class Writer {
  archive: TradeArchive
  readonly #builder: BatchBuilder
  #next = 0

  constructor(archive: TradeArchive, partition = 0, from = 0) {
    this.archive = archive
    this.#next = from
    this.#builder = new BatchBuilder(partition, DEFAULT_RULES, {
      offset: offset(from),
      logTime: epochMs(0),
    })
  }

  get logTime(): EpochMs {
    return this.#builder.logTime
  }

  /// The offset of the next record.
  get next(): Offset {
    return offset(this.#next)
  }

  async append(...batches: readonly RawBatch[]): Promise<Archived> {
    const sum = { archived: 0, duplicates: 0, expired: 0 }
    const flush = async () => {
      const { archived, duplicates, expired } = await this.archive.append(this.#builder.take())
      sum.archived += archived
      sum.duplicates += duplicates
      sum.expired += expired
    }
    for (const { appendTime, records } of batches) {
      const batch = {
        partition: 0,
        firstOffset: offset(this.#next),
        count: records.length,
        appendTime: epochMs(appendTime),
        bytes: ndjson(records),
        ranges: null,
        broken: null,
      }
      if (!this.#builder.fits(batch)) await flush()
      await this.#builder.add(batch, async () => {})
      this.#next += records.length
    }
    await flush()
    return sum
  }

  swaps(appendTime: number, ...records: readonly RawRecord[]): Promise<Archived> {
    return this.append({ appendTime, records })
  }
}

export function swap(id: string, time: number, more: Partial<RawSwap> = {}): RawSwap {
  return { id, time, who: 'alice', token: 'BTC', side: 'buy', amount: '2', usd: '100', ...more }
}

export const EVER = { from: epochMs(0), to: epochMs(253_402_300_800_000) }

export async function tradesOf(
  archive: TradeArchive,
  of: TradesOf,
  limit = 1000,
): Promise<readonly ArchivedSwap[]> {
  return archive.trades({ of, ...EVER, limit, after: null })
}

export async function idsOf(archive: TradeArchive, of: TradesOf = { token: 'BTC' }): Promise<string[]> {
  return (await tradesOf(archive, of)).map(({ id }) => id)
}

export function plainCandle({ buyUsd, sellUsd, ...rest }: Candle): PlainCandle {
  const { time, open, high, low, close, buys, sells, traders } = rest
  const buyVolume = formatMicroUsd(buyUsd)
  const sellVolume = formatMicroUsd(sellUsd)
  return { time, open, high, low, close, buyVolume, sellVolume, buys, sells, traders }
}

export async function minutesOf(archive: TradeArchive, token = 'BTC'): Promise<PlainCandle[]> {
  const found = await archive.candles({ token, interval: '1m', ...EVER })
  return found.map(plainCandle)
}

/// Opens a new archive with a writer for each test.
export function opener(make: MakeArchivePlace) {
  return async (t: TestContext, limits: Partial<ArchiveLimits> = {}) => {
    const place = await make(t)
    const opening = { rules: ARCHIVE_RULES, limits: { ...BOUNDLESS, ...limits } }
    const archive = await place.open(opening)
    const writer = new Writer(archive)
    t.after(() => writer.archive.close())
    const reopen = async () => {
      await writer.archive.close()
      writer.archive = await place.open(opening)
      return writer.archive
    }
    return { archive, writer, place, reopen }
  }
}

export type OpenArchive = ReturnType<typeof opener>
