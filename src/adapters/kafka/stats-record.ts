/// A token's statistics as a record (docs/formats/kafka-topics.md). The key is the token, the timestamp is when the
/// change was rolled, and the value depends on the statistics and on nothing else: replicas write the same bytes for
/// the same version. A token that is gone has no value, which compaction takes as “delete”, and its version in a header.
///
///   0 format u8 │ 1 zero u8 │ 2 windows u16 │ 4 layout u32 │ 8 partition i32 │ 12 offset f64 │ 20 tick f64 │
///   28 price f64 │ 36 first seen f64 │ 44 last seen f64 │ 52 windows
///
/// Little-endian. Each window is a mask, u32, of its fields that differ from the window before (from zeros, in the
/// first), then these fields, f64: long windows of a young token are equal, and most fields of a quiet one are.

import { FIELDS_PER_WINDOW, type StatsUpdate, type StatsVersion, versionText } from '../../core/stats.js'
import { epochMs, offset, tick } from '../../core/units.js'
import { type RecordColumns, readHeaders } from './record-batch.js'
import type { RecordParts } from './record-batch-builder.js'

const FORMAT = 1
const HEAD_BYTES = 52
const VERSION_HEADER = 'volumer-version'
/// One NaN: binary64 has many.
const NAN = Number.NaN

/// What the cells of an update mean: writers and readers must agree on it.
export interface StatsLayout {
  readonly windows: number
  readonly resolutionMs: number
  /// Of the window lengths and the resolution.
  readonly hash: number
}

export function statsLayout(windowLengthsMs: readonly number[], resolutionMs: number): StatsLayout {
  const text = `${resolutionMs}:${windowLengthsMs.join(',')}`
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return { windows: windowLengthsMs.length, resolutionMs, hash: hash >>> 0 }
}

/// Why a record of the topic is no update.
export class StatsRecordError extends Error {
  override readonly name = 'StatsRecordError'
  /// A version or a layout that this program does not have: not poison, but a program of another configuration.
  readonly foreign: boolean
  constructor(message: string, foreign: boolean) {
    super(message)
    this.foreign = foreign
  }
}

export class StatsRecordCodec {
  readonly #layout: StatsLayout
  readonly #scratch: Buffer

  constructor(layout: StatsLayout) {
    this.#layout = layout
    this.#scratch = Buffer.alloc(HEAD_BYTES + layout.windows * (4 + 8 * FIELDS_PER_WINDOW))
  }

