/// The swaps of a log batch, for whoever has nothing to say about the records that are none.

import type { JsonDecoder } from '../core/decode/json-decoder.js'
import type { DecodeResult } from '../core/decode/reject.js'
import type { LogBatch } from '../ports/trade-log.js'

const NOTHING = new Uint8Array(0)

/// Poison has no swaps in it.
export function decodeLogged(decoder: JsonDecoder, { bytes, ranges, broken }: LogBatch): DecodeResult {
  if (broken !== null) return decoder.decodeLines(NOTHING)
  return ranges === null ? decoder.decodeLines(bytes) : decoder.decodeRanges(bytes, ranges.at, ranges.length)
}
