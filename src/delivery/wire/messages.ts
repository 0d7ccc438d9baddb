/// What the server says over a feed: one JSON document per WebSocket frame or event, each with `type` and with `seq`,
/// which counts the messages of the connection from 1 without holes. docs/wire.md shows all of them.

import Type from 'typebox'
import { CANDLE_INTERVAL_NAMES } from '../../core/candles.js'
import { Candle, Trade } from './archive.js'
import { RequestId, Subscription } from './requests.js'
import { closed, count, epochMs, nullable, oneOf, TokenName, type Wire } from './schema.js'
import { TokenStatistics, Totals } from './token-statistics.js'

const seq = Type.Integer({
  minimum: 1,
  description: 'Counts the messages of this connection from 1, without holes.',
})
const cursor = Type.String({
  maxLength: 64,
  description: 'Send the newest one when you come back: what came since is then sent first.',
})
const id = Type.Optional(RequestId)
const stateType = oneOf(
  ['snapshot', 'update'],
  '`snapshot`: the state now, whole. `update`: it has changed; in mode `delta` only what has changed. Merge an update into ' +
    'what you have, key by key: that is right in both modes.',
)

export const Times = closed(
  {
    event: nullable(epochMs('Event time of the newest swap that counts.')),
    rolled: nullable(
      epochMs('When the change was rolled.'),
      'When the change was rolled; null where the feed does not say.',
    ),
    sent: epochMs('When the message left the server.'),
  },
  'When the change was on its way, epoch ms.',
)
export type Times = Wire<typeof Times>

export const TokenMessage = closed(
  {
    type: stateType,
    seq,
    cursor,
    channel: Type.Literal('token'),
    token: TokenName,
    stats: nullable(
      TokenStatistics,
      'null: the token has no swap within the retention, not yet or not any more.',
    ),
    times: Times,
  },
  'Statistics of a token.',
)
export type TokenMessage = Wire<typeof TokenMessage>

export const TradesMessage = closed(
  {
    type: oneOf(
      ['snapshot', 'update'],
      '`snapshot`: the newest swaps that this instance still has, 50 at most, perhaps none. `update`: what was accepted since.',
    ),
    seq,
    cursor,
    channel: Type.Literal('trades'),
    token: TokenName,
    trades: Type.Array(Trade, {
      maxItems: 100,
      description: 'Offsets ascending. One whose offset is not above the last that you have came before.',
    }),
    times: Times,
  },
  'Swaps of a token as they are accepted.',
)
export type TradesMessage = Wire<typeof TradesMessage>

export const RankingState = closed({
  sort: Type.String(),
  order: oneOf(['desc', 'asc']),
  filter: nullable(Type.String()),
  offset: count('The place of the first of `tokens`, from 0.'),
  limit: Type.Integer({ minimum: 1 }),
  total: count('Tokens that match.'),
  tokens: Type.Array(TokenName, { description: 'Those from `offset` on, in order.' }),
  enter: Type.Array(TokenName, { description: 'Were not in `tokens` before.' }),
  leave: Type.Array(TokenName, { description: 'Are not in `tokens` any more.' }),
  move: Type.Array(
    closed({
      token: TokenName,
      from: count('Place in `tokens` before, from 0.'),
      to: count('Place now, from 0.'),
    }),
    {
      description: 'Tokens that passed, or were passed by, another that stayed.',
    },
  ),
  stats: Type.Array(TokenStatistics, {
    description:
      'Of all of them; in mode `delta` only of those that entered or changed, and of the latter what changed.',
  }),
})
export type RankingState = Wire<typeof RankingState>

export const RankingMessage = closed(
  {
    type: stateType,
    seq,
    channel: Type.Literal('ranking'),
    name: Type.String({ description: 'As in the subscription.' }),
    ranking: RankingState,
    times: Times,
  },
  'The first tokens in an order.',
)
export type RankingMessage = Wire<typeof RankingMessage>

export const TotalsMessage = closed(
  {
    type: stateType,
    seq,
    channel: Type.Literal('totals'),
    totals: Type.Partial(Totals, { additionalProperties: false }),
    times: Times,
  },
  'Sums over all tokens.',
)
export type TotalsMessage = Wire<typeof TotalsMessage>

export const StatusMessage = closed(
  {
    type: stateType,
    seq,
    channel: Type.Literal('status'),
    status: Type.Object({}, { description: 'As GET /v1/status; in mode `delta` what has changed of it.' }),
    times: Times,
  },
  'The status of the server.',
)
export type StatusMessage = Wire<typeof StatusMessage>

export const CandlesMessage = closed(
  {
    type: stateType,
    seq,
    channel: Type.Literal('candles'),
    token: TokenName,
    interval: oneOf(CANDLE_INTERVAL_NAMES),
    from: epochMs('What is followed are candles that begin then or later; it moves on.'),
    candles: Type.Array(Candle, {
      description:
        'Ascending, each whole: all of them, in updates of mode `delta` those that changed. Put each in the place of the one with the same `time`.',
    }),
    times: Times,
  },
  'The newest candles of a token.',
)
export type CandlesMessage = Wire<typeof CandlesMessage>

export const Subscribed = closed(
  {
    type: Type.Literal('subscribed'),
    seq,
    id,
    tokens: Type.Optional(Type.Array(TokenName)),
    subscriptions: Type.Optional(Type.Array(Subscription)),
  },
  'Answers `subscribe`, in the request’s own words. Snapshots follow.',
)

