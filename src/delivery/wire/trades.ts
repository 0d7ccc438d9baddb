/// The answer of `POST /v1/trades`.

/// At most so many invalid records are listed; `invalidTotal` says how many there were when the list was cut.
export const INVALID_LISTED_MAX = 1000

export interface InvalidJson {
  /// Line of the body on which the record begins, from 1.
  readonly line: number
  /// Of a JSON array: the element's place, from 0.
  readonly index?: number
  /// The field at fault; null when the record as a whole is.
  readonly field: string | null
  readonly reason: string
}

export interface TradesAnswer {
  /// Swaps that are durable in the trade log.
  readonly appended: number
  readonly invalid: readonly InvalidJson[]
  readonly invalidTotal?: number
}
