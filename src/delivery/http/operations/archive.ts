/// What the archive answers: candles and trades.

import Type from 'typebox'
import { CANDLE_INTERVAL_NAMES, FILLS } from '../../../core/candles.js'
import { MAX_TIME_MS } from '../../../core/decode/row-writer.js'
import { CANDLES, LONG_WINDOWS, TRADE } from '../../spec/examples.js'
import { CandlesAnswer, LongWindows, TradesPage } from '../../wire/archive.js'
import type { ProblemType } from '../../wire/problem.js'
import { closed, oneOf, TokenName } from '../../wire/schema.js'
import { commaList, NO_PARAMS, operation } from '../operation.js'
import { JSON_CONTENT } from './parameters.js'

/// Of one answer.
export const CANDLES_MAX = 5000
const TRADES_MAX = 1000

const PROBLEMS: readonly ProblemType[] = ['invalid-parameter', 'no-archive', 'overloaded', 'archive-away']

const time = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_TIME_MS, description, examples: [1795478010000] }))

const from = time('Event times from then on, epoch ms.')
const to = time('Event times before then, epoch ms.')

export const GetCandles = operation({
  id: 'getCandles',
  method: 'GET',
  path: '/v1/tokens/{token}/candles',
  tag: 'archive',
  summary: 'Candles, as far back as the archive goes',
  description: `At most ${CANDLES_MAX} of them: the newest 500 unless said. Late swaps change the candles that they belong to.`,
  params: closed({ token: TokenName }),
  query: closed({
    interval: Type.Optional(oneOf(CANDLE_INTERVAL_NAMES, 'Length of a candle; 1m unless said.')),
    from: time('Candles that begin then or later, epoch ms.'),
    to: time('Candles that begin before then, epoch ms; now unless said.'),
    fill: Type.Optional(
      oneOf(
        FILLS,
        'What stands for a stretch without swaps: nothing (none), no prices, or the close before.',
      ),
    ),
  }),
  answer: {
    description: 'The candles, ascending.',
    contentType: JSON_CONTENT,
    schema: CandlesAnswer,
    example: CANDLES,
  },
  problems: PROBLEMS,
  access: 'read',
  cost: 5,
})

/// Of one answer.
const LONG_WINDOWS_MAX = 16

export const GetLongWindows = operation({
  id: 'getLongWindows',
  method: 'GET',
  path: '/v1/tokens/{token}/windows',
  tag: 'archive',
  summary: 'Long windows, such as 7d and 30d, from candles',
  description:
    'Exact in volume, counts and prices, to the minute; distinct traders are not known. They end with the minute of `asOf`.',
  params: closed({ token: TokenName }),
  query: closed({
    window: Type.Optional(
      commaList(
        Type.String({ minLength: 1, maxLength: 16, examples: ['7d'] }),
        LONG_WINDOWS_MAX,
        'Any lengths of whole minutes up to 366d, in either spelling, such as `7d,30d`, which is what comes unless said.',
      ),
    ),
  }),
  answer: {
    description: 'The windows, in the shape of a token’s statistics.',
    contentType: JSON_CONTENT,
    schema: LongWindows,
    example: LONG_WINDOWS,
  },
  problems: PROBLEMS,
  access: 'read',
  cost: 5,
})

const page = closed({
  from,
  to,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: TRADES_MAX, description: 'How many trades.', default: 100 }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 2048, description: '`cursor` of the page before.' }),
  ),
})

const trades = {
  description: 'A page of trades, newest first.',
  contentType: JSON_CONTENT,
  schema: TradesPage,
  example: { trades: [TRADE], cursor: null },
}

export const GetTokenTrades = operation({
  id: 'getTokenTrades',
  method: 'GET',
  path: '/v1/tokens/{token}/trades',
  tag: 'archive',
  summary: 'Trades of a token, newest first, in pages',
  params: closed({ token: TokenName }),
  query: page,
  answer: trades,
  problems: PROBLEMS,
  access: 'read',
  cost: 5,
})

export const GetTraderTrades = operation({
  id: 'getTraderTrades',
  method: 'GET',
  path: '/v1/traders/{who}/trades',
  tag: 'archive',
  summary: 'Trades of a trader, newest first, in pages',
  params: closed({ who: Type.String({ minLength: 1, maxLength: 128, description: 'The trader.' }) }),
  query: page,
  answer: trades,
  problems: PROBLEMS,
  access: 'read',
  cost: 5,
})

export const GetTrades = operation({
  id: 'getTrades',
  method: 'GET',
  path: '/v1/trades',
  tag: 'archive',
  summary: 'Every archived trade of a range, as NDJSON',
  description:
    'Hour by hour, a trade per line, in the shape in which swaps are posted. One client at a time is served.',
  params: NO_PARAMS,
  query: closed({ from, to }),
  answer: {
    description: 'The trades.',
    contentType: 'application/x-ndjson',
    schema: Type.String({ description: 'A trade per line.' }),
    example: `${JSON.stringify(TRADE)}\n`,
  },
  problems: PROBLEMS,
  access: 'read',
  cost: 100,
  stream: true,
})
