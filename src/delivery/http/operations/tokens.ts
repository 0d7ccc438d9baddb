/// Statistics of tokens: one, many, all together.

import Type from 'typebox'
import { SELECTED, STATISTICS, TOTALS } from '../../spec/examples.js'
import type { ProblemType } from '../../wire/problem.js'
import { closed, epochMs, nullable, oneOf, TokenName, WindowText } from '../../wire/schema.js'
import { TokenAnswer } from '../../wire/token-answer.js'
import { TokenStatistics, Totals } from '../../wire/token-statistics.js'
import { NO_PARAMS, operation } from '../operation.js'
import { AnyFieldChoice, anyWindow, asOf, FieldChoice, JSON_CONTENT, window } from './parameters.js'
import { QUERY_PROBLEMS } from './queries.js'

export const QUERY_TOKENS_MAX = 500

const TOKEN_PROBLEMS: readonly ProblemType[] = ['invalid-parameter', 'starting']

const tokenParam = closed({ token: TokenName })

export const GetToken = operation({
  id: 'getToken',
  method: 'GET',
  path: '/v1/tokens/{token}',
  tag: 'tokens',
  summary: 'Statistics of a token',
  description:
    'Configured windows as of now are kept, and answered at once. Any other window, `asOf`, `compare` and `medianTrade` are ' +
    'computed on demand from the swaps themselves, as exactly. ' +
    'Percent-encode the name: any name works. (`.` and `..` are removed from paths by URL parsers: ask with POST /v1/tokens/query.)',
  params: tokenParam,
  query: closed({
    window: anyWindow,
    fields: Type.Optional(
      Type.Array(AnyFieldChoice, {
        minItems: 1,
        maxItems: 32,
        description:
          'Only these statistics, such as `volume,txns`; `*` for all but `medianTrade`. Without it all come but the ' +
          'derived ones (netVolume, netBuyers, averageTrade, trending, medianTrade). token, asOf and version are always there.',
        examples: [['volume', 'netVolume']],
      }),
    ),
    asOf,
    compare: Type.Optional(
      oneOf(
        ['previous'],
        'Adds the window before each, and by how much each statistic has changed, in percent.',
      ),
    ),
  }),
  answer: {
    description: 'The statistics.',
    contentType: JSON_CONTENT,
    schema: TokenAnswer,
    example: STATISTICS,
  },
  problems: QUERY_PROBLEMS,
  access: 'read',
  // And more for what is computed on demand.
  cost: 1,
  conditional: true,
})

export const TokensQuery = closed(
  {
    tokens: Type.Array(TokenName, {
      minItems: 1,
      maxItems: QUERY_TOKENS_MAX,
      description: 'Names, each once or more; answered in this order.',
    }),
    windows: Type.Optional(
      Type.Array(WindowText, { minItems: 1, maxItems: 64, description: 'Only these windows.' }),
    ),
    fields: Type.Optional(
      Type.Array(FieldChoice, { minItems: 1, maxItems: 32, description: 'Only these statistics.' }),
    ),
  },
  'Which tokens, and what of them.',
)

export const QueryTokens = operation({
  id: 'queryTokens',
  method: 'POST',
  path: '/v1/tokens/query',
  tag: 'tokens',
  summary: `Statistics of many tokens at once, ${QUERY_TOKENS_MAX} at most`,
  params: NO_PARAMS,
  query: NO_PARAMS,
  body: {
    description: 'Which tokens, and what of them.',
    content: {
      [JSON_CONTENT]: {
        schema: TokensQuery,
        example: { tokens: ['BTC', 'NOPE'], windows: ['1h'], fields: ['volume', 'netVolume'] },
      },
    },
  },
  answer: {
    description:
      'The statistics of those that have some, in the order asked for, and the names of the others.',
    contentType: JSON_CONTENT,
    schema: closed({
      asOf: nullable(epochMs('Newest asOf.'), 'The newest asOf of a token; null without tokens.'),
      tokens: Type.Array(TokenStatistics),
      missing: Type.Array(Type.String(), { description: 'No swap within the retention.' }),
    }),
    example: { asOf: 1795478010000, tokens: [SELECTED], missing: ['NOPE'] },
  },
  problems: [
    'invalid-body',
    'unsupported-media-type',
    'body-too-large',
    'body-too-slow',
    'overloaded',
    'starting',
  ],
  access: 'read',
  // And a tenth for each token.
  cost: 1,
})

export const GetTotals = operation({
  id: 'getTotals',
  method: 'GET',
  path: '/v1/totals',
  tag: 'tokens',
  summary: 'Sums over all tokens',
  params: NO_PARAMS,
  query: closed({ window }),
  answer: { description: 'The totals.', contentType: JSON_CONTENT, schema: Totals, example: TOTALS },
  problems: TOKEN_PROBLEMS,
  access: 'read',
  cost: 1,
  conditional: true,
})

export const GetPredecessorStats = operation({
  id: 'getPredecessorStats',
  method: 'GET',
  path: '/stats',
  tag: 'predecessor',
  summary: 'Window → volume, as the predecessor answers it',
  params: NO_PARAMS,
  // Whatever else its clients send is ignored, as it was.
  query: Type.Object({ token: TokenName }),
  answer: {
    description: 'USD volume by window.',
    contentType: JSON_CONTENT,
    schema: Type.Record(Type.String(), Type.String()),
    example: { '5m': '15726.9', '1h': '73847.15', '24h': '73847.15' },
  },
  problems: [...TOKEN_PROBLEMS, 'unknown-token'],
  access: 'read',
  cost: 1,
})
