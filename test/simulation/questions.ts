/// Questions that the configured windows do not answer, held against the naive model: any stretches of event time, medians,
/// the largest swaps, the traders with the most volume.

import type { TokenFindings, TokenQuestion } from '../../src/core/roller/query/token-query.js'
import type { ScannedTrader } from '../../src/core/roller/query/top-traders.js'
import type { ScannedTrade } from '../../src/core/roller/query/trade-lists.js'
import { BLOCK_TICKS } from '../../src/core/roller/rows/block.js'
import { FIELDS_PER_WINDOW, type TokenStats } from '../../src/core/stats.js'
import { epochMs, offset, tick } from '../../src/core/units.js'
import { placeWindows } from '../../src/delivery/wire/metrics.js'
import { encodeStats } from '../../src/delivery/wire/stats.js'
import { addWindow, EMPTY_WINDOW, emptyAnswer, plainOrNull } from './answer.js'
import { type Accepted, decimal, figures, type Model } from './model.js'
import { Random } from './random.js'
import type { Rolled } from './rolled.js'

const LARGEST = 3
const NEWEST = 4
const TRADERS = 2

/// Begins to ask something that follows from the seed. Returns what ends it: that may come after further steps of the
/// history, and returns what is wrong with the answer, or null.
export function asked(rolled: Rolled, model: Model, seed: number): () => string | null {
  const random = new Random(seed >>> 0)
  const { retentionMs, resolutionMs } = model.rules
  const retention = retentionMs / resolutionMs
  const now = model.viewTick
  const tokens = [...model.answers().keys()]
  if (tokens.length === 0) return () => null
  const token = random.pick(tokens)
  const stretches = Array.from({ length: random.between(1, 3) }, () => {
    // Some begin or end where a block does.
    const place = (at: number) => (random.chance(0.2) ? Math.floor(at / BLOCK_TICKS) * BLOCK_TICKS - 1 : at)
    const to = Math.max(now - retention + 1, place(now - (random.chance(0.4) ? 0 : random.below(retention))))
    return { after: tick(Math.max(now - retention, place(to - random.between(1, retention)))), to: tick(to) }
  })
  const medians = stretches.map((_, i) => i).filter(() => random.chance(0.5))
  // Without lists, sums of whole blocks will do.
  const lists = random.chance(0.5)
  const question = {
    ...{ stretches, medians: lists ? medians : medians.slice(1) },
    ...{
      largest: random.chance(0.5) || lists ? LARGEST : 0,
      newest: lists ? NEWEST : 0,
      traders: lists ? TRADERS : 0,
    },
  }
  for (let steps = random.below(60); steps > 0 && rolled.summarize(); steps--) {}
  return begun(rolled, model, token, question, () => {
    if (random.chance(0.3)) rolled.summarize()
  })
}

/// Begins to ask a question. Returns what ends it, as above; `between` is called between its steps.
export function begun(
  rolled: Rolled,
  model: Model,
  token: string,
  question: TokenQuestion,
  between = () => {},
): () => string | null {
  const wanted = expectedAnswer(model, token, question)
  const query = rolled.ask(token, question)
  if (query === null) return () => `no answer for ${token}`
  let step = query.step()
  return () => {
    while (step === 'more') {
      between()
      step = query.step()
    }
    if (step === 'expired') return null
    const ours = answerOf(token, query.findings())
    if (ours === wanted) return null
    return `${token} ${JSON.stringify(question)}\n  ours:     ${ours}\n  expected: ${wanted}`
  }
}

function answerOf(token: string, findings: TokenFindings): string {
  return JSON.stringify({
    stretches: Array.from({ length: findings.cells.length / FIELDS_PER_WINDOW }, (_, i) =>
      statisticsText(token, findings.cells, i),
    ),
    medians: findings.medians.map(middle => middle?.map(String) ?? null),
    largest: findings.largest.map(tradeText),
    newest: findings.newest.map(tradeText),
    traders: findings.traders.map(traderText),
    price: plainOrNull(Number.isNaN(findings.price) ? null : findings.price),
    seen: [findings.firstSeen, findings.lastSeen],
  })
}

