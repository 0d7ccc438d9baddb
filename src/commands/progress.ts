/// A progress bar on a terminal; nothing anywhere else.

import type { Clock } from '../ports/clock.js'
import type { OutputStream } from './context.js'

const REDRAW_MS = 100

export class ProgressBar {
  readonly #stream: OutputStream
  readonly #clock: Clock
  readonly #label: string
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawn = false

  constructor(stream: OutputStream, clock: Clock, label: string) {
    this.#stream = stream
    this.#clock = clock
    this.#label = label
  }

  /// `share` is 0 … 1, `note` stands behind the bar. Draws at most ten times a second.
  update(share: number, note = ''): void {
    if (!this.#stream.isTTY) return
    const now = this.#clock.now()
    if (now - this.#drawnAt < REDRAW_MS) return
    this.#drawnAt = now
    this.#drawn = true
    this.#stream.write(`\r${barText(this.#label, share, note, this.#stream.columns ?? 80)}\x1b[K`)
  }

  /// Removes the bar, so that what follows stands on a clean line.
  end(): void {
    if (this.#drawn) this.#stream.write('\r\x1b[K')
    this.#drawn = false
  }
}

/// `label [#####.....]  50% note`, cut to the terminal's width.
export function barText(label: string, share: number, note: string, columns: number): string {
  const bounded = Math.min(1, Math.max(0, share))
  const percent = `${Math.floor(bounded * 100)}%`.padStart(4)
  const width = Math.min(40, Math.max(10, columns - label.length - note.length - 12))
  const full = Math.round(bounded * width)
  return `${label} [${'#'.repeat(full)}${'.'.repeat(width - full)}]${percent} ${note}`.slice(0, columns - 1)
}
