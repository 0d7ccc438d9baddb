/// What instances ask one another.

import Type from 'typebox'
import { FIELDS_PER_WINDOW } from '../../../core/stats.js'
import { closed, count, epochMs, nullable, oneOf, TokenName } from '../../wire/schema.js'
import { conflict, fates } from '../../wire/status.js'
import { NO_PARAMS, operation } from '../operation.js'
import { JSON_CONTENT } from './parameters.js'

const STRETCHES_MAX = 80
const LIST_MAX = 100

const list = (what: string) =>
  Type.Integer({ minimum: 0, maximum: LIST_MAX, description: `How many ${what}.` })
const index = Type.Integer({ minimum: 0, maximum: STRETCHES_MAX - 1 })
const span = (minimum: number, description: string) =>
  Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description })

export const Question = closed(
  {
    token: TokenName,
    asOf: nullable(epochMs('Stretches are counted back from its slice.'), 'null for the newest.'),
    stretches: Type.Array(
      closed({ lengthMs: span(1, 'Its length.'), agoMs: span(0, 'How long before that slice it ends.') }),
      { maxItems: STRETCHES_MAX },
    ),
    medians: Type.Array(index, { maxItems: STRETCHES_MAX, description: 'Stretches whose median is wanted.' }),
    largest: list('of the largest swaps of the first stretch'),
    newest: list('of its newest swaps'),
    traders: list('of the traders with the most volume in it'),
  },
  'What is computed from the swaps of one token.',
)

const unknownable = nullable(Type.Number())

const trade = closed({
  time: epochMs('Event time.'),
  who: Type.String(),
  side: oneOf(['buy', 'sell']),
  usd: Type.Number({ description: 'Micro-dollars.' }),
  amountLow: Type.Number(),
  amountMid: Type.Number(),
  amountHigh: Type.Number(),
  price: unknownable,
  block: Type.Integer(),
  txIndex: Type.Integer(),
  logIndex: Type.Integer(),
})

const trader = closed({
  who: Type.String(),
  buyUsd: Type.Number(),
  buyUsdHigh: Type.Number(),
  sellUsd: Type.Number(),
  sellUsdHigh: Type.Number(),
  buys: count('Number of buys.'),
  sells: count('Number of sells.'),
  lastSeen: epochMs('Of the last swap.'),
})

const Answered = closed({
  kind: Type.Literal('answer'),
  partition: count('Of the trade log.'),
  offset: count('Every record of it below is rolled.'),
  tick: Type.Integer(),
  asOf: epochMs('Of the slice.'),
  price: unknownable,
  firstSeen: epochMs('Of the token.'),
  lastSeen: epochMs('Of the token.'),
  cells: Type.Array(unknownable, {
    description: `${FIELDS_PER_WINDOW} numbers a stretch (src/core/stats.ts).`,
  }),
  covered: Type.Array(Type.Boolean(), { description: 'Whether the retention holds the stretch.' }),
  medians: Type.Array(nullable(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }))),
  largest: Type.Array(trade),
  newest: Type.Array(trade),
  traders: Type.Array(trader),
  fates: closed({ since: epochMs('Log time when counting began.'), ...fates, conflict }),
})

export const Answer = Type.Union([
  Answered,
  closed({ kind: Type.Literal('unknownToken') }),
  closed({
    kind: Type.Literal('outOfRetention'),
    from: epochMs('Instants from then on …'),
    to: epochMs('… and before this one can be asked for.'),
  }),
])

export const PostQuestion = operation({
  id: 'postQuestion',
  method: 'POST',
  path: '/v1/questions',
  tag: 'cluster',
  summary: 'What one instance asks another',
  description:
    'For instances of one cluster, with the secret that the instance reports in topic `stats`; no API key opens it. Everybody ' +
    'else asks GET /v1/tokens/{token} of any instance.',
  params: NO_PARAMS,
  query: NO_PARAMS,
  body: {
    description: 'The question.',
    content: {
      [JSON_CONTENT]: {
        schema: Question,
        example: {
          ...{ token: 'BTC', asOf: null, stretches: [{ lengthMs: 420_000, agoMs: 0 }] },
          ...{ medians: [], largest: 0, newest: 0, traders: 0 },
        },
      },
    },
  },
  answer: {
    description: 'The answer.',
    contentType: JSON_CONTENT,
    schema: Answer,
    example: { kind: 'outOfRetention', from: 1795391611000, to: 1795478011000 },
  },
  problems: [
    'key-missing',
    'key-unknown',
    'invalid-body',
    'unsupported-media-type',
    'body-too-large',
    'body-too-slow',
    'overloaded',
    'owner-away',
  ],
  // Its secret is its own.
  access: 'open',
  cost: 1,
})
