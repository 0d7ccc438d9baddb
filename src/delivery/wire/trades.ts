/// The body and the answer of `POST /v1/trades`.

import Type from 'typebox'
import { closed, count, epochMs, nullable, oneOf, TokenName, type Wire } from './schema.js'

/// At most so many invalid records are listed; `invalidTotal` says how many there were when the list was cut.
export const INVALID_LISTED_MAX = 1000

const number = (description: string) => Type.Union([Type.String(), Type.Number()], { description })
const place = (description: string) => Type.Optional(Type.Integer({ minimum: 0, description }))

/// A swap as a producer sends it. The decoder (core/decode) reads it without this schema, faster; a test holds the
/// two against each other.
export const Swap = Type.Object(
  {
    id: Type.String({
      minLength: 1,
      description: 'Unique per swap, such as `txhash:logindex`; sending it again changes nothing.',
    }),
    time: epochMs('Event time, epoch ms.'),
    who: Type.String({ minLength: 1, maxLength: 128, description: 'The trader.' }),
    token: TokenName,
    side: oneOf(['buy', 'sell']),
    amount: number('Tokens: a decimal below 10^18, not negative; 18 decimals are kept.'),
    usd: number('USD: a decimal up to 9,000,000,000, not negative, rounded half-even to six decimals.'),
    price: Type.Optional(number('USD per token; else usd ÷ amount.')),
    block: place('Place in the chain, for open and close.'),
    txIndex: place('Place in the block.'),
    logIndex: place('Place in the transaction.'),
    tx: Type.Optional(Type.String({ description: 'Kept in the log.' })),
    chain: Type.Optional(Type.String({ description: 'Kept in the log.' })),
  },
  { description: 'A swap.' },
)

export const InvalidRecord = closed({
  line: Type.Integer({ minimum: 1, description: 'Line of the body on which the record begins, from 1.' }),
  index: Type.Optional(count('Of a JSON array: the element’s place, from 0.')),
  field: nullable(Type.String(), 'The field at fault; null when the record as a whole is.'),
  reason: Type.String(),
})
export type InvalidRecord = Wire<typeof InvalidRecord>

export const TradesAnswer = closed({
  appended: count('Swaps that are durable in the trade log.'),
  invalid: Type.Array(InvalidRecord, { maxItems: INVALID_LISTED_MAX }),
  invalidTotal: Type.Optional(count('How many were invalid, when the list is cut.')),
})
export type TradesAnswer = Wire<typeof TradesAnswer>
