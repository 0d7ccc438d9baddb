/// The traders with the most volume in a stretch of event time, and when each was seen last.
///
/// Summaries say how much, not when: of the few at the top it is looked up afterwards, in the newest block in which each has
/// traded.

import { invariant } from '../../invariant.js'
import { type EpochMs, epochMs } from '../../units.js'
import type { Ledger } from '../ledger.js'
import { type Block, compareBytes } from '../rows/block.js'
import type { PairTable } from './pair-table.js'
import type { ScannedBlock, Step, TokenScan } from './token-scan.js'
import type { TraderList } from './trader-list.js'
import { type TraderSum, TraderSums } from './trader-sums.js'
import type { WhoTraded } from './who-traded.js'

export interface ScannedTrader extends TraderSum {
  readonly who: string
  readonly lastSeen: EpochMs
}

export class TopTraders {
  readonly #ledger: Ledger
  readonly #numbers: PairTable
  readonly #limit: number
  readonly #sums = new TraderSums()
  /// Once all is added: those at the top, largest first, and when each was seen last, as far as it is known.
  #top: readonly number[] | null = null
  readonly #lastMs = new Map<number, number>()
  /// The block that is looked at next, by its place in the scan, or one before it.
  #next = Number.POSITIVE_INFINITY

  /// `numbers` are those that `add` is given.
  constructor(ledger: Ledger, numbers: PairTable, limit: number) {
    this.#ledger = ledger
    this.#numbers = numbers
    this.#limit = limit
  }

  /// Adds a swap of the trader with a number: its side and size are looked at. Blocks come newest first, by their places.
  add(rows: Block, row: number, trader: number, place: number): void {
    this.#sums.hold(trader + 1)
    const side = ((rows.pairSide[row] as number) & 1) === 0 ? 0 : 1
    this.#sums.addOne(trader, side, rows.usd[row] as number, place + 1)
  }

  /// Adds those of a summary; of a span, the place is that of its last block.
  addAll(list: TraderList, place: number): void {
    list.addTo(this.#sums, place + 1)
  }

  /// Once all is added: looks at a block for when those at the top were seen last, at rows for which `isWithin` holds. `done`
  /// when all are known, `expired` when a block was taken away.
  step(scan: TokenScan, isWithin: (block: ScannedBlock, rows: Block, row: number) => boolean): Step {
    this.#top ??= this.#findTop()
    const lastMs = this.#lastMs
    const pending = this.#top.filter(trader => !lastMs.has(trader)).sort((a, b) => a - b)
    if (pending.length === 0) return 'done'
    const place = Math.min(this.#next, Math.max(...pending.map(trader => this.#sums.placeOf(trader) - 1)))
    this.#next = place - 1
    const block = scan.blocks[place]
    invariant(block !== undefined, 'who traded, traded in a block')
    if (!mayHold(scan, block, pending)) return 'more'
    const isPending = new Set(pending)
    const isHere = scan.visitRows(block, null, 'sizes', (rows, row) => {
      const trader = this.#numbers.numberOf((rows.pairSide[row] as number) >> 1)
      if (!isPending.has(trader) || !isWithin(block, rows, row)) return
      const timeMs = rows.timeMs[row] as number
      if (timeMs > (lastMs.get(trader) ?? -1)) lastMs.set(trader, timeMs)
    })
    return isHere ? 'more' : 'expired'
  }

  /// Once all is added: who has bought and sold.
  addWho(who: WhoTraded): void {
    this.#sums.addWho(who)
  }

  /// After the last step, largest first.
  found(): ScannedTrader[] {
    const { pairs, traderNames } = this.#ledger
    return (this.#top ?? []).map(trader => ({
      who: traderNames.text(pairs.trader(this.#numbers.pairOf(trader))),
      ...this.#sums.sumOf(trader),
      lastSeen: epochMs(this.#lastMs.get(trader) ?? Number.NaN),
    }))
  }

  #findTop(): number[] {
    const { pairs, traderNames } = this.#ledger
    const nameOf = (trader: number) => traderNames.bytesOf(pairs.trader(this.#numbers.pairOf(trader)))
    return this.#sums.top(this.#limit, (a, b) => {
      const [one, other] = [nameOf(a), nameOf(b)]
      return compareBytes(one, 0, one.length, other, 0, other.length) < 0
    })
  }
}

/// False where the summary says that none of the traders, who ascend, is there.
function mayHold(scan: TokenScan, block: ScannedBlock, traders: readonly number[]): boolean {
  const summary = scan.summaryOf(block)
  if (summary === null || !scan.isAll(block, summary)) return true
  let isThere = false
  summary.traders.find(traders, () => {
    isThere = true
  })
  return isThere
}
