/// Records of topic `rolls` (docs/formats/rolls.md): deltas, gaps of the log, that swaps were carried, and what a backfill writes. The key is
/// `partition:coversFrom`; the value is a header, and a payload after it. Little-endian:
///
///   0 format u8 │ 1 kind u8 │ 2 zero u16 │ 4 partition i32 │ 8 covers from f64 │ 16 covers to f64 │ 24 log time f64 │
///   32 highest block f64 │ 40 leader epoch i32 │ 44 rules u32 │ 48 id of topic trades │ 64 writer │
///   80 spread u32 │ 84 state u32 │ 88 CRC-32 u32 │ 92 payload
///
/// The CRC covers all before and all after it. Kafka has checksums of its own; this one is for what was copied by
/// other programs.

import { crc32 } from 'node:zlib'
import { epochMs, offset } from '../../core/units.js'
import { UnknownFormatError } from '../../ports/errors.js'
import type { Delta, DeltaHeader } from '../../ports/state-store.js'
import { type RecordColumns, recordValue } from './record-batch.js'
import type { RecordParts } from './record-batch-builder.js'

/// Of a state that has grown from nothing; and of one that a backfill wrote, since programs that do not know such would take the
/// state before for its beginning.
const FORMAT_GROWN = 1
const FORMAT_REBUILT = 2
const KIND = { delta: 0, gap: 1, carried: 2, began: 3, parts: 4, ended: 5 } as const
const KIND_NAMES = ['delta', 'gap', 'carried', 'began', 'parts', 'ended'] as const
export const ROLL_HEADER_BYTES = 92
const CRC_AT = 88
const ID_BYTES = 16

/// What every record says of itself.
export interface RollHeader extends DeltaHeader {
  readonly kind: keyof typeof KIND
  readonly partition: number
  /// Of the last record of trades that is covered; −1 where it is not known.
  readonly leaderEpoch: number
  /// Hash of what decides which swaps are accepted: writers must agree on it.
  readonly rules: number
  /// Of topic trades: 32 hexadecimal digits.
  readonly tradesId: string
  /// Names the process that wrote it: 32 hexadecimal digits.
  readonly writer: string
  /// Of how many partitions this one (`carried`), or every one (`delta`), has carried its swaps; see ports/state-store.ts.
  readonly spread: number
  /// Of which state it is: 0 for the one that has grown from nothing, else 1 and the offset of the record that began it
  /// (`began`, which says 0 itself: it is not known before it is there).
  readonly state: number
}

export interface RollRecord extends RollHeader {
  readonly payload: Uint8Array
}

/// Why a record of the topic is none of ours.
export class RollRecordError extends Error {
  override readonly name = 'RollRecordError'
}

/// Of a gap, `logTime` is until when it matters. Of what a backfill writes: `began` covers what its deltas will; `parts` covers bytes of
/// the stream of parts (rolls-parts.ts); `ended` covers from the length of that stream, to where the deltas end.
export function rollRecord(roll: RollRecord, nowMs: number): RecordParts {
  const { payload } = roll
  const value = Buffer.alloc(ROLL_HEADER_BYTES + payload.length)
  value.writeUInt8(roll.state === 0 && roll.kind !== 'began' ? FORMAT_GROWN : FORMAT_REBUILT, 0)
  value.writeUInt8(KIND[roll.kind], 1)
  value.writeInt32LE(roll.partition, 4)
  value.writeDoubleLE(roll.coversFrom, 8)
  value.writeDoubleLE(roll.coversTo, 16)
  value.writeDoubleLE(roll.logTime, 24)
  value.writeDoubleLE(roll.maxBlock, 32)
  value.writeInt32LE(roll.leaderEpoch, 40)
  value.writeUInt32LE(roll.rules, 44)
  value.write(roll.tradesId, 48, 'hex')
  value.write(roll.writer, 64, 'hex')
  value.writeUInt32LE(roll.spread, 80)
  value.writeUInt32LE(roll.state, 84)
  value.set(payload, ROLL_HEADER_BYTES)
  value.writeUInt32LE(checksum(value), CRC_AT)
  return { key: Buffer.from(`${roll.partition}:${roll.coversFrom}`), value, timestampMs: nowMs }
}

/// The record in row i; its payload is a view. Throws RollRecordError for what is no such record, and UnknownFormatError for
/// one of a version that this program does not know.
export function readRoll(columns: RecordColumns, i: number): RollRecord {
  const value = recordValue(columns, i)
  if (value.length < ROLL_HEADER_BYTES) throw new RollRecordError('it is too short')
  const format = value.readUInt8(0)
  if (format !== FORMAT_GROWN && format !== FORMAT_REBUILT) {
    if (!isOurs(columns, i)) throw new RollRecordError('it is none of Volumer’s')
    throw new UnknownFormatError(
      `A record of topic rolls has format ${format}; this program reads format ${FORMAT_GROWN} and format ${FORMAT_REBUILT}.`,
    )
  }
  if (checksum(value) !== value.readUInt32LE(CRC_AT)) throw new RollRecordError('it fails its checksum')
  const kind = value.readUInt8(1)
  const known = KIND_NAMES.find(name => KIND[name] === kind)
  if (known === undefined) throw new RollRecordError(`it is of an unknown kind, ${kind}`)
  return {
    kind: known,
    partition: value.readInt32LE(4),
    coversFrom: offset(value.readDoubleLE(8)),
    coversTo: offset(value.readDoubleLE(16)),
    logTime: epochMs(value.readDoubleLE(24)),
    maxBlock: value.readDoubleLE(32),
    leaderEpoch: value.readInt32LE(40),
    rules: value.readUInt32LE(44),
    tradesId: value.toString('hex', 48, 48 + ID_BYTES),
    writer: value.toString('hex', 64, 64 + ID_BYTES),
    spread: value.readUInt32LE(80),
    state: value.readUInt32LE(84),
    payload: value.subarray(ROLL_HEADER_BYTES),
  }
}

export const deltaOf = ({ coversFrom, coversTo, logTime, maxBlock, payload }: RollRecord): Delta => ({
  coversFrom,
  coversTo,
  logTime,
  maxBlock,
  payload,
})

/// Whether the key is one of ours: then a format that is not known is that of another version.
function isOurs({ bytes, keyAt, keyLength }: RecordColumns, i: number): boolean {
  const at = keyAt[i] ?? 0
  return /^\d+:\d+$/.test(bytes.toString('latin1', at, at + Math.max(0, keyLength[i] ?? 0)))
}

function checksum(value: Buffer): number {
  return crc32(value.subarray(ROLL_HEADER_BYTES), crc32(value.subarray(0, CRC_AT)))
}

/// What decides which swaps of a log are accepted.
export interface Rules {
  readonly resolutionMs: number
  readonly retentionMs: number
  readonly earlyToleranceMs: number
  readonly dedupeHorizonMs: number
}

export function rulesHash({ resolutionMs, retentionMs, earlyToleranceMs, dedupeHorizonMs }: Rules): number {
  return crc32([resolutionMs, retentionMs, earlyToleranceMs, dedupeHorizonMs].join(':'))
}
