/// Ranking at once, for tests.

import type { TokenStats } from '../../src/core/stats.js'
import { type Ranked, Ranker, type RankingRule } from '../../src/delivery/rankings/rank.js'

export function rank(tokens: Iterable<TokenStats>, rule: RankingRule, limit: number): Ranked {
  const ranker = new Ranker(rule, limit)
  for (const stats of tokens) ranker.offer(stats)
  return ranker.ranked()
}
