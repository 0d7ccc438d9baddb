/// Every operation of the HTTP API.

import type { Operation } from './operation.js'
import {
  GetCandles,
  GetLongWindows,
  GetTokenTrades,
  GetTraderTrades,
  GetTrades,
} from './operations/archive.js'
import { GetLargestTrades, GetRecentTrades, GetTokenFates, GetTopTraders } from './operations/queries.js'
import { PostQuestion } from './operations/questions.js'
import { GetRanking, ListTokens } from './operations/rankings.js'
import {
  GetAsset,
  GetAsyncApi,
  GetDocs,
  GetIndex,
  GetLive,
  GetOpenApi,
  GetReady,
  GetStatus,
} from './operations/server.js'
import { GetStream } from './operations/stream.js'
import { GetPredecessorStats, GetToken, GetTotals, QueryTokens } from './operations/tokens.js'
import { PostTrades } from './operations/trades.js'

/// A route of the API that is not here does not exist: the server refuses to make it.
export const OPERATIONS: readonly Operation[] = [
  GetToken,
  QueryTokens,
  ListTokens,
  GetRanking,
  GetTotals,
  GetTopTraders,
  GetLargestTrades,
  GetRecentTrades,
  GetTokenFates,
  PostQuestion,
  GetStream,
  PostTrades,
  GetCandles,
  GetLongWindows,
  GetTokenTrades,
  GetTraderTrades,
  GetTrades,
  GetPredecessorStats,
  GetStatus,
  GetLive,
  GetReady,
  GetOpenApi,
  GetAsyncApi,
  GetDocs,
  GetIndex,
  GetAsset,
]
