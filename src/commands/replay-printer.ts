/// What `volumer replay` prints: a JSON line per token in the shape of the API, the same flattened to CSV, or a
/// table for people.

import type { TokenStats } from '../core/stats.js'
import type { Window } from '../core/windows.js'
import { type PlacedWindow, placeWindows } from '../delivery/wire/metrics.js'
import { encodeStats } from '../delivery/wire/stats.js'
import type { OutputStream } from './context.js'
import { readStats } from './shown-stats.js'
import { isoSecond } from './stats.js'
import { columnsText, printable, usdText } from './table.js'

const CHUNK_CHARS = 1 << 16

export class ReplayPrinter {
  readonly #format: 'ndjson' | 'csv' | 'table'
  readonly #windows: readonly PlacedWindow[]
  readonly #stdout: OutputStream
  #headPrinted = false

  /// `rolled` are the roller's windows, `printed` those of them that are wanted.
  constructor(
    format: 'ndjson' | 'csv' | 'table',
    rolled: readonly Window[],
    printed: readonly Window[],
    stdout: OutputStream,
  ) {
    this.#format = format
    this.#windows = placeWindows(rolled).filter(({ name }) => printed.some(window => window.name === name))
    this.#stdout = stdout
  }

  /// The tokens of one instant.
  async print(tokens: Iterable<TokenStats>): Promise<void> {
    let text = ''
    for (const piece of this.#pieces(tokens)) {
      text += piece
      if (text.length < CHUNK_CHARS) continue
      await this.#write(text)
      text = ''
    }
    await this.#write(text)
  }

  /// Waits while the reader is slower.
  #write(text: string): Promise<void> {
    return new Promise(resolve => {
      if (text === '') resolve()
      else this.#stdout.write(text, () => resolve())
    })
  }

  *#pieces(tokens: Iterable<TokenStats>): Generator<string> {
    switch (this.#format) {
      case 'ndjson':
        for (const stats of tokens) yield `${encodeStats(stats, this.#windows)}\n`
        return
      case 'csv':
        for (const stats of tokens) yield* this.#csvLines(encodeStats(stats, this.#windows))
        return
      case 'table':
        yield this.#table(tokens)
        return
      default:
        return this.#format satisfies never
    }
  }

  *#csvLines(json: string): Generator<string> {
    const columns = [...flattened('', JSON.parse(json))]
    if (!this.#headPrinted) yield `${columns.map(([name]) => name).join(',')}\n`
    this.#headPrinted = true
    yield `${columns.map(([, value]) => csvField(value)).join(',')}\n`
  }

  #table(tokens: Iterable<TokenStats>): string {
    const rows: string[][] = []
    let asOf = ''
    for (const stats of tokens) {
      const shown = readStats(JSON.parse(encodeStats(stats, this.#windows)))
      if (shown === null) continue
      asOf = `as of ${isoSecond(shown.asOf)}\n\n`
      const name = printable(shown.token)
      rows.push([
        name.length > 44 ? `${name.slice(0, 43)}…` : name,
        shown.priceUsd ?? '-',
        ...shown.windows.flatMap(window => [usdText(window.volume), String(window.buys + window.sells)]),
      ])
    }
    const head = ['token', 'price $', ...this.#windows.flatMap(({ name }) => [`${name} $`, 'txns'])]
    const blank = this.#headPrinted ? '\n' : ''
    this.#headPrinted = true
    return rows.length === 0 ? '' : `${blank}${asOf}${columnsText([head, ...rows])}`
  }
}

/// `volume.m5`, `txns.m5.buys`, … in the document's order.
function* flattened(prefix: string, value: unknown): Generator<[string, unknown]> {
  if (typeof value !== 'object' || value === null) yield [prefix, value]
  else {
    for (const [key, inner] of Object.entries(value))
      yield* flattened(prefix === '' ? key : `${prefix}.${key}`, inner)
  }
}

function csvField(value: unknown): string {
  const text = value === null ? '' : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
