/// A dead letter as a record (docs/formats/kafka-topics.md): the value is the input as it came, so that it can be sent
/// again as it is; everything else is in headers, as text.

import { epochMs, offset } from '../../core/units.js'
import type { DeadLetter, LetterOrigin } from '../../ports/dead-letters.js'
import { type RecordColumns, readHeaders } from './record-batch.js'
import type { RecordParts } from './record-batch-builder.js'

const FATES = ['late', 'early', 'invalid'] as const
/// As every adapter keeps it (ports/dead-letters.ts).
const INPUT_BYTES_MAX = 4096

export function letterRecord(letter: DeadLetter, tradesTopic: string, nowMs: number): RecordParts {
  const { fate, field, reason, time, origin, input } = letter
  const headers: [string, Buffer][] = [
    ['volumer-fate', Buffer.from(fate)],
    ['volumer-reason', Buffer.from(reason)],
    ['volumer-time', Buffer.from(String(time))],
  ]
  if (field !== null) headers.push(['volumer-field', Buffer.from(field)])
  headers.push(...originHeaders(origin, tradesTopic))
  const value = Buffer.from(input.buffer, input.byteOffset, Math.min(input.length, INPUT_BYTES_MAX))
  return { key: null, value, headers, timestampMs: nowMs }
}

function originHeaders(origin: LetterOrigin, tradesTopic: string): [string, Buffer][] {
  if (origin.kind === 'http') return [['volumer-line', Buffer.from(String(origin.line))]]
  return [
    ['volumer-topic', Buffer.from(origin.kind === 'topic' ? origin.topic : tradesTopic)],
    ['volumer-partition', Buffer.from(String(origin.partition))],
    ['volumer-offset', Buffer.from(String(origin.offset))],
  ]
}

/// The letter in row i; null when it is none of ours.
export function readLetter(columns: RecordColumns, i: number, tradesTopic: string): DeadLetter | null {
  const headers = readHeaders(columns.bytes, columns.headersAt[i] ?? 0)
  const text = (name: string): string | null => headers.get(name)?.toString() ?? null
  const number = (name: string): number => Number(text(name) ?? Number.NaN)
  const fate = FATES.find(known => known === text('volumer-fate'))
  const time = number('volumer-time')
  const line = number('volumer-line')
  const topic = text('volumer-topic') ?? tradesTopic
  const [partition, at] = [number('volumer-partition'), number('volumer-offset')]
  const place = { partition, offset: offset(at) }
  const origin: LetterOrigin = Number.isInteger(line)
    ? { kind: 'http', line }
    : topic === tradesTopic
      ? { kind: 'log', ...place }
      : { kind: 'topic', topic, ...place }
  const known = origin.kind === 'http' || (Number.isInteger(partition) && Number.isInteger(at))
  if (fate === undefined || !Number.isInteger(time) || !known) return null
  const from = columns.valueAt[i] ?? 0
  return {
    fate,
    field: text('volumer-field'),
    reason: text('volumer-reason') ?? '',
    time: epochMs(time),
    origin,
    input: Uint8Array.from(columns.bytes.subarray(from, from + Math.max(0, columns.valueLength[i] ?? 0))),
  }
}
