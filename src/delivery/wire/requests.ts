/// What a client says over a feed: `{"op":"subscribe","tokens":["BTC"],"id":1}` and its siblings, or a bare text that
/// does not begin with `{`, which subscribes to the token of that name (the predecessor's clients do).

import Type, { type TSchema } from 'typebox'
import { CANDLE_INTERVAL_NAMES, type CandleInterval } from '../../core/candles.js'
import { type Fault, type Validator, validator } from '../validate.js'
import { ALL_FIELDS } from './fields.js'
import type { ErrorCode } from './messages.js'
import { closed, oneOf, TOKEN_LENGTH_MAX, TokenName, WindowText, type Wire } from './schema.js'

const ID_LENGTH_MAX = 64
const ID_WANTED = `a string of at most ${ID_LENGTH_MAX} characters or a finite number`
export const SUBSCRIPTIONS_MAX = 100
export const RANKING_LIMIT_MAX = 100
const CANDLES_LIMIT_MAX = 1000
const RANKING_OFFSET_MAX = 100_000_000
/// Updates a second.
export const RATE_MAX = 1000

export const RequestId = Type.Union([Type.String({ maxLength: ID_LENGTH_MAX }), Type.Number()], {
  description: 'Comes back in the answer.',
  'x-wanted': ID_WANTED,
})
export type RequestId = string | number

const id = Type.Optional(RequestId)
const tokens = Type.Array(TokenName, { maxItems: 10_000, 'x-wanted': 'an array of strings' })

const shape = {
  windows: Type.Optional(
    Type.Array(WindowText, { minItems: 1, maxItems: 64, description: 'Only these windows.' }),
  ),
  fields: Type.Optional(
    Type.Array(oneOf([...ALL_FIELDS, '*']), {
      minItems: 1,
      maxItems: 32,
      description: 'Only these statistics; `*` for all.',
    }),
  ),
}
const pace = {
  mode: Type.Optional(
    oneOf(
      ['full', 'delta'],
      '`full`: each update whole. `delta`: only what has changed since the last message.',
    ),
  ),
  maxRate: Type.Optional(
    Type.Number({
      minimum: 0.1,
      maximum: RATE_MAX,
      description: 'Updates a second at most (of each token); the newest state is what is sent.',
    }),
  ),
}
const name = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 64,
    description: 'Tells rankings of one connection apart.',
    default: 'ranking',
  }),
)

export const TokenSubscription = closed(
  { channel: Type.Literal('token'), tokens, ...shape, ...pace },
  'Statistics of tokens.',
)
export const RankingSubscription = closed(
  {
    channel: Type.Literal('ranking'),
    name,
    sort: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: 'As of GET /v1/tokens.' })),
    order: Type.Optional(oneOf(['desc', 'asc'])),
    filter: Type.Optional(
      Type.String({ minLength: 1, maxLength: 1024, description: 'As of GET /v1/tokens.' }),
    ),
    offset: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: RANKING_OFFSET_MAX,
        default: 0,
        description: 'Begins at this place of the order, counted from 0.',
      }),
    ),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: RANKING_LIMIT_MAX, default: 10 })),
    ...shape,
    ...pace,
  },
  'A stretch of an order, the first tokens unless said, live. At most 10 updates a second.',
)
export const TradesSubscription = closed(
  { channel: Type.Literal('trades'), tokens, maxRate: pace.maxRate },
  'Swaps of tokens as they are accepted, each once.',
)
export const TotalsSubscription = closed(
  { channel: Type.Literal('totals'), windows: shape.windows, ...pace },
  'Sums over all tokens. At most 10 updates a second, one by default.',
)
export const StatusSubscription = closed(
  { channel: Type.Literal('status'), ...pace },
  'As GET /v1/status. At most 10 updates a second, one by default.',
)
const interval = Type.Optional(
  Type.Unsafe<CandleInterval>({ ...oneOf(CANDLE_INTERVAL_NAMES), default: '1m' }),
)
export const CandlesSubscription = closed(
  {
    channel: Type.Literal('candles'),
    token: TokenName,
    interval,
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: CANDLES_LIMIT_MAX,
        default: 10,
        description: 'Candles that begin within the last so many intervals.',
      }),
    ),
    ...pace,
  },
  'The newest candles of a token, as GET /v1/tokens/{token}/candles has them, and what late swaps change in them. In mode `delta` an ' +
    'update has only the candles that changed. At most 10 updates a second, 5 by default.',
)
export const Subscription = Type.Union(
  [
    TokenSubscription,
    TradesSubscription,
    RankingSubscription,
    TotalsSubscription,
    StatusSubscription,
    CandlesSubscription,
  ],
  { description: 'What is to be followed.' },
)
export type TokenSubscription = Wire<typeof TokenSubscription>
export type TradesSubscription = Wire<typeof TradesSubscription>
export type RankingSubscription = Wire<typeof RankingSubscription>
export type TotalsSubscription = Wire<typeof TotalsSubscription>
export type StatusSubscription = Wire<typeof StatusSubscription>
export type CandlesSubscription = Wire<typeof CandlesSubscription>
export type Subscription = Wire<typeof Subscription>

