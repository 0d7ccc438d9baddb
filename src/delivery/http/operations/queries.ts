/// What is computed on demand from the swaps of a token.

import Type from 'typebox'
import { LARGEST_TRADES, RECENT_TRADES, TOKEN_FATES, TOP_TRADERS } from '../../spec/query-examples.js'
import type { ProblemType } from '../../wire/problem.js'
import { closed, TokenName, WindowText } from '../../wire/schema.js'
import { TokenFates, TopTraders, TradeList } from '../../wire/token-answer.js'
import { NO_PARAMS, operation } from '../operation.js'
import { asOf, JSON_CONTENT } from './parameters.js'

export const LIST_MAX = 100

export const QUERY_PROBLEMS: readonly ProblemType[] = [
  'invalid-parameter',
  'unknown-token',
  'starting',
  'overloaded',
  'owner-away',
]

const window = Type.Optional({
  ...WindowText,
  description:
    'Over which window: a configured one or any other of whole seconds within the retention, such as `7m`. The longest ' +
    'configured one unless said.',
})
const limit = (what: string) =>
  Type.Optional(
    Type.Integer({ minimum: 1, maximum: LIST_MAX, description: `How many ${what}.`, default: 10 }),
  )

const tokenParam = closed({ token: TokenName })

export const GetTokenFates = operation({
  id: 'getTokenFates',
  method: 'GET',
  path: '/v1/tokens/{token}/fates',
  tag: 'queries',
  summary: 'What became of the swaps of a token',
  description:
    'Counted as long as the token always has an accepted swap within the retention. Those of all swaps are in GET /v1/status.',
  params: tokenParam,
  query: NO_PARAMS,
  answer: {
    description: 'How many swaps had which fate.',
    contentType: JSON_CONTENT,
    schema: TokenFates,
    example: TOKEN_FATES,
  },
  problems: QUERY_PROBLEMS,
  access: 'read',
  cost: 10,
  conditional: true,
})

export const GetTopTraders = operation({
  id: 'getTopTraders',
  method: 'GET',
  path: '/v1/tokens/{token}/top-traders',
  tag: 'queries',
  summary: 'The traders of a token with the greatest volume in a window',
  params: tokenParam,
  query: closed({ window, asOf, limit: limit('traders') }),
  answer: {
    description: 'The traders, greatest volume first.',
    contentType: JSON_CONTENT,
    schema: TopTraders,
    example: TOP_TRADERS,
  },
  problems: QUERY_PROBLEMS,
  access: 'read',
  // And more for a token with many swaps.
  cost: 10,
  conditional: true,
})

export const GetLargestTrades = operation({
  id: 'getLargestTrades',
  method: 'GET',
  path: '/v1/tokens/{token}/largest-trades',
  tag: 'queries',
  summary: 'The largest swaps of a token in a window',
  params: tokenParam,
  query: closed({ window, asOf, limit: limit('swaps') }),
  answer: {
    description: 'The swaps, largest first; of equal ones the newer first.',
    contentType: JSON_CONTENT,
    schema: TradeList,
    example: LARGEST_TRADES,
  },
  problems: QUERY_PROBLEMS,
  access: 'read',
  // And more for a token with many swaps.
  cost: 10,
  conditional: true,
})

export const GetRecentTrades = operation({
  id: 'getRecentTrades',
  method: 'GET',
  path: '/v1/tokens/{token}/recent-trades',
  tag: 'queries',
  summary: 'The newest swaps of a token',
  description:
    'Everything that is rolled, at once and without an archive, but without ids; GET /v1/tokens/{token}/trades has these, and goes further back.',
  params: tokenParam,
  query: closed({ limit: limit('swaps') }),
  answer: {
    description: 'The swaps, in descending chain order. `window` is the one that was looked at.',
    contentType: JSON_CONTENT,
    schema: TradeList,
    example: RECENT_TRADES,
  },
  problems: QUERY_PROBLEMS,
  access: 'read',
  cost: 10,
  conditional: true,
})
