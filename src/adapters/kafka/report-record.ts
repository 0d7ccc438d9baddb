/// Reports of topic `stats` (docs/formats/kafka-topics.md): how far a process is with a partition. The value is JSON, because
/// reports are few, and operators may want to read them. The key begins with a byte that no token's UTF-8 has.

import { epochMs, offset } from '../../core/units.js'
import { type PartitionReport, ROLLING_STATES } from '../../ports/stats-feed.js'
import { type RecordColumns, recordValue } from './record-batch.js'
import type { RecordParts } from './record-batch-builder.js'
import { StatsRecordError } from './stats-record.js'

const MARK = 0xff
const VERSION = 1

export function reportRecord(report: PartitionReport): RecordParts {
  const name = Buffer.from(`${report.replica}/${report.partition}`)
  return {
    key: Buffer.concat([Buffer.of(MARK), name]),
    value: Buffer.from(JSON.stringify({ version: VERSION, ...report })),
    timestampMs: report.at,
  }
}

export function isReport({ bytes, keyAt, keyLength }: RecordColumns, i: number): boolean {
  return (keyLength[i] ?? 0) > 0 && bytes[keyAt[i] ?? 0] === MARK
}

/// The report in row i. Throws StatsRecordError for what is none.
export function readReport(columns: RecordColumns, i: number): PartitionReport {
  try {
    return reportOf(JSON.parse(recordValue(columns, i).toString()))
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
    throw new StatsRecordError(`it is no report: ${error.message}`, false)
  }
}

function reportOf(read: unknown): PartitionReport {
  const field = (name: string, of: unknown = read): unknown => Reflect.get(Object(of), name)
  const whole = (name: string, of: unknown = read): number => {
    const value = field(name, of)
    if (typeof value !== 'number' || !Number.isSafeInteger(value))
      throw new TypeError(`${name} is no whole number`)
    return value
  }
  const string = (name: string): string => {
    const value = field(name)
    if (typeof value !== 'string') throw new TypeError(`${name} is no text`)
    return value
  }
  const time = (name: string) => (field(name) === null ? null : epochMs(whole(name)))
  const state = ROLLING_STATES.find(known => known === field('state'))
  if (state === undefined) throw new TypeError('state is none that is known')
  const gaps = field('gaps')
  if (!Array.isArray(gaps)) throw new TypeError('gaps is no list')
  const fates = field('fates')
  return {
    partition: whole('partition'),
    replica: string('replica'),
    instance: string('instance'),
    address: field('address') === null ? null : string('address'),
    // Of a program before there were secrets.
    secret: typeof field('secret') === 'string' ? string('secret') : null,
    at: epochMs(whole('at')),
    state,
    first: offset(whole('first')),
    end: offset(whole('end')),
    rolled: offset(whole('rolled')),
    checkpointed: offset(whole('checkpointed')),
    logTime: time('logTime'),
    viewTime: time('viewTime'),
    fates: {
      accepted: whole('accepted', fates),
      duplicate: whole('duplicate', fates),
      late: whole('late', fates),
      early: whole('early', fates),
      invalid: whole('invalid', fates),
      conflict: whole('conflict', fates),
    },
    gaps: gaps.map(gap => ({
      from: offset(whole('from', gap)),
      to: offset(whole('to', gap)),
      until: epochMs(whole('until', gap)),
    })),
  }
}
