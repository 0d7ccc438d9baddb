/// A batch of validated swaps in columns: what decoders write and the roller reads.
///
/// One object per batch, not per swap: at a million swaps a second the garbage of one object each would cost
/// more than rolling them. Row i of every column describes the same swap; rows keep the order of the log.
///
/// Strings (token, who, id) are UTF-8 ranges of `bytes`, which the decoder fills once per batch.
///
/// Amounts are fixed point with 18 decimals in four limbs of nine decimal digits, least significant first:
///   amount = (amount0 + amount1·10^9 + amount2·10^18 + amount3·10^27) · 10^-18, so below 10^18 whole tokens.

/// Values of the `side` column.
export const BUY = 0
export const SELL = 1

/// Stands in `block`, `txIndex` and `logIndex` for a value that the producer did not give; it orders before
/// every given value.
export const ABSENT = -1

export type SwapColumn = Float64Array | Uint32Array | Int32Array | Uint8Array

export class SwapBatch {
  /// Rows in use; the columns may be longer.
  size = 0
  /// Backs the string columns.
  bytes: Uint8Array = new Uint8Array(0)
  /// Event time, epoch milliseconds.
  timeMs: Float64Array
  /// Whole micro-dollars, 0 … MAX_MICRO_USD.
  usd: Float64Array
  amount0: Uint32Array
  amount1: Uint32Array
  amount2: Uint32Array
  amount3: Uint32Array
  /// USD per token as binary64: the producer's, else usd ÷ amount; NaN where it is unknown (usd or amount is 0).
  price: Float64Array
  /// 1 where the producer gave the price, 0 where it is usd ÷ amount.
  priceGiven: Uint8Array
  block: Float64Array
  txIndex: Int32Array
  logIndex: Int32Array
  side: Uint8Array
  tokenAt: Int32Array
  tokenLength: Int32Array
  /// hash32 of the name's bytes (see fingerprint.ts).
  tokenHash: Int32Array
  whoAt: Int32Array
  whoLength: Int32Array
  whoHash: Int32Array
  idAt: Int32Array
  idLength: Int32Array
  /// Of `tx` and `chain`; a length of 0 where the producer gave none.
  txAt: Int32Array
  txLength: Int32Array
  chainAt: Int32Array
  chainLength: Int32Array
  /// The 96-bit fingerprint of the id's bytes (see fingerprint.ts).
  id0: Int32Array
  id1: Int32Array
  id2: Int32Array
  /// Index of the record of the log batch (or the line of the input) that the row came from: rejected records
  /// leave no row, so row and record differ. The row's log offset is the batch's first offset + record.
  record: Int32Array
  /// The range of `bytes` that holds the row's own record as it came. A JSON record's range is one JSON document
  /// on one line, so it can be appended to the log as it is.
  recordAt: Int32Array
  recordLength: Int32Array

  constructor(capacity: number) {
    this.timeMs = new Float64Array(capacity)
    this.usd = new Float64Array(capacity)
    this.amount0 = new Uint32Array(capacity)
    this.amount1 = new Uint32Array(capacity)
    this.amount2 = new Uint32Array(capacity)
    this.amount3 = new Uint32Array(capacity)
    this.price = new Float64Array(capacity)
    this.priceGiven = new Uint8Array(capacity)
    this.block = new Float64Array(capacity)
    this.txIndex = new Int32Array(capacity)
    this.logIndex = new Int32Array(capacity)
    this.side = new Uint8Array(capacity)
    this.tokenAt = new Int32Array(capacity)
    this.tokenLength = new Int32Array(capacity)
    this.tokenHash = new Int32Array(capacity)
    this.whoAt = new Int32Array(capacity)
    this.whoLength = new Int32Array(capacity)
    this.whoHash = new Int32Array(capacity)
    this.idAt = new Int32Array(capacity)
    this.idLength = new Int32Array(capacity)
    this.txAt = new Int32Array(capacity)
    this.txLength = new Int32Array(capacity)
    this.chainAt = new Int32Array(capacity)
    this.chainLength = new Int32Array(capacity)
    this.id0 = new Int32Array(capacity)
    this.id1 = new Int32Array(capacity)
    this.id2 = new Int32Array(capacity)
    this.record = new Int32Array(capacity)
    this.recordAt = new Int32Array(capacity)
    this.recordLength = new Int32Array(capacity)
  }

  get capacity(): number {
    return this.timeMs.length
  }

  /// Every column, always in the same order: for what treats all alike.
  columns(): readonly SwapColumn[] {
    return [
      this.timeMs,
      this.usd,
      this.amount0,
      this.amount1,
      this.amount2,
      this.amount3,
      this.price,
      this.priceGiven,
      this.block,
      this.txIndex,
      this.logIndex,
      this.side,
      this.tokenAt,
      this.tokenLength,
      this.tokenHash,
      this.whoAt,
      this.whoLength,
      this.whoHash,
      this.idAt,
      this.idLength,
      this.txAt,
      this.txLength,
      this.chainAt,
      this.chainLength,
      this.id0,
      this.id1,
      this.id2,
      this.record,
      this.recordAt,
      this.recordLength,
    ]
  }

  /// Makes room for at least `capacity` rows and keeps those that are there. The columns are new arrays then.
  grow(capacity: number): void {
    if (capacity <= this.capacity) return
    const wider = new SwapBatch(Math.max(capacity, 2 * this.capacity))
    const columns = wider.columns()
    for (const [i, column] of this.columns().entries()) columns[i]?.set(column)
    wider.size = this.size
    wider.bytes = this.bytes
    Object.assign(this, wider)
  }
}