const cursor = Type.Optional(
  Type.String({
    maxLength: 64,
    description: 'The last cursor that was received: what came since is sent first.',
  }),
)

export const SubscribeRequest = Type.Object(
  {
    op: Type.Literal('subscribe'),
    id,
    tokens: Type.Optional(tokens),
    ...shape,
    ...pace,
    subscriptions: Type.Optional(
      Type.Array(Subscription, {
        minItems: 1,
        maxItems: SUBSCRIPTIONS_MAX,
        'x-wanted': 'an array of subscriptions',
      }),
    ),
    cursor,
  },
  {
    description:
      'Either `tokens` (with windows, fields, mode and maxRate where wanted), or `subscriptions`. All of it is done, or nothing.',
  },
)
export type SubscribeRequest = Wire<typeof SubscribeRequest>

export const UnsubscribeRequest = Type.Object(
  {
    op: Type.Literal('unsubscribe'),
    id,
    tokens: Type.Optional(tokens),
    trades: Type.Optional({ ...tokens, description: 'Tokens whose trades are not to be followed any more.' }),
    rankings: Type.Optional(Type.Array(Type.String({ maxLength: 64 }), { maxItems: SUBSCRIPTIONS_MAX })),
    candles: Type.Optional(
      Type.Array(closed({ token: TokenName, interval }), {
        maxItems: SUBSCRIPTIONS_MAX,
        'x-wanted': 'an array of tokens and intervals',
      }),
    ),
    channels: Type.Optional(
      Type.Array(oneOf(['token', 'trades', 'ranking', 'totals', 'status', 'candles']), {
        maxItems: 8,
        description: 'Everything of these channels.',
      }),
    ),
  },
  { description: 'What is not to be followed any more. What was not followed is no error.' },
)
export type UnsubscribeRequest = Wire<typeof UnsubscribeRequest>

export const PingRequest = Type.Object(
  { op: Type.Literal('ping'), id },
  { description: 'Is answered by `pong`.' },
)
export type PingRequest = Wire<typeof PingRequest>

export type ClientRequest = SubscribeRequest | UnsubscribeRequest | PingRequest

export interface RequestError {
  readonly code: ErrorCode
  readonly message: string
  readonly field: string | null
  readonly id?: RequestId
}

export type Parsed<T> =
  | { readonly request: T; readonly error?: never }
  | { readonly error: RequestError; readonly request?: never }

const VALIDATORS: ReadonlyMap<unknown, Validator<TSchema>> = new Map<unknown, Validator<TSchema>>([
  ['token', validator(TokenSubscription)],
  ['trades', validator(TradesSubscription)],
  ['ranking', validator(RankingSubscription)],
  ['totals', validator(TotalsSubscription)],
  ['status', validator(StatusSubscription)],
  ['candles', validator(CandlesSubscription)],
])
const REQUEST_ID = validator(RequestId)
const SUBSCRIBE = validator(SubscribeRequest)
const UNSUBSCRIBE = validator(UnsubscribeRequest)
const PING = validator(PingRequest)

/// Says what is wrong with a token name, null when nothing is.
export function tokenFault(token: string): string | null {
  if (token === '') return 'a token name is not empty'
  if (token.length > TOKEN_LENGTH_MAX) return `a token name has at most ${TOKEN_LENGTH_MAX} characters`
  if (/\p{Surrogate}/u.test(token)) return 'a token name is valid Unicode (lone surrogate)'
  return null
}

