/// From what the state store holds back to a machine that goes on as if it had never stopped: names and pairs from the
/// heads of parts, the rows that are not in parts from deltas, and then everything else by counting (recount.ts).

import type { RollerConfig } from '../config.js'
import type { Ledger } from '../ledger.js'
import type { BlockEntry } from '../slices/slices.js'
import { type DeltaRows, readDelta } from '../storage/delta.js'
import type { StoredPart } from '../storage/parts.js'
import type { Horizon } from '../tables/horizon.js'
import { Recount } from './recount.js'

export class Restoring {
  readonly #ledger: Ledger
  readonly #horizon: Horizon
  readonly #horizonMs: number

  constructor(ledger: Ledger, horizon: Horizon, { dedupeHorizonMs }: RollerConfig) {
    this.#ledger = ledger
    this.#horizon = horizon
    this.#horizonMs = dedupeHorizonMs
  }

  /// Takes in a part: all of them first, in the store's order.
  part(block: number, coversTo: number, part: StoredPart): void {
    const { slices, parts } = this.#ledger
    parts.restore(block, part, this.#ledger)
    const known = slices.get(block)
    const entry = known ?? this.#openOnDisk(block)
    entry.sealedUpTo = Math.max(entry.sealedUpTo, coversTo)
  }

  /// Takes in a delta: after the parts, in the store's order. Rows that are in parts only count for the dedupe horizon;
  /// those below `position` came with the deltas before.
  delta(payload: Uint8Array, coversFrom: number, position: number): DeltaRows['fates'] {
    const delta = readDelta(payload, coversFrom, this.#ledger)
    const { fates, rows, digests, runs } = delta
    const kept = this.#keptOf(rows)
    if (kept.reduce((sum, one) => sum + one, 0) * 2 > rows.rows) delta.pairs.lookUpAll()
    let row = 0
    for (const { rows: count, logTimeMs } of runs) {
      const end = row + count
      while (row < end && (rows.offset[row] as number) < position) row++
      if (row === end) continue
      this.#horizon.expire(logTimeMs, this.#horizonMs)
      for (; row < end; row++) {
        if (kept[row] === 1) this.#keep(delta, row)
        this.#horizon.add(
          rows.id0[row] as number,
          rows.id1[row] as number,
          rows.id2[row] as number,
          digests[row] as number,
          logTimeMs,
        )
      }
    }
    delta.eachTotals((token, totals) => this.#ledger.tokenFates.restore(token, totals))
    return fates
  }

  /// Counts everything: after parts and deltas. Yields the share that is done.
  recount(): Generator<number, void> {
    const { slices } = this.#ledger
    // Of what went to disk meanwhile nothing was ever counted.
    for (const entry of slices.entries()) if (entry.onDisk) slices.release(entry)
    return new Recount(this.#ledger).run()
  }

  #openOnDisk(block: number): BlockEntry {
    const { slices } = this.#ledger
    const entry = this.#ledger.open(slices.beginOf(block))
    entry.onDisk = true
    slices.release(entry)
    return entry
  }

  /// 1 for the rows that are not in a part.
  #keptOf(rows: DeltaRows['rows']): Uint8Array {
    const ledger = this.#ledger
    const kept = new Uint8Array(rows.rows)
    for (let row = 0; row < rows.rows; row++) {
      const entry = ledger.slices.at(ledger.relativeTick(rows.timeMs[row] as number))
      const isStored = entry?.onDisk === true && (rows.offset[row] as number) < entry.sealedUpTo
      kept[row] = isStored ? 0 : 1
    }
    return kept
  }

  /// Keeps a delta's row in memory.
  #keep({ rows, pairs }: DeltaRows, row: number): void {
    const ledger = this.#ledger
    const tick = ledger.relativeTick(rows.timeMs[row] as number)
    const pairSide = rows.pairSide[row] as number
    const pair = pairs.pair(pairSide >> 1)
    rows.pairSide[row] = pair * 2 + (pairSide & 1)
    rows.token[row] = ledger.pairs.token(pair)
    const entry = ledger.open(tick)
    ledger.slices.rowsOf(entry).copyRow(rows, row, tick - entry.begin)
    if (entry.onDisk) ledger.noteLate(entry)
  }
}
