/// Schemas that the documents name, so that they stand once in `components`.

import type { TSchema } from 'typebox'
import { Ranked } from '../http/operations/rankings.js'
import { TokensQuery } from '../http/operations/tokens.js'
import { Candle, Trade } from '../wire/archive.js'
import { RankingState, SERVER_MESSAGES, Times } from '../wire/messages.js'
import { Problem } from '../wire/problem.js'
import {
  PingRequest,
  RankingSubscription,
  StatusSubscription,
  SubscribeRequest,
  TokenSubscription,
  TotalsSubscription,
  TradesSubscription,
  UnsubscribeRequest,
} from '../wire/requests.js'
import { StatusReport } from '../wire/status.js'
import {
  PreviousStatistics,
  SliceTrade,
  StatisticsChange,
  TokenAnswer,
  TokenFates,
  TopTrader,
  TopTraders,
  TradeList,
} from '../wire/token-answer.js'
import { TokenStatistics, Totals, Txns } from '../wire/token-statistics.js'
import { InvalidRecord, Swap, TradesAnswer } from '../wire/trades.js'

export const HTTP_SCHEMAS = {
  TokenStatistics,
  Txns,
  TokenAnswer,
  PreviousStatistics,
  StatisticsChange,
  TopTraders,
  TopTrader,
  TradeList,
  SliceTrade,
  TokenFates,
  Ranked,
  Totals,
  TokensQuery,
  Swap,
  TradesAnswer,
  InvalidRecord,
  Candle,
  Trade,
  StatusReport,
  Problem,
}

export const FEED_SCHEMAS = {
  TokenStatistics,
  Txns,
  Totals,
  RankingState,
  Times,
  Trade,
  TokenSubscription,
  TradesSubscription,
  RankingSubscription,
  TotalsSubscription,
  StatusSubscription,
  SubscribeRequest,
  UnsubscribeRequest,
  PingRequest,
  ...SERVER_MESSAGES,
}

/// The schema with the named schemas in it replaced by references; itself too, unless `inside` says that it is the
/// definition.
export function withReferences(
  schema: TSchema,
  named: Readonly<Record<string, TSchema>>,
  inside: boolean,
): unknown {
  const names = new Map<string, string>(
    Object.entries(named).map(([name, each]) => [JSON.stringify(each), `#/components/schemas/${name}`]),
  )
  const replaced = (value: unknown, isRoot: boolean): unknown => {
    if (Array.isArray(value)) return value.map(each => replaced(each, false))
    if (typeof value !== 'object' || value === null) return value
    const reference = isRoot ? undefined : names.get(JSON.stringify(value))
    if (reference !== undefined) return { $ref: reference }
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !['x-wanted', 'x-repeatable'].includes(key))
        .map(([key, each]) => [key, replaced(each, false)]),
    )
  }
  return replaced(schema, inside)
}

export function componentSchemas(named: Readonly<Record<string, TSchema>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(named).map(([name, schema]) => [name, withReferences(schema, named, true)]),
  )
}
