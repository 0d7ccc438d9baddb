/// The fields of a swap, and what a record gave for each: the step between a record's syntax (JSON, CSV) and its
/// meaning (row-writer.ts).

export const SwapField = {
  ID: 0,
  TIME: 1,
  WHO: 2,
  TOKEN: 3,
  SIDE: 4,
  AMOUNT: 5,
  USD: 6,
  BLOCK: 7,
  TX_INDEX: 8,
  LOG_INDEX: 9,
  PRICE: 10,
  TX: 11,
  CHAIN: 12,
} as const

/// Names on the wire, by SwapField.
export const FIELD_NAMES = [
  'id',
  'time',
  'who',
  'token',
  'side',
  'amount',
  'usd',
  'block',
  'txIndex',
  'logIndex',
  'price',
  'tx',
  'chain',
] as const

/// The fields before this one must be given.
export const REQUIRED_FIELDS = 7

export const FIELD_COUNT = FIELD_NAMES.length

/// How a field was given.
export const Kind = {
  NONE: 0,
  NULL: 1,
  /// A string, or a CSV field.
  STRING: 2,
  NUMBER: 3,
  /// true, false, an object or an array.
  OTHER: 4,
} as const

/// The value of each field of one record: its kind and the range of bytes with its content (a string's without the
/// quotes, and unescaped).
export class GivenFields {
  readonly kind = new Uint8Array(FIELD_COUNT)
  readonly at = new Int32Array(FIELD_COUNT)
  readonly length = new Int32Array(FIELD_COUNT)

  clear(): void {
    this.kind.fill(Kind.NONE)
  }

  set(field: number, kind: number, at: number, length: number): void {
    this.kind[field] = kind
    this.at[field] = at
    this.length[field] = length
  }
}

const KEYS = FIELD_NAMES.map(name => new TextEncoder().encode(name))

/// The field that bytes[at … at + length − 1] name, or −1.
export function fieldNamed(bytes: Uint8Array, at: number, length: number): number {
  return KEYS.findIndex(key => key.length === length && key.every((byte, i) => bytes[at + i] === byte))
}
