/// Takes a body of swaps: validates every record, appends the valid ones as they came to the trade log, and keeps the
/// invalid ones in the dead letters. Both are durable when `take` resolves.
///
/// Lines are decoded in pieces with a turn of the event loop between them, so that a large body delays nobody's
/// updates by more than a piece. An array is one piece.

import { JsonDecoder } from '../core/decode/json-decoder.js'
import type { DecodeResult, Reject } from '../core/decode/reject.js'
import { type KeyedRecords, keptRecords, recordsIn } from '../core/keyed-records.js'
import type { Clock } from '../ports/clock.js'
import type { DeadLetter, DeadLetters } from '../ports/dead-letters.js'
import type { TradeLog } from '../ports/trade-log.js'
import { ProblemError } from './wire/problem.js'
import { INVALID_LISTED_MAX, type InvalidRecord, type TradesAnswer } from './wire/trades.js'

const NEWLINE = 0x0a
/// About 300 swaps: a fraction of a millisecond.
const PIECE_BYTES = 64 * 1024
/// A body with more invalid records is no batch of swaps with some errors; it is refused whole.
const INVALID_MAX = 10_000
const LETTER_INPUT_BYTES = 4096

export interface Taken {
  readonly answer: TradesAnswer
  /// Records of the body, valid or not.
  readonly count: number
}

export interface Intake {
  /// `bytes` must not change until the promise settles, and belong to the log afterwards. Rejects with ProblemError,
  /// LogFullError, LogUnavailableError or StorageFullError; the whole body may then be sent again, because ids make swaps count once.
  take(bytes: Buffer, form: 'lines' | 'array'): Promise<Taken>
}

export interface IntakeOptions {
  readonly log: TradeLog
  readonly deadLetters: DeadLetters
  readonly clock: Clock
  /// Resolves in a later turn of the event loop, after what is ready to be read and written.
  nextTurn(): Promise<void>
}

/// What a body has come to so far.
interface Harvest {
  /// The valid records, in pieces.
  readonly pieces: KeyedRecords[]
  readonly letters: DeadLetter[]
  readonly invalid: InvalidRecord[]
}

export function intake({ log, deadLetters, clock, nextTurn }: IntakeOptions): Intake {
  const decoder = new JsonDecoder()

  function gather(
    harvest: Harvest,
    decoded: DecodeResult,
    linesBefore: number,
    form: 'lines' | 'array',
  ): void {
    if (harvest.letters.length + decoded.rejects.length > INVALID_MAX) {
      const detail = `more than ${INVALID_MAX} records are invalid; nothing was taken`
      throw new ProblemError('invalid-body', detail)
    }
    const time = clock.now()
    for (const reject of decoded.rejects) {
      const line = reject.line + linesBefore
      harvest.letters.push(letterOf(reject, line, decoded.batch.bytes, time))
      if (harvest.invalid.length === INVALID_LISTED_MAX) continue
      const { field, reason } = reject
      const place = form === 'array' ? { line, index: reject.record } : { line }
      harvest.invalid.push({ ...place, field, reason })
    }
    if (decoded.batch.size > 0) harvest.pieces.push(keptRecords(decoded.batch))
  }

  async function decodeLines(bytes: Buffer, harvest: Harvest): Promise<void> {
    let linesBefore = 0
    for (let at = 0; at < bytes.length; ) {
      if (at > 0) await nextTurn()
      const end = pieceEnd(bytes, at)
      const piece = bytes.subarray(at, end)
      gather(harvest, decoder.decodeLines(piece), linesBefore, 'lines')
      linesBefore += countLineEnds(piece)
      at = end
    }
  }

  return {
    async take(bytes, form) {
      const harvest: Harvest = { pieces: [], letters: [], invalid: [] }
      if (form === 'lines') await decodeLines(bytes, harvest)
      else gather(harvest, decoder.decodeArray(bytes, INVALID_MAX + 1), 0, 'array')

      const append = harvest.pieces.length === 0 ? undefined : log.append(harvest.pieces)
      const letters = harvest.letters.length === 0 ? undefined : deadLetters.append(harvest.letters)
      // Both are waited for, also when one fails: the bytes are in use until then.
      for (const outcome of await Promise.allSettled([append, letters])) {
        if (outcome.status === 'rejected') throw outcome.reason
      }

      const appended = recordsIn(harvest.pieces)
      const invalidTotal = harvest.letters.length
      const cut = invalidTotal > harvest.invalid.length ? { invalidTotal } : {}
      const answer = { appended, invalid: harvest.invalid, ...cut }
      return { answer, count: appended + invalidTotal }
    },
  }
}

/// Where the piece that begins at `at` ends: behind the last line end within the piece's size, else behind the next.
function pieceEnd(bytes: Buffer, at: number): number {
  if (bytes.length - at <= PIECE_BYTES) return bytes.length
  const last = bytes.lastIndexOf(NEWLINE, at + PIECE_BYTES - 1)
  const lineEnd = last >= at ? last : bytes.indexOf(NEWLINE, at + PIECE_BYTES)
  return lineEnd < 0 ? bytes.length : lineEnd + 1
}

function countLineEnds(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++
  return count
}

function letterOf(reject: Reject, line: number, bytes: Uint8Array, time: DeadLetter['time']): DeadLetter {
  const { field, reason, at, length } = reject
  const input = bytes.slice(at, at + Math.min(length, LETTER_INPUT_BYTES))
  return { fate: 'invalid', field, reason, time, origin: { kind: 'http', line }, input }
}
