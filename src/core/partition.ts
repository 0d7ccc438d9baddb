/// Which partition a token's swaps belong to: murmur2 of the token's UTF-8 bytes, as Apache Kafka's own producers
/// choose it for a keyed record. So a swap lands in the same partition whoever appends it.

const SEED = 0x9747b28c
const M = 0x5bd1e995

/// murmur2 of length bytes from `at` on, as a signed 32-bit integer.
export function murmur2(bytes: Uint8Array, at: number, length: number): number {
  let h = SEED ^ length
  const end = at + length
  let i = at
  for (; i + 4 <= end; i += 4) {
    let k =
      byte(bytes, i) | (byte(bytes, i + 1) << 8) | (byte(bytes, i + 2) << 16) | (byte(bytes, i + 3) << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const left = end - i
  if (left > 2) h ^= byte(bytes, i + 2) << 16
  if (left > 1) h ^= byte(bytes, i + 1) << 8
  if (left > 0) h = Math.imul(h ^ byte(bytes, i), M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/// The partition, 0 … partitions − 1, of the token whose UTF-8 bytes are given.
export function partitionOf(bytes: Uint8Array, at: number, length: number, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(bytes, at, length) & 0x7fffffff) % partitions
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
