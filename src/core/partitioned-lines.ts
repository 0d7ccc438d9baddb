/// Sorts records into the lines of each partition: what logs keep that store lines.

import type { KeyedRecords } from './keyed-records.js'
import { partitionOf } from './partition.js'

const NEWLINE = 0x0a

/// The records of one partition, `\n` after each.
export interface PartitionLines {
  readonly partition: number
  readonly bytes: Uint8Array
  readonly count: number
}

/// Partitions without records are left out. `bytes` is the pieces' own memory where the records are lines there
/// already, one directly after the other.
export function linesByPartition(pieces: readonly KeyedRecords[], partitions: number): PartitionLines[] {
  const [only] = pieces
  const whole = partitions === 1 && pieces.length === 1 && only !== undefined ? contiguousLines(only) : null
  if (whole !== null) return [{ partition: 0, bytes: whole, count: only?.size ?? 0 }]

  const counts = new Int32Array(partitions)
  const lengths = new Float64Array(partitions)
  const partitionsOf = pieces.map(piece => measure(piece, partitions, counts, lengths))
  const outputs = Array.from(lengths, length => new Uint8Array(length))
  const ends = new Int32Array(partitions)
  pieces.forEach((piece, i) => {
    copyLines(piece, partitionsOf[i] ?? new Int32Array(0), outputs, ends)
  })
  return outputs
    .map((bytes, partition) => ({ partition, bytes, count: counts[partition] ?? 0 }))
    .filter(({ count }) => count > 0)
}

/// Each record's partition; adds to the partitions' counts and lengths.
function measure(
  piece: KeyedRecords,
  partitions: number,
  counts: Int32Array,
  lengths: Float64Array,
): Int32Array {
  const { bytes, size, tokenAt, tokenLength, recordLength } = piece
  const found = new Int32Array(size)
  for (let i = 0; i < size; i++) {
    const partition = partitionOf(bytes, tokenAt[i] ?? 0, tokenLength[i] ?? 0, partitions)
    found[i] = partition
    counts[partition] = (counts[partition] ?? 0) + 1
    lengths[partition] = (lengths[partition] ?? 0) + (recordLength[i] ?? 0) + 1
  }
  return found
}

function copyLines(
  { bytes, size, recordAt, recordLength }: KeyedRecords,
  partitionOfRecord: Int32Array,
  outputs: readonly Uint8Array[],
  ends: Int32Array,
): void {
  for (let i = 0; i < size; i++) {
    const partition = partitionOfRecord[i] ?? 0
    const from = recordAt[i] ?? 0
    const length = recordLength[i] ?? 0
    const output = outputs[partition]
    const at = ends[partition] ?? 0
    output?.set(bytes.subarray(from, from + length), at)
    if (output !== undefined) output[at + length] = NEWLINE
    ends[partition] = at + length + 1
  }
}

/// The records' bytes where they are already lines, one directly after the other; null where something is between.
function contiguousLines({ bytes, size, recordAt, recordLength }: KeyedRecords): Uint8Array | null {
  const first = recordAt[0] ?? 0
  let end = first
  for (let row = 0; row < size; row++) {
    if (recordAt[row] !== end) return null
    end += recordLength[row] ?? 0
    if (bytes[end] !== NEWLINE) return null
    end++
  }
  return size === 0 ? null : bytes.subarray(first, end)
}
