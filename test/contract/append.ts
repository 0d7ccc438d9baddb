/// Appending to one partition of a log, as most tests want it.
import assert from 'node:assert/strict'
import type { KeyedRecords } from '../../src/core/keyed-records.js'
import { partitionOf } from '../../src/core/partition.js'
import { type Offset, offset } from '../../src/core/units.js'
import type { TradeLog } from '../../src/ports/trade-log.js'

const NEWLINE = 0x0a

/// A token whose partition it is.
export function tokenOf(partition: number, partitions: number): string {
  for (let i = 0; ; i++) {
    const name = `token${i}`
    if (partitionOf(Buffer.from(name), 0, name.length, partitions) === partition) return name
  }
}

/// Records of one token from lines. The lines come first in `bytes`, one directly after the other.
export function keyedLines(lines: Uint8Array, token: string): KeyedRecords {
  const ends: number[] = []
  for (let at = lines.indexOf(NEWLINE); at >= 0; at = lines.indexOf(NEWLINE, at + 1)) ends.push(at)
  const starts = ends.map((_, i) => (i === 0 ? 0 : (ends[i - 1] ?? 0) + 1))
  return {
    size: ends.length,
    bytes: Buffer.concat([lines, Buffer.from(token)]),
    recordAt: Int32Array.from(starts),
    recordLength: Int32Array.from(ends, (end, i) => end - (starts[i] ?? 0)),
    tokenAt: new Int32Array(ends.length).fill(lines.length),
    tokenLength: new Int32Array(ends.length).fill(Buffer.byteLength(token)),
  }
}

/// Appends `count` lines to a partition; resolves with the first one's offset.
export async function append(
  log: Pick<TradeLog, 'append' | 'partitions'>,
  partition: number,
  lines: Uint8Array,
  count: number,
): Promise<{ readonly partition: number; readonly firstOffset: Offset; readonly count: number }> {
  const records = keyedLines(lines, tokenOf(partition, log.partitions))
  assert.equal(records.size, count)
  const [appended, ...more] = await log.append([records])
  assert.ok(appended !== undefined && more.length === 0)
  assert.deepEqual([appended.partition, appended.count], [partition, count])
  return { partition, count, firstOffset: offset(appended.end - count) }
}