function expectedAnswer(model: Model, token: string, question: TokenQuestion): string {
  const { stretches, medians } = question
  const found = stretches.map(({ after, to }) => model.stretch(token, after, to))
  const all = model
    .stretch(token, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)
    .filter(a => stretches.some(({ after, to }) => after < a.tick && a.tick <= to))
  return JSON.stringify({
    stretches: found.map(swaps => expectedText(token, swaps)),
    medians: medians.map(i => middleOf(found[i] ?? [])),
    largest: largestOf(found[0] ?? [], question.largest),
    newest: [...(found[0] ?? [])].reverse().slice(0, question.newest).map(swapText),
    traders: tradersOf(found[0] ?? [], question.traders),
    price: plainOrNull(all.findLast(a => a.price !== null)?.price ?? null),
    seen: seenOf(all),
  })
}

const WINDOWS = placeWindows([{ name: 's1', lengthMs: 1000 }])

export function statisticsText(token: string, cells: Float64Array, stretch: number): string {
  const stats: TokenStats = {
    ...{ token, partition: 0, offset: offset(0), tick: tick(0), asOf: epochMs(0), price: Number.NaN },
    ...{ firstSeen: epochMs(0), lastSeen: epochMs(0) },
    cells: cells.slice(stretch * FIELDS_PER_WINDOW, (stretch + 1) * FIELDS_PER_WINDOW),
  }
  return encodeStats(stats, WINDOWS)
}

export function expectedText(token: string, swaps: readonly Accepted[]): string {
  const answer = emptyAnswer({
    ...{ token, priceUsd: null, asOf: 0, version: '0:0:0', firstSeen: 0, lastSeen: 0 },
  })
  addWindow(answer, 's1', swaps.length === 0 ? EMPTY_WINDOW : figures(swaps))
  return JSON.stringify(answer)
}

export function middleOf(swaps: readonly Accepted[]): string[] | null {
  if (swaps.length === 0) return null
  const sizes = swaps.map(a => a.micro).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
  const middle = [sizes[(sizes.length - 1) >> 1], sizes[sizes.length >> 1]]
  return middle.map(String)
}

export function tradeText({ time, who, side, usd, price, ...amount }: ScannedTrade): string {
  const atto =
    BigInt(amount.amountLow) + BigInt(amount.amountMid) * 10n ** 12n + BigInt(amount.amountHigh) * 10n ** 27n
  return `${time} ${who} ${side} ${usd} ${atto} ${price} ${amount.block} ${amount.txIndex} ${amount.logIndex}`
}

export function largestOf(swaps: readonly Accepted[], most: number): string[] {
  const newestFirst = [...swaps].reverse()
  return newestFirst
    .sort((a, b) => (a.micro < b.micro ? 1 : a.micro > b.micro ? -1 : 0))
    .slice(0, most)
    .map(swapText)
}

export function swapText({ swap, micro, atto, price }: Accepted): string {
  const place = [swap.block ?? -1, swap.txIndex ?? -1, swap.logIndex ?? -1].join(' ')
  return `${swap.time} ${swap.who} ${swap.side} ${micro} ${atto} ${price ?? Number.NaN} ${place}`
}

export function traderText({ who, buys, sells, lastSeen, ...sums }: ScannedTrader): string {
  const bought = BigInt(sums.buyUsd) + BigInt(sums.buyUsdHigh) * 10n ** 12n
  const sold = BigInt(sums.sellUsd) + BigInt(sums.sellUsdHigh) * 10n ** 12n
  return `${who} ${decimal(bought, 6)} ${decimal(sold, 6)} ${buys} ${sells} ${lastSeen}`
}

export function tradersOf(swaps: readonly Accepted[], most: number): string[] {
  const by = new Map<string, Accepted[]>()
  for (const a of swaps) by.set(a.swap.who, [...(by.get(a.swap.who) ?? []), a])
  const sum = (list: readonly Accepted[]): bigint => list.reduce((total, a) => total + a.micro, 0n)
  return [...by]
    .map(([who, all]) => {
      const buys = all.filter(a => a.swap.side === 'buy')
      const sells = all.filter(a => a.swap.side === 'sell')
      return { who, volume: sum(all), buys, sells, last: Math.max(...all.map(a => a.swap.time)) }
    })
    .sort((a, b) =>
      a.volume < b.volume
        ? 1
        : a.volume > b.volume
          ? -1
          : Buffer.compare(Buffer.from(a.who), Buffer.from(b.who)),
    )
    .slice(0, most)
    .map(
      ({ who, buys, sells, last }) =>
        `${who} ${decimal(sum(buys), 6)} ${decimal(sum(sells), 6)} ${buys.length} ${sells.length} ${last}`,
    )
}

function seenOf(swaps: readonly Accepted[]): (number | null)[] {
  if (swaps.length === 0) return [null, null]
  const times = swaps.map(a => a.swap.time)
  return [Math.min(...times), Math.max(...times)]
}
