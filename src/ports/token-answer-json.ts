/// Answers about tokens as JSON documents, for the way from one process to another. Unknown numbers, NaN here, are null
/// there; binary64 comes through JSON unchanged.

import type { ScannedTrade } from '../core/roller/query/trade-lists.js'
import { FIELDS_PER_WINDOW } from '../core/stats.js'
import { epochMs, offset, tick } from '../core/units.js'
import type { OutOfRetention, TokenAnswer, UnknownToken } from './token-queries.js'

export type Outcome = TokenAnswer | UnknownToken | OutOfRetention

type Sent<T> = Omit<T, 'price'> & { readonly price: number | null }

/// As JSON writes it.
export type OutcomeJson =
  | (Omit<TokenAnswer, 'cells' | 'price' | 'largest' | 'newest'> & {
      readonly cells: readonly (number | null)[]
      readonly price: number | null
      readonly largest: readonly Sent<ScannedTrade>[]
      readonly newest: readonly Sent<ScannedTrade>[]
    })
  | UnknownToken
  | OutOfRetention

const sent = (x: number): number | null => (Number.isNaN(x) ? null : x)
const read = (x: number | null): number => x ?? Number.NaN

export function outcomeJson(outcome: Outcome): OutcomeJson {
  if (outcome.kind !== 'answer') return outcome
  const priced = ({ price, ...trade }: ScannedTrade) => ({ ...trade, price: sent(price) })
  return {
    ...outcome,
    price: sent(outcome.price),
    cells: Array.from(outcome.cells, sent),
    largest: outcome.largest.map(priced),
    newest: outcome.newest.map(priced),
  }
}

/// The other way round. Throws TypeError for what is no answer to that many stretches.
export function outcomeOf(document: OutcomeJson, stretches: number): Outcome {
  switch (document.kind) {
    case 'answer': {
      if (document.cells.length !== stretches * FIELDS_PER_WINDOW || document.covered.length !== stretches) {
        throw new TypeError('the answer is not to this question')
      }
      if (!Number.isSafeInteger(document.fates?.since)) throw new TypeError('the answer tells no fates')
      const priced = ({ price, ...trade }: Sent<ScannedTrade>) => ({ ...trade, price: read(price) })
      return {
        ...document,
        offset: offset(document.offset),
        tick: tick(document.tick),
        price: read(document.price),
        cells: Float64Array.from(document.cells, read),
        largest: document.largest.map(priced),
        newest: document.newest.map(priced),
      }
    }
    case 'unknownToken':
      return document
    case 'outOfRetention':
      return { ...document, from: epochMs(document.from), to: epochMs(document.to) }
    default:
      throw new TypeError(`an answer of unknown kind ${JSON.stringify(document satisfies never)}`)
  }
}