export const Unsubscribed = closed(
  {
    type: Type.Literal('unsubscribed'),
    seq,
    id,
    tokens: Type.Optional(Type.Array(TokenName)),
    trades: Type.Optional(Type.Array(TokenName)),
    rankings: Type.Optional(Type.Array(Type.String())),
    candles: Type.Optional(Type.Array(closed({ token: TokenName, interval: Type.Optional(Type.String()) }))),
    channels: Type.Optional(Type.Array(Type.String())),
  },
  'Answers `unsubscribe`. Nothing of it comes after this.',
)

export const Pong = closed(
  { type: Type.Literal('pong'), seq, id, time: epochMs('The clock of the server.') },
  'Answers `ping`.',
)

export const Heartbeat = closed(
  {
    type: Type.Literal('heartbeat'),
    seq,
    cursor: Type.Optional(cursor),
    time: epochMs('The clock of the server.'),
  },
  'Comes every second, unless the client is behind.',
)

export const Gap = closed(
  {
    type: Type.Literal('gap'),
    seq,
    reason: oneOf(
      ['slowReader', 'cursorExpired', 'cursorUnknown'],
      '`slowReader`: updates were replaced by newer ones before they were taken. `cursorExpired`: what came since is not ' +
        'kept any more. `cursorUnknown`: the cursor is of another server, or of before its restart.',
    ),
    skipped: nullable(count('Updates.'), 'How many updates were skipped; null when that is not known.'),
    tokens: nullable(
      Type.Array(TokenName),
      'The tokens whose updates are missing; null for any of those that are followed.',
    ),
  },
  'Updates are missing. The newest state of what is concerned follows.',
)

/// What a request may be refused with. The connection goes on, except after tooManyMessages.
export const ERROR_CODES = {
  invalidJson: 'The text begins with `{` and is not JSON.',
  invalidRequest: 'A field is missing or has the wrong type or value; `field` names it.',
  unknownOp: '`op` is none of subscribe, unsubscribe, ping.',
  invalidToken: 'Empty, longer than 128 characters, or not valid Unicode.',
  tooManyTokens: 'The connection would follow too many tokens; nothing of the request was done.',
  tooManySubscriptions:
    'Too many rankings, candles and other states on the connection, or on the server; nothing of the request was done.',
  tooManyMessages: 'Too many messages a second; the connection is closed with 4029.',
} as const
export type ErrorCode = keyof typeof ERROR_CODES

export const ErrorMessage = closed(
  {
    type: Type.Literal('error'),
    seq,
    code: Type.Unsafe<ErrorCode>({ type: 'string', enum: Object.keys(ERROR_CODES) }),
    message: Type.String({ description: 'For people.' }),
    field: nullable(Type.String(), 'The field at fault.'),
    id,
  },
  'A request was not done, nothing of it; the connection goes on.',
)

export const ServerShutdown = closed(
  {
    type: Type.Literal('serverShutdown'),
    seq,
    reconnectAfterMs: count('Come back after so long; it is spread over the clients.'),
  },
  'The server closes.',
)

export const Close = closed(
  {
    type: Type.Literal('close'),
    seq,
    code: Type.Integer({ description: 'As of a WebSocket.' }),
    reason: Type.String(),
  },
  'The last event of a stream of server-sent events that the server ends; a WebSocket has a close code instead.',
)

export const SERVER_MESSAGES = {
  TokenMessage,
  TradesMessage,
  RankingMessage,
  TotalsMessage,
  StatusMessage,
  CandlesMessage,
  Subscribed,
  Unsubscribed,
  Pong,
  Heartbeat,
  Gap,
  ErrorMessage,
  ServerShutdown,
  Close,
} as const

export type ServerMessage =
  | TokenMessage
  | TradesMessage
  | RankingMessage
  | TotalsMessage
  | StatusMessage
  | CandlesMessage
  | Wire<typeof Subscribed>
  | Wire<typeof Unsubscribed>
  | Wire<typeof Pong>
  | Wire<typeof Heartbeat>
  | Wire<typeof Gap>
  | Wire<typeof ErrorMessage>
  | Wire<typeof ServerShutdown>
  | Wire<typeof Close>

/// Why the server closes, and whether coming back helps.
export const CLOSE_CODES = {
  /// A binary frame. The client has a bug: do not reconnect.
  unsupportedData: { code: 1003, reason: 'only text frames are understood' },
  /// The key was revoked. Reconnect with another one.
  keyRevoked: { code: 1008, reason: 'the API key is not valid any more' },
  /// The server restarts. Reconnect after `reconnectAfterMs` of `serverShutdown`.
  serverRestart: { code: 1012, reason: 'the server is shutting down' },
  /// An operator closed it. Reconnect later.
  closedByOperator: { code: 4000, reason: 'closed by an operator' },
  /// The client reads too slowly for what it subscribed to. Reconnect, with fewer tokens or a faster reader.
  slowReader: { code: 4008, reason: 'slow reader' },
  /// Too many requests. Reconnect after ten seconds or more.
  tooManyMessages: { code: 4029, reason: 'too many messages' },
} as const

export type CloseCause = keyof typeof CLOSE_CODES
