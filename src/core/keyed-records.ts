/// Records on their way into the trade log: each is one JSON document together with the token that it is keyed by, as
/// ranges of `bytes`. A SwapBatch is one. Several in a row are one append: a large body is decoded in pieces.
export interface KeyedRecords {
  /// How many there are; the columns may be longer.
  readonly size: number
  readonly bytes: Uint8Array
  /// Record i is bytes[recordAt[i] … recordAt[i] + recordLength[i] − 1] and holds no line break.
  readonly recordAt: Int32Array
  readonly recordLength: Int32Array
  /// Its token in UTF-8, without JSON's escapes.
  readonly tokenAt: Int32Array
  readonly tokenLength: Int32Array
}

/// The same records with columns of their own, for a batch whose decoder goes on to reuse it.
export function keptRecords({
  size,
  bytes,
  recordAt,
  recordLength,
  tokenAt,
  tokenLength,
}: KeyedRecords): KeyedRecords {
  return {
    size,
    bytes,
    recordAt: recordAt.slice(0, size),
    recordLength: recordLength.slice(0, size),
    tokenAt: tokenAt.slice(0, size),
    tokenLength: tokenLength.slice(0, size),
  }
}

export function recordsIn(pieces: readonly KeyedRecords[]): number {
  return pieces.reduce((sum, { size }) => sum + size, 0)
}
