/// DuckDB's vectors as the bytes that they are (docs of DuckDB's C API, duckdb_vector_get_data), in 32-bit words: the
/// bindings' own make a bigint or an object of each value, which takes longer than everything else together.

import type { DuckDBDataChunk } from '@duckdb/node-api'
import duckdb from '@duckdb/node-bindings'

/// Of a chunk, at most.
export const CHUNK_ROWS = 2048

/// A column's values, each `width` bytes wide. They belong to the chunk.
export function vectorBytes({ chunk, rowCount }: DuckDBDataChunk, column: number, width: number): Uint8Array {
  return duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, column), rowCount * width)
}

export function words(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
}

export function doubles(bytes: Uint8Array): Float64Array {
  return new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8)
}

/// 64-bit integers within ±2^53.
export function longs(bytes: Uint8Array, into: Float64Array, rows: number): void {
  const halves = words(bytes)
  for (let i = 0; i < rows; i++) {
    into[i] = (halves[2 * i + 1] as number) * 0x1_0000_0000 + ((halves[2 * i] as number) >>> 0)
  }
}
