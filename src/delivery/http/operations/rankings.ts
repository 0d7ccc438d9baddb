/// Tokens in an order.

import Type from 'typebox'
import { SELECTED } from '../../spec/examples.js'
import type { ProblemType } from '../../wire/problem.js'
import { closed, count, epochMs, nullable, oneOf } from '../../wire/schema.js'
import { TokenStatistics } from '../../wire/token-statistics.js'
import { NO_PARAMS, operation } from '../operation.js'
import { cursor, fields, filter, JSON_CONTENT, limit, window } from './parameters.js'

export const RANKINGS = ['new', 'gainers', 'losers', 'trending'] as const

const TOKEN_PROBLEMS: readonly ProblemType[] = ['invalid-parameter', 'starting']

export const Ranked = closed(
  {
    sort: Type.String({ description: 'What they are sorted by, in its canonical spelling.' }),
    order: oneOf(['desc', 'asc']),
    filter: nullable(Type.String(), 'The filter in its canonical spelling; null without one.'),
    asOf: nullable(epochMs('Newest asOf.'), 'The newest asOf of a token; null without tokens.'),
    total: count('Tokens that match.'),
    next: nullable(Type.String(), 'Where the next page begins; null on the last one, and without `cursor`.'),
    consistent: nullable(
      Type.Boolean(),
      'Whether the page is of the same instant as the first; null without `cursor`.',
    ),
    tokens: Type.Array(TokenStatistics),
  },
  'Tokens in an order. Unknown values come last in both orders, equal ones are ordered by name.',
)

const RANKED_EXAMPLE = {
  sort: 'volume.h24',
  order: 'desc',
  filter: null,
  asOf: 1795478010000,
  total: 1,
  next: null,
  consistent: null,
  tokens: [SELECTED],
}

export const ListTokens = operation({
  id: 'listTokens',
  method: 'GET',
  path: '/v1/tokens',
  tag: 'tokens',
  summary: 'Tokens ranked by a statistic, filtered, in pages',
  params: NO_PARAMS,
  query: closed({
    sort: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          'The path of a number in the statistics: `volume.h24`, `txns.m5.traders`, `priceChange.1h`, …; or priceUsd, ' +
          'firstSeen, lastSeen, token (by name, in code units). By default the volume of the longest window.',
        examples: ['volume.h24'],
      }),
    ),
    order: Type.Optional(oneOf(['desc', 'asc'], 'Greatest first, or least first.')),
    filter,
    limit,
    cursor,
    window,
    fields,
  }),
  answer: { description: 'The ranking.', contentType: JSON_CONTENT, schema: Ranked, example: RANKED_EXAMPLE },
  problems: TOKEN_PROBLEMS,
  access: 'read',
  cost: 5,
  conditional: true,
})

export const GetRanking = operation({
  id: 'getRanking',
  method: 'GET',
  path: '/v1/rankings/{ranking}',
  tag: 'tokens',
  summary: 'New tokens, gainers, losers, trending tokens',
  description:
    '`new`: by firstSeen. `gainers`, `losers`: by priceChange above, below 0. `trending`: by trending above 0, that is ' +
    'traders × log10(1 + volume) × min(10, momentum); momentum is the volume per second in the window ÷ that in the longest window.',
  params: closed({ ranking: oneOf(RANKINGS) }),
  query: closed({
    over: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 16,
        description: 'The window that it is measured over; the third shortest by default. `new` has none.',
        examples: ['1h'],
      }),
    ),
    filter,
    limit,
    cursor,
    window,
    fields,
  }),
  answer: {
    description: 'The ranking.',
    contentType: JSON_CONTENT,
    schema: Ranked,
    example: { ...RANKED_EXAMPLE, sort: 'priceChange.h1', filter: 'priceChange.h1>0' },
  },
  problems: TOKEN_PROBLEMS,
  access: 'read',
  cost: 5,
  conditional: true,
})
