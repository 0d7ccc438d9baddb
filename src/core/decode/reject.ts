/// What could not be decoded, and how messages show it.

import type { SwapBatch } from '../swap-batch.js'

/// A record longer than this is invalid.
export const MAX_RECORD_BYTES = 65_536

/// A record of the input that is no valid swap.
export interface Reject {
  /// Index of the record (non-blank line, array element, CSV row) within the input, from 0.
  readonly record: number
  /// Line of the input on which the record begins, from 1.
  readonly line: number
  /// The field at fault; null when the record as a whole is.
  readonly field: string | null
  /// For people: what was wanted and what came. `usd: wanted a decimal between 0 and 9000000000, got "NaN"`
  readonly reason: string
  /// The record as it came: a range of the batch's bytes.
  readonly at: number
  readonly length: number
}

/// Every record of the input is either a row of the batch or a reject.
export interface DecodeResult {
  /// Valid until the decoder's next call, which reuses it. Its `bytes` are the input's own memory where nothing had
  /// to be rewritten, so the input must not change as long as the batch is in use.
  readonly batch: SwapBatch
  readonly records: number
  /// In order. There can be one for every two bytes of input, so whoever takes input from strangers bounds its size.
  readonly rejects: readonly Reject[]
}

const SHOWN_CHARACTERS = 40
const text = new TextDecoder('utf-8', { ignoreBOM: true })

/// At most 40 characters of the bytes, with what cannot be seen escaped and an ellipsis where it was cut.
function shown(bytes: Uint8Array, at: number, end: number): string {
  // Four bytes are the most that a character takes; one more character tells whether there is more.
  const head = [...text.decode(bytes.subarray(at, Math.min(end, at + 4 * (SHOWN_CHARACTERS + 1))))]
  const cut = head.length > SHOWN_CHARACTERS
  const visible = head
    .slice(0, SHOWN_CHARACTERS)
    .join('')
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, c => `\\u{${c.codePointAt(0)?.toString(16)}}`)
  return cut ? `${visible}…` : visible
}

/// The bytes in quotes.
export function quoted(bytes: Uint8Array, at: number, end: number): string {
  return `"${shown(bytes, at, end)}"`
}

/// The bytes as they are, for numbers and literals.
export function bare(bytes: Uint8Array, at: number, end: number): string {
  return shown(bytes, at, end)
}
