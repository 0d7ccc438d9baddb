/// Statistics as they are handed out: read from lines, records and queues of a token, for every window.
///
/// What depends on a window's beginning is looked for when it is asked for, and remembered: opening prices in the
/// window's line, the first swap in the token's record. While swaps leave windows unread it costs nothing.

import { invariant } from '../../invariant.js'
import { FIELDS_PER_WINDOW, Field } from '../../stats.js'
import { type EpochMs, epochMs } from '../../units.js'
import { END } from '../rows/block.js'
import type { Cells } from '../slices/cells.js'
import { UNPRICED } from '../slices/cells.js'
import type { Slices } from '../slices/slices.js'
import { EITHER, INTS, LINE, PRICE, TAG } from '../tables/lines.js'
import { writeSums } from './sums.js'
import {
  CLOSE_PRICE,
  CLOSE_TICK,
  FIRST_MS,
  FIRST_TICK,
  LAST_MS,
  NO_TICK,
  OPEN_MOST,
  QUEUE_HIGH,
  QUEUE_LARGEST,
  QUEUE_LOW,
  QUEUES,
  RECORD,
} from './tokens.js'
import { uniquesOf } from './uniques.js'
import type { View } from './view.js'

export class Readings {
  readonly #view: View
  readonly #slices: Slices
  readonly #resolutionMs: number
  readonly #origin: number

  constructor(view: View, slices: Slices, origin: number, resolutionMs: number) {
    this.#view = view
    this.#slices = slices
    this.#origin = origin
    this.#resolutionMs = resolutionMs
  }

  /// Writes the token's statistics of the first `outputs` windows; the token must be present.
  read(token: number, outputs: number, cells: Float64Array): void {
    const { tokens, windows, position } = this.#view
    const { extremes, records, lines } = tokens
    const first = token * (windows + 1)
    const closeTick = records[token * RECORD + CLOSE_TICK] as number
    for (let w = 0; w < outputs; w++) {
      const out = w * FIELDS_PER_WINDOW
      writeSums(lines, first + windows, first + w, cells, out)
      cells[out + Field.BUYERS] = uniquesOf(tokens, token, w, 0)
      cells[out + Field.SELLERS] = uniquesOf(tokens, token, w, 1)
      cells[out + Field.TRADERS] = uniquesOf(tokens, token, w, EITHER)
      const after = position[w] as number
      const priced = closeTick > after
      cells[out + Field.OPEN] = priced ? this.#open(token, w) : Number.NaN
      cells[out + Field.CLOSE] = priced ? (records[token * RECORD + CLOSE_PRICE] as number) : Number.NaN
      cells[out + Field.HIGH] = extremes.maximumAfter(token * QUEUES + QUEUE_HIGH, after)
      const negativeLow = extremes.maximumAfter(token * QUEUES + QUEUE_LOW, after)
      // There is one NaN in cells: the negative of one may have its sign bit set, and not be equal by its bytes.
      cells[out + Field.LOW] = Number.isNaN(negativeLow) ? Number.NaN : -negativeLow
      cells[out + Field.LARGEST_USD] = extremes.maximumAfter(token * QUEUES + QUEUE_LARGEST, after)
    }
  }

  /// The price of the token's last priced swap within retention, or NaN.
  price(token: number): number {
    const { records } = this.#view.tokens
    return (records[token * RECORD + CLOSE_TICK] as number) > this.#view.expiredUpTo
      ? (records[token * RECORD + CLOSE_PRICE] as number)
      : Number.NaN
  }

  /// Event time of the token's first swap within retention; the token must be present.
  firstSeen(token: number): EpochMs {
    const { records } = this.#view.tokens
    const at = token * RECORD
    const after = this.#view.expiredUpTo
    if ((records[at + FIRST_TICK] as number) <= after) {
      const ms = this.#firstAfter(token, after)
      records[at + FIRST_MS] = ms
      records[at + FIRST_TICK] = Math.floor(ms / this.#resolutionMs) - this.#origin
    }
    return epochMs(records[at + FIRST_MS] as number)
  }

  lastSeen(token: number): EpochMs {
    return epochMs(this.#view.tokens.records[token * RECORD + LAST_MS] as number)
  }

  /// The window's opening price: that of the first priced swap after its beginning.
  #open(token: number, w: number): number {
    const { tokens, windows, position } = this.#view
    const { ints, f64 } = tokens.lines
    const line = token * (windows + 1) + w
    const after = position[w] as number
    if ((ints[line * INTS + TAG] as number) <= after) {
      const tick = this.#openAfter(token, after)
      ints[line * INTS + TAG] = tick
      f64[line * LINE + PRICE] = this.#openPrice
      const most = token * RECORD + OPEN_MOST
      if (tick > (tokens.records[most] as number)) tokens.records[most] = tick
    }
    return f64[line * LINE + PRICE] as number
  }

  /// After `#openAfter`: the price.
  #openPrice = Number.NaN

  /// The tick of the token's first priced swap after a tick, or NO_TICK.
  #openAfter(token: number, after: number): number {
    const slices = this.#slices
    const { tokenBlocks } = slices
    const index = slices.blockOf(after + 1)
    const slot = after + 1 - slices.beginOf(index)
    for (let node = tokenBlocks.from(token, index); node >= 0; node = tokenBlocks.next(node)) {
      const block = tokenBlocks.blockOf(node)
      const begin = slices.beginOf(block)
      if (block === index && slot > 0) {
        const cells = this.#cellsOf(block)
        const cell = firstCell(cells, token, slot, true)
        if (cell === END) continue
        this.#openPrice = cells.lines.f64[cell * LINE + PRICE] as number
        return begin + (cells.slot[cell] as number)
      }
      const priced = tokenBlocks.pricedSlot(node)
      if (priced < 0) continue
      this.#openPrice = tokenBlocks.pricedPrice(node)
      return begin + priced
    }
    this.#openPrice = Number.NaN
    return NO_TICK
  }

  /// Event time of the token's first swap after a tick; there is one.
  #firstAfter(token: number, after: number): number {
    const slices = this.#slices
    const { tokenBlocks } = slices
    const index = slices.blockOf(after + 1)
    const slot = after + 1 - slices.beginOf(index)
    for (let node = tokenBlocks.from(token, index); node >= 0; node = tokenBlocks.next(node)) {
      if (tokenBlocks.blockOf(node) !== index || slot === 0) return tokenBlocks.firstMs(node)
      const cells = this.#cellsOf(index)
      const cell = firstCell(cells, token, slot, false)
      if (cell === END) continue
      const tick = slices.beginOf(index) + (cells.slot[cell] as number) + this.#origin
      return tick * this.#resolutionMs + (cells.firstMs[cell] as number)
    }
    return Number.POSITIVE_INFINITY
  }

  #cellsOf(index: number): Cells {
    const entry = this.#slices.get(index)
    invariant(entry?.cells != null, 'a block has cells while a cursor stands in it')
    return entry.cells
  }
}

/// The token's first cell at or after a slot, of those with a priced swap if `priced`; or END.
function firstCell(cells: Cells, token: number, slot: number, priced: boolean): number {
  const place = cells.find(token)
  if (place < 0) return END
  let cell = cells.firstAt(place)
  while (
    cell !== END &&
    ((cells.slot[cell] as number) < slot || (priced && cells.pricedRow[cell] === UNPRICED))
  ) {
    cell = cells.nextOfToken[cell] as number
  }
  return cell
}
