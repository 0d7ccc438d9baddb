/// Asks the owner of a token's slices, and makes its answer what callers get: JSON texts, and problems that name the
/// parameter at fault.

import type { TokenStats } from '../../core/stats.js'
import { FIELDS_PER_WINDOW } from '../../core/stats.js'
import { epochMs } from '../../core/units.js'
import type { Window } from '../../core/windows.js'
import { BusyError, PortError } from '../../ports/errors.js'
import type { TokenAnswer, TokenQueries, TokenQuestion } from '../../ports/token-queries.js'
import type { ReadableTokens } from '../token-table.js'
import { type PlacedWindow, tradesOf } from '../wire/metrics.js'
import { ProblemError } from '../wire/problem.js'
import type { TokenFates, TopTraders, TradeList } from '../wire/token-answer.js'
import { coveredWindows, encodeAnswer, headOf, sliceTradeJson, topTraderJson } from './answer.js'
import { statisticsQuestion, type TokenChoice, windowsOf } from './question.js'

/// What is computed on demand costs as much as so many kept tokens, and one more for so many swaps that are looked at.
export const ON_DEMAND_COST = 10
const SWAPS_PER_COST = 10_000
const COST_MAX = 500
const RETRY_SECONDS = 1
const LIST_LIMIT = 10

export interface OnDemandOptions {
  readonly tokens: ReadableTokens
  /// As configured.
  readonly windows: readonly PlacedWindow[]
  readonly queries: TokenQueries
}

export interface ListChoice {
  readonly window?: string | undefined
  readonly asOf?: number | undefined
  readonly limit?: number | undefined
}

/// Takes units of cost from the caller's rate; throws when there are not so many.
export type Charge = (cost: number) => void

export class OnDemand {
  readonly #options: OnDemandOptions

  constructor(options: OnDemandOptions) {
    this.#options = options
  }

  /// Statistics as GET /v1/tokens/{token} answers them where kept ones do not.
  async statistics(token: string, choice: TokenChoice, charge: Charge): Promise<string> {
    const { windows, queries } = this.#options
    const asked = statisticsQuestion(token, choice, windows, queries.rules)
    charge(ON_DEMAND_COST)
    const answer = await this.#ask(asked.question, charge)
    const covered = coveredWindows(answer, asked.windows)
    const missing = asked.windows.find(window => !covered.includes(window))
    if (missing !== undefined && (asked.named || covered.length === 0)) throw uncovered(missing)
    return encodeAnswer(answer, asked)
  }

  async topTraders(token: string, choice: ListChoice, charge: Charge): Promise<string> {
    const { answer, window } = await this.#list(
      token,
      choice,
      { traders: choice.limit ?? LIST_LIMIT },
      charge,
    )
    const traders = answer.traders.map(topTraderJson)
    return JSON.stringify({ ...headOf(token, answer), window, traders } satisfies TopTraders)
  }

  async largestTrades(token: string, choice: ListChoice, charge: Charge): Promise<string> {
    const { answer, window } = await this.#list(
      token,
      choice,
      { largest: choice.limit ?? LIST_LIMIT },
      charge,
    )
    return tradesText(token, answer, window, answer.largest)
  }

  /// Of the shortest configured window that holds as many swaps, else of the longest.
  async recentTrades(token: string, limit = LIST_LIMIT, charge: Charge): Promise<string> {
    const { windows, tokens } = this.#options
    const stats = tokens.get(token)
    const enough = windows.find(each => stats !== undefined && swapsIn(stats, each) >= limit)
    const { answer, window } = await this.#list(token, { window: enough?.name }, { newest: limit }, charge)
    return tradesText(token, answer, window, answer.newest)
  }

  /// What became of the token's swaps.
  async fates(token: string, charge: Charge): Promise<string> {
    const nothing = { stretches: [], medians: [], largest: 0, newest: 0, traders: 0 }
    const answer = await this.#ask({ token, asOf: null, ...nothing }, charge)
    const { since, ...fates } = answer.fates
    return JSON.stringify({ ...headOf(token, answer), since, fates } satisfies TokenFates)
  }

  async #list(
    token: string,
    { window, asOf }: ListChoice,
    wanted: Partial<Pick<TokenQuestion, 'largest' | 'newest' | 'traders'>>,
    charge: Charge,
  ): Promise<{ readonly answer: TokenAnswer; readonly window: string }> {
    const { windows, queries } = this.#options
    // Unless one is named, the longest of which the retention holds all; it is refused without a look when it does not.
    const candidates: readonly Window[] =
      window === undefined ? windows.toReversed() : windowsOf([window], queries.rules)
    for (const { lengthMs, name } of candidates) {
      const answer = await this.#ask(
        {
          ...{ token, asOf: asOf === undefined ? null : epochMs(asOf), stretches: [{ lengthMs, agoMs: 0 }] },
          ...{ medians: [], largest: 0, newest: 0, traders: 0, ...wanted },
        },
        charge,
      )
      if (answer.covered[0] === true) return { answer, window: name }
    }
    throw uncovered(candidates.at(-1))
  }

  async #ask(question: TokenQuestion, charge: Charge): Promise<TokenAnswer> {
    // The statistics are complete, so a token that is not among them has no swaps: nobody need be asked.
    if (this.#options.tokens.get(question.token) === undefined) throw unknownToken(question.token)
    charge(this.#swapsCost(question))
    const answer = await this.#options.queries.ask(question).catch(error => {
      if (!(error instanceof PortError && error.retryable)) throw error
      const type = error instanceof BusyError ? 'overloaded' : 'owner-away'
      throw new ProblemError(type, error.message, { retryAfterSeconds: RETRY_SECONDS })
    })
    switch (answer.kind) {
      case 'answer':
        return answer
      case 'unknownToken':
        throw unknownToken(question.token)
      case 'outOfRetention': {
        const detail = `asOf lies within the retention: from ${answer.from} up to, not including, ${answer.to}`
        throw new ProblemError('invalid-parameter', detail, { field: 'asOf' })
      }
      default:
        return answer satisfies never
    }
  }

  /// Known before anything is done: how many swaps the token has had lately, in the shortest window that is as long as
  /// what is asked for.
  #swapsCost({ token, stretches }: TokenQuestion): number {
    const { windows, tokens } = this.#options
    const stats = tokens.get(token)
    if (stretches.length === 0) return 0
    const span = Math.max(...stretches.map(({ lengthMs, agoMs }) => lengthMs + agoMs))
    const window = windows.find(each => each.lengthMs >= span) ?? windows.at(-1)
    if (stats === undefined || window === undefined) return 0
    return Math.min(COST_MAX, Math.floor(swapsIn(stats, window) / SWAPS_PER_COST))
  }
}

export function unknownToken(token: string): ProblemError {
  const detail = `there is no swap of ${JSON.stringify(token)} within the retention`
  return new ProblemError('unknown-token', detail, { field: 'token' })
}

function uncovered(window: Window | undefined): ProblemError {
  const detail = `the retention does not reach back to the beginning of the window ${window?.name} at that instant`
  return new ProblemError('invalid-parameter', detail, { field: 'window' })
}

const swapsIn = ({ cells }: TokenStats, { index }: PlacedWindow): number =>
  tradesOf(cells, index * FIELDS_PER_WINDOW)

function tradesText(
  token: string,
  answer: TokenAnswer,
  window: string,
  trades: TokenAnswer['largest'],
): string {
  return JSON.stringify({
    ...headOf(token, answer),
    window,
    trades: trades.map(sliceTradeJson),
  } satisfies TradeList)
}
