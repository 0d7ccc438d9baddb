/// Every operation of the HTTP API. A route that is not here does not exist.

import Type from 'typebox'
import { SELECTED, STATISTICS, STATUS, SWAP, TOTALS } from '../spec/examples.js'
import { ALL_FIELDS } from '../wire/fields.js'
import type { ProblemType } from '../wire/problem.js'
import { closed, count, epochMs, nullable, oneOf, TokenName, WindowText } from '../wire/schema.js'
import { StatusReport } from '../wire/status.js'
import { TokenStatistics, Totals } from '../wire/token-statistics.js'
import { Swap, TradesAnswer } from '../wire/trades.js'
import { commaList, NO_PARAMS, operation } from './operation.js'

export const LIST_LIMIT_MAX = 500
export const QUERY_TOKENS_MAX = 500
export const RANKINGS = ['new', 'gainers', 'losers', 'trending'] as const

const JSON_CONTENT = 'application/json'

const window = Type.Optional(
  commaList(WindowText, 64, 'Only these windows, such as `5m,24h`, in their usual order.'),
)
const FieldChoice = oneOf([...ALL_FIELDS, '*'], 'A statistic; `*` is all of them.')
const fields = Type.Optional(
  Type.Array(FieldChoice, {
    minItems: 1,
    maxItems: 32,
    description:
      'Only these statistics, such as `volume,txns`; `*` for all. Without it all come but the derived ones ' +
      '(netVolume, netBuyers, averageTrade, trending). token, asOf and version are always there.',
    examples: [['volume', 'netVolume']],
  }),
)
const filter = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1024,
    description: 'Only tokens that match: comparisons joined by `and`, `or` and parentheses.',
    examples: ['volume.h1>=10000 and (priceChange.h1>5 or txns.m5.traders>=50)'],
  }),
)
const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIST_LIMIT_MAX, description: 'How many tokens.', default: 50 }),
)
const cursor = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 2048,
    description:
      '`*` begins a consistent listing; then `next` of the page before. The other parameters stay the same.',
  }),
)

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

const TOKEN_PROBLEMS: readonly ProblemType[] = ['invalid-parameter', 'starting']
const tokenParam = closed({ token: TokenName })

export const GetIndex = operation({
  id: 'getIndex',
  method: 'GET',
  path: '/',
  tag: 'server',
  summary: 'The index of these routes',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: {
    description: 'Name and routes.',
    contentType: JSON_CONTENT,
    schema: closed({ name: Type.String(), routes: Type.Record(Type.String(), Type.String()) }),
    example: { name: 'volumer', routes: { 'GET /livez': 'the process runs' } },
  },
  problems: [],
  access: 'open',
  cost: 1,
})

export const GetToken = operation({
  id: 'getToken',
  method: 'GET',
  path: '/v1/tokens/{token}',
  tag: 'tokens',
  summary: 'Statistics of a token',
  description:
    'Percent-encode the name: any name works. (`.` and `..` are removed from paths by URL parsers: ask with POST /v1/tokens/query.)',
  params: tokenParam,
  query: closed({ window, fields }),
  answer: {
    description: 'The statistics.',
    contentType: JSON_CONTENT,
    schema: TokenStatistics,
    example: STATISTICS,
  },
  problems: [...TOKEN_PROBLEMS, 'unknown-token'],
  access: 'read',
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
          'firstSeen, lastSeen. By default the volume of the longest window.',
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

export const GetStream = operation({
  id: 'getStream',
  method: 'GET',
  path: '/v1/stream',
  tag: 'feeds',
  summary: 'The feeds as server-sent events',
  description:
    'The messages of the WebSocket (/asyncapi.json): `event` is their type, `data` the same JSON, `id` their cursor. A browser ' +
    'comes back by itself and sends the last one as `Last-Event-ID`: what it missed comes first. The last event before the ' +
    'server ends a stream is `close`.',
  params: NO_PARAMS,
  query: closed({
    token: Type.Optional(
      Type.Array(TokenName, {
        minItems: 1,
        maxItems: 1000,
        description: 'Follows this token. May be given several times.',
        'x-repeatable': true,
      }),
    ),
    window,
    fields,
    mode: Type.Optional(oneOf(['full', 'delta'], 'As of a subscription.')),
    maxRate: Type.Optional(
      Type.Number({ minimum: 0.1, maximum: 1000, description: 'As of a subscription.' }),
    ),
    subscriptions: Type.Optional(
      Type.String({
        maxLength: 16_384,
        description: 'Instead of `token`: a JSON array of subscriptions, as over the WebSocket.',
        examples: ['[{"channel":"ranking","sort":"volume.h1","limit":10}]'],
      }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 64, description: 'As Last-Event-ID.' })),
    key: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'An API key, where a header cannot be set, as in a browser.',
      }),
    ),
  }),
  answer: {
    description: 'Events, until either side ends it.',
    contentType: 'text/event-stream',
    schema: Type.String(),
    example:
      'id: k3x9.4\nevent: update\ndata: {"type":"update","seq":4,"cursor":"k3x9.4","channel":"token","token":"BTC","stats":null,"times":{"event":null,"rolled":null,"sent":1795478010380}}\n\n',
  },
  problems: ['invalid-parameter', 'overloaded', 'draining'],
  access: 'read',
  cost: 5,
  stream: true,
})