  /// The record of an update; its value is valid until the next call.
  encode(update: StatsUpdate, key: Buffer, nowMs: number): RecordParts {
    const timestampMs = update.rolledAt ?? nowMs
    if (update.cells === null) {
      return { key, value: null, headers: [[VERSION_HEADER, Buffer.from(versionText(update))]], timestampMs }
    }
    const bytes = this.#scratch
    bytes.writeUInt8(FORMAT, 0)
    bytes.writeUInt8(0, 1)
    bytes.writeUInt16LE(this.#layout.windows, 2)
    bytes.writeUInt32LE(this.#layout.hash, 4)
    bytes.writeInt32LE(update.partition, 8)
    bytes.writeDoubleLE(update.offset, 12)
    bytes.writeDoubleLE(update.tick, 20)
    writeNumber(bytes, update.price, 28)
    bytes.writeDoubleLE(update.firstSeen, 36)
    bytes.writeDoubleLE(update.lastSeen, 44)
    const end = this.#encodeCells(update.cells)
    return { key, value: bytes.subarray(0, end), timestampMs }
  }

  /// The update in row i. Throws StatsRecordError.
  decode(columns: RecordColumns, i: number, baseTimestampMs: number): StatsUpdate {
    const { bytes, keyAt, keyLength, valueAt, valueLength, timestampDelta } = columns
    const keyFrom = keyAt[i] ?? 0
    const keyBytes = keyLength[i] ?? -1
    if (keyBytes < 1) throw new StatsRecordError('it has no key', false)
    const token = bytes.toString('utf8', keyFrom, keyFrom + keyBytes)
    const rolledAt = epochMs(baseTimestampMs + (timestampDelta[i] ?? 0))
    const length = valueLength[i] ?? -1
    if (length < 0) return { token, ...goneVersion(columns, i), cells: null, rolledAt }
    const value = bytes.subarray(valueAt[i] ?? 0, (valueAt[i] ?? 0) + length)
    return { token, ...this.#decodeValue(value), rolledAt }
  }

  #encodeCells(cells: Float64Array): number {
    const bytes = this.#scratch
    let at = HEAD_BYTES
    for (let window = 0; window < this.#layout.windows; window++) {
      const maskAt = at
      at += 4
      let mask = 0
      for (let field = 0; field < FIELDS_PER_WINDOW; field++) {
        const index = window * FIELDS_PER_WINDOW + field
        const cell = cells[index] ?? 0
        const before = window === 0 ? 0 : (cells[index - FIELDS_PER_WINDOW] ?? 0)
        if (cell === before || (Number.isNaN(cell) && Number.isNaN(before))) continue
        mask |= 1 << field
        writeNumber(bytes, cell, at)
        at += 8
      }
      bytes.writeUInt32LE(mask, maskAt)
    }
    return at
  }

  #decodeValue(value: Buffer) {
    if (value.length < HEAD_BYTES) throw new StatsRecordError('its value is too short', false)
    const format = value.readUInt8(0)
    if (format !== FORMAT) {
      throw new StatsRecordError(`it has format ${format}, and only format ${FORMAT} is known`, true)
    }
    if (value.readUInt32LE(4) !== this.#layout.hash || value.readUInt16LE(2) !== this.#layout.windows) {
      throw new StatsRecordError('it was written with other windows or another resolution', true)
    }
    const at = tick(value.readDoubleLE(20))
    return {
      partition: value.readInt32LE(8),
      offset: offset(value.readDoubleLE(12)),
      tick: at,
      asOf: epochMs(at * this.#layout.resolutionMs),
      price: value.readDoubleLE(28),
      firstSeen: epochMs(value.readDoubleLE(36)),
      lastSeen: epochMs(value.readDoubleLE(44)),
      cells: this.#decodeCells(value),
    }
  }

  #decodeCells(value: Buffer): Float64Array {
    const cells = new Float64Array(this.#layout.windows * FIELDS_PER_WINDOW)
    let at = HEAD_BYTES
    for (let window = 0; window < this.#layout.windows; window++) {
      const base = window * FIELDS_PER_WINDOW
      if (window > 0) cells.copyWithin(base, base - FIELDS_PER_WINDOW, base)
      if (at + 4 > value.length) throw new StatsRecordError('its value ends too early', false)
      let mask = value.readUInt32LE(at)
      at += 4
      if (mask >= 2 ** FIELDS_PER_WINDOW) throw new StatsRecordError('a mask has unknown fields', false)
      for (let field = 0; mask !== 0; field++, mask >>>= 1) {
        if ((mask & 1) === 0) continue
        if (at + 8 > value.length) throw new StatsRecordError('its value ends too early', false)
        cells[base + field] = value.readDoubleLE(at)
        at += 8
      }
    }
    if (at !== value.length) throw new StatsRecordError('its value is longer than it says', false)
    return cells
  }
}

function goneVersion({ bytes, headersAt }: RecordColumns, i: number): StatsVersion {
  const text =
    readHeaders(bytes, headersAt[i] ?? 0)
      .get(VERSION_HEADER)
      ?.toString() ?? ''
  const match = /^(\d{1,10}):(\d{1,16}):(-?\d{1,16})$/.exec(text)
  if (match === null) throw new StatsRecordError('it deletes a token without saying at which version', false)
  return { partition: Number(match[1]), offset: offset(Number(match[2])), tick: tick(Number(match[3])) }
}

function writeNumber(bytes: Buffer, value: number, at: number): void {
  bytes.writeDoubleLE(Number.isNaN(value) ? NAN : value, at)
}