export function parseRequest(text: string): Parsed<ClientRequest> {
  if (text.charCodeAt(0) !== 0x7b /* { */) return withTokens({ op: 'subscribe', tokens: [text] })
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return { error: { code: 'invalidJson', message: 'the message is not JSON', field: null } }
  }
  // The text begins with a brace, so it is an object.
  const fields = new Map<string, unknown>(Object.entries(document ?? {}))
  const given = fields.get('id')
  if (given !== undefined && !REQUEST_ID.check(given)) {
    return invalid({ field: 'id', message: `id is ${ID_WANTED}` }, undefined)
  }
  const op = fields.get('op')
  switch (op) {
    case 'subscribe': {
      const faulty = subscriptionFault(fields.get('subscriptions'))
      if (faulty !== null) return invalid(faulty, given)
      if (!SUBSCRIBE.check(document)) return refused(SUBSCRIBE.fault(document), document, given)
      if ((document.tokens === undefined) === (document.subscriptions === undefined)) {
        return invalid({ field: 'tokens', message: 'one of tokens and subscriptions is given' }, given)
      }
      return withTokens(onceEach(document))
    }
    case 'unsubscribe':
      if (!UNSUBSCRIBE.check(document)) return refused(UNSUBSCRIBE.fault(document), document, given)
      if (
        document.tokens === undefined &&
        document.trades === undefined &&
        document.rankings === undefined &&
        document.candles === undefined &&
        document.channels === undefined
      ) {
        return invalid(
          { field: 'tokens', message: 'tokens, trades, rankings, candles or channels are given' },
          given,
        )
      }
      return withTokens(onceEach(document))
    case 'ping':
      if (!PING.check(document)) return invalid(PING.fault(document), given)
      return { request: document }
    default: {
      const message = 'op is "subscribe", "unsubscribe" or "ping"'
      return typeof op === 'string'
        ? { error: { code: 'unknownOp', message, field: 'op', ...idField(given) } }
        : invalid({ field: 'op', message }, given)
    }
  }
}

/// Of a list of subscriptions, each by the schema of its channel, so that the fault is named and not only that none of
/// the schemas fits.
export function subscriptionFault(subscriptions: unknown): Fault | null {
  if (subscriptions === undefined || !Array.isArray(subscriptions)) return null
  for (const [i, subscription] of subscriptions.slice(0, SUBSCRIPTIONS_MAX).entries()) {
    const channel = new Map<string, unknown>(Object.entries(subscription ?? {})).get('channel')
    const channelValidator = VALIDATORS.get(channel)
    const at = `subscriptions[${i}]`
    if (channelValidator === undefined) {
      const message = `${at}.channel is one of ${[...VALIDATORS.keys()].join(', ')}`
      return { field: `${at}.channel`, message }
    }
    if (channelValidator.check(subscription)) continue
    const { field, message } = channelValidator.fault(subscription)
    return { field: field === null ? at : `${at}.${field}`, message: `${at}: ${message}` }
  }
  return null
}

function onceEach<R extends { readonly tokens?: readonly string[] }>(request: R): R {
  return request.tokens === undefined ? request : { ...request, tokens: [...new Set(request.tokens)] }
}

/// Names that are no names have an error code of their own.
function refused(fault: Fault, document: unknown, given: RequestId | undefined): Parsed<never> {
  const index = /^tokens\[(\d+)\]$/.exec(fault.field ?? '')?.[1]
  const tokens = new Map<string, unknown>(Object.entries(document ?? {})).get('tokens')
  const token = Array.isArray(tokens) && index !== undefined ? tokens[Number(index)] : undefined
  const faulty = typeof token === 'string' ? tokenFault(token) : null
  if (faulty === null) return invalid(fault, given)
  return { error: { code: 'invalidToken', message: faulty, field: fault.field, ...idField(given) } }
}

function withTokens<R extends SubscribeRequest | UnsubscribeRequest>(request: R): Parsed<R> {
  const faulty = tokensFault(request.tokens, 'tokens')
  if (faulty !== null) return { error: { code: 'invalidToken', ...faulty, ...idField(request.id) } }
  if (request.op === 'subscribe') {
    for (const [i, subscription] of request.subscriptions?.entries() ?? []) {
      const fault =
        subscription.channel === 'token' || subscription.channel === 'trades'
          ? tokensFault(subscription.tokens, `subscriptions[${i}].tokens`)
          : subscription.channel === 'candles'
            ? nameFault(subscription.token, `subscriptions[${i}].token`)
            : null
      if (fault !== null) return { error: { code: 'invalidToken', ...fault, ...idField(request.id) } }
    }
  }
  return { request }
}

function tokensFault(tokens: readonly string[] | undefined, field: string): Fault | null {
  for (const [i, token] of tokens?.entries() ?? []) {
    const fault = nameFault(token, `${field}[${i}]`)
    if (fault !== null) return fault
  }
  return null
}

function nameFault(token: string, field: string): Fault | null {
  const message = tokenFault(token)
  return message === null ? null : { field, message }
}

function invalid({ field, message }: Fault, id: RequestId | undefined): Parsed<never> {
  return { error: { code: 'invalidRequest', message, field, ...idField(id) } }
}

export function idField(id: RequestId | undefined): { id?: RequestId } {
  return id === undefined ? {} : { id }
}