export const PostTrades = operation({
  id: 'postTrades',
  method: 'POST',
  path: '/v1/trades',
  tag: 'intake',
  summary: 'Takes swaps; answers when they are durable',
  description: 'NDJSON, one swap per line, or a JSON array of swaps; `Content-Encoding: gzip` is understood.',
  params: NO_PARAMS,
  query: NO_PARAMS,
  body: {
    description: 'Swaps. Invalid ones do not hold up the others.',
    content: {
      'application/x-ndjson': {
        schema: Type.String({ description: 'A swap per line.' }),
        example: `${JSON.stringify(SWAP)}\n`,
      },
      [JSON_CONTENT]: { schema: Type.Array(Swap), example: [SWAP] },
    },
  },
  answer: {
    description: 'What was taken.',
    contentType: JSON_CONTENT,
    schema: TradesAnswer,
    example: {
      appended: 3,
      invalid: [
        { line: 4, field: 'usd', reason: 'usd: wanted a decimal between 0 and 9000000000, got "much"' },
      ],
    },
  },
  problems: [
    'invalid-body',
    'cross-site',
    'body-too-slow',
    'body-too-large',
    'unsupported-media-type',
    'rate-limited',
    'draining',
    'overloaded',
    'storage-full',
  ],
  access: 'ingest',
  cost: 1,
})

export const GetStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/v1/status',
  tag: 'server',
  summary: 'Fates, rates, positions, lag, delay, clients, sizes',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: { description: 'The status.', contentType: JSON_CONTENT, schema: StatusReport, example: STATUS },
  problems: [],
  access: 'read',
  cost: 2,
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

export const GetLive = operation({
  id: 'getLive',
  method: 'GET',
  path: '/livez',
  tag: 'server',
  summary: 'The process runs',
  params: NO_PARAMS,
  query: Type.Object({}),
  answer: {
    description: 'It runs.',
    contentType: JSON_CONTENT,
    schema: closed({ status: Type.Literal('live') }),
    example: { status: 'live' },
  },
  problems: [],
  access: 'open',
  cost: 0,
})

export const GetReady = operation({
  id: 'getReady',
  method: 'GET',
  path: '/readyz',
  tag: 'server',
  summary: 'The statistics are complete and current, else 503 with the reason',
  params: NO_PARAMS,
  query: Type.Object({}),
  answer: {
    description: 'They are.',
    contentType: JSON_CONTENT,
    schema: closed({ status: Type.Literal('ready') }),
    example: { status: 'ready' },
  },
  problems: ['not-ready', 'draining'],
  access: 'open',
  cost: 0,
})

const document = (id: string, path: string, summary: string, contentType: string) =>
  operation({
    id,
    method: 'GET',
    path,
    tag: 'documents',
    summary,
    params: NO_PARAMS,
    query: NO_PARAMS,
    answer: {
      description: 'The document.',
      contentType,
      schema: contentType === JSON_CONTENT ? Type.Object({}, { description: 'A document.' }) : Type.String(),
      example: contentType === JSON_CONTENT ? {} : '<!doctype html>',
    },
    problems: [],
    access: 'open',
    cost: 1,
    conditional: true,
  })

export const GetOpenApi = document('getOpenApi', '/openapi.json', 'This API as OpenAPI 3.1', JSON_CONTENT)
export const GetAsyncApi = document('getAsyncApi', '/asyncapi.json', 'The feeds as AsyncAPI 3', JSON_CONTENT)
export const GetDocs = document('getDocs', '/docs', 'Both documents to read in a browser', 'text/html')

export const OPERATIONS = [
  GetToken,
  QueryTokens,
  ListTokens,
  GetRanking,
  GetTotals,
  GetStream,
  PostTrades,
  GetPredecessorStats,
  GetStatus,
  GetLive,
  GetReady,
  GetOpenApi,
  GetAsyncApi,
  GetDocs,
  GetIndex,
] as const
