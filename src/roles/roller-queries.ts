/// Answers questions about tokens from the slices of a roller in this process.
///
/// A question about a busy token over a whole day looks at millions of swaps. So all of them are answered in steps of some
/// milliseconds, one step a turn of the event loop, taking turns: swaps are rolled and updates sent in between, and a
/// short question does not wait for a long one to end. Each begins when one of a few places is free, because what it has
/// begun to read it holds in memory.

import type { Stretch, TokenQuery } from '../core/roller/query/token-query.js'
import { FIELDS_PER_WINDOW, Field, type TokenStats } from '../core/stats.js'
import { epochMs, type Tick, tick, tickOf } from '../core/units.js'
import { BusyError } from '../ports/errors.js'
import type { Stopwatch } from '../ports/stopwatch.js'
import type {
  OutOfRetention,
  TokenAnswer,
  TokenQueries,
  TokenQuestion,
  UnknownToken,
} from '../ports/token-queries.js'
import type { RollerRole } from './roller.js'

type Outcome = TokenAnswer | UnknownToken | OutOfRetention

export interface RollerQueriesOptions {
  readonly roller: Pick<RollerRole, 'advance' | 'ask' | 'config' | 'fatesOf' | 'stats' | 'viewTick'>
  readonly stopwatch: Stopwatch
  nextTurn(): Promise<void>
}

/// Of one turn of the event loop, for all questions together.
const STEP_MS = 2
/// Questions under way at a time, and those that wait besides.
const UNDER_WAY_MAX = 8
const WAITING_MAX = 64
/// The retention may pass the oldest swaps while they are read: then the question is begun again.
const BEGINNINGS_MAX = 3

interface Asked {
  readonly question: TokenQuestion
  resolve(outcome: Outcome): void
  reject(error: unknown): void
}

export class RollerQueries implements TokenQueries {
  readonly #options: RollerQueriesOptions
  readonly #waiting: Asked[] = []
  /// In the order of their turns.
  #underWay: { readonly asked: Asked; readonly answering: Generator<void, Outcome> }[] = []
  #working = false

  constructor(options: RollerQueriesOptions) {
    this.#options = options
  }

  get rules(): { readonly resolutionMs: number; readonly retentionMs: number } {
    return this.#options.roller.config
  }

  ask(question: TokenQuestion): Promise<Outcome> {
    if (this.#waiting.length >= WAITING_MAX) {
      return Promise.reject(new BusyError(`${WAITING_MAX} questions about tokens wait already`))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ question, resolve, reject })
      if (!this.#working) void this.#work()
    })
  }

  /// Questions that are not answered yet.
  get open(): number {
    return this.#waiting.length + this.#underWay.length
  }

  async #work(): Promise<void> {
    this.#working = true
    do {
      this.#step()
      // Also after the last one: what is asked in the same turn waits for the next.
      await this.#options.nextTurn()
    } while (this.open > 0)
    this.#working = false
  }

  /// One turn: short questions end in it, a long one goes to the end of the line.
  #step(): void {
    const { stopwatch } = this.#options
    const until = stopwatch.elapsedMs() + STEP_MS
    do {
      this.#admit()
      const turn = this.#underWay.shift()
      if (turn === undefined) return
      const { asked, answering } = turn
      try {
        let next = answering.next()
        while (next.done !== true && stopwatch.elapsedMs() < until) next = answering.next()
        if (next.done === true) asked.resolve(next.value)
        else this.#underWay.push(turn)
      } catch (error) {
        asked.reject(error)
      }
    } while (stopwatch.elapsedMs() < until)
  }

  #admit(): void {
    while (this.#underWay.length < UNDER_WAY_MAX) {
      const asked = this.#waiting.shift()
      if (asked === undefined) return
      this.#underWay.push({ asked, answering: this.#answering(asked.question) })
    }
  }

  *#answering(question: TokenQuestion): Generator<void, Outcome> {
    for (let beginnings = 0; beginnings < BEGINNINGS_MAX; beginnings++) {
      const outcome = yield* this.#attempt(question)
      if (outcome !== 'expired') return outcome
    }
    throw new BusyError('the retention has passed what was asked for while it was read')
  }

  *#attempt(question: TokenQuestion): Generator<void, Outcome | 'expired'> {
    const { roller } = this.#options
    const { resolutionMs, retentionMs } = roller.config
    // What is asked as of this second is answered, also when the second has just begun.
    roller.advance()
    const now = roller.viewTick
    const retained = now - retentionMs / resolutionMs
    const to = question.asOf === null ? now : tickOf(question.asOf, resolutionMs)
    if (to > now || to <= retained) {
      const begins = (at: number) => epochMs(at * resolutionMs)
      return { kind: 'outOfRetention', from: begins(retained + 1), to: begins(now + 1) }
    }
    const stats = roller.stats(question.token)
    const fates = roller.fatesOf(question.token)
    if (stats === null || fates === null || tickOf(stats.firstSeen, resolutionMs) > to) {
      return { kind: 'unknownToken' }
    }

    const asked = this.#placed(question, to, retained)
    const query = asked.stretches.length === 0 ? null : roller.ask(question.token, asked)
    // Both are begun in the same turn, so that they are of one state. The second one is rarely read.
    const all =
      to === now
        ? null
        : roller.ask(question.token, { ...NOTHING, stretches: [{ after: tick(retained), to }] })
    if (query !== null && !(yield* through(query))) return 'expired'
    const answer = { ...this.#answer(question, asked, query, stats, to), fates }
    if (all === null || isComplete(answer)) return answer
    if (!(yield* through(all))) return 'expired'
    const { price, lastSeen } = all.findings()
    return { ...answer, price, lastSeen: lastSeen ?? answer.lastSeen }
  }

  /// What the windows hold is not scanned.
  #placed(question: TokenQuestion, to: Tick, retained: number): Placed {
    const { roller } = this.#options
    const { resolutionMs } = roller.config
    const lists = question.largest + question.newest + question.traders > 0
    const indexes: number[] = []
    const stretches: Stretch[] = []
    const covered = question.stretches.map(({ lengthMs, agoMs }, i) => {
      const end = to - agoMs / resolutionMs
      const after = end - lengthMs / resolutionMs
      if (after < retained) return false
      const isScanned = (i === 0 && lists) || question.medians.includes(i)
      if (isScanned || end < roller.viewTick || this.#windowOf(lengthMs) < 0) {
        indexes.push(i)
        stretches.push({ after: tick(after), to: tick(end) })
      }
      return true
    })
    const medians = indexes.flatMap((index, i) => (question.medians.includes(index) ? [i] : []))
    const { largest, newest, traders } = covered[0] ? question : NOTHING
    return { covered, indexes, stretches, medians, largest, newest, traders }
  }

  #windowOf(lengthMs: number): number {
    return this.#options.roller.config.windows.findIndex(window => window.lengthMs === lengthMs)
  }

  #answer(
    question: TokenQuestion,
    placed: Placed,
    query: TokenQuery | null,
    stats: TokenStats,
    to: Tick,
  ): Omit<TokenAnswer, 'fates'> {
    const { resolutionMs } = this.#options.roller.config
    const found = query?.findings() ?? null
    const cells = new Float64Array(question.stretches.length * FIELDS_PER_WINDOW)
    let close = Number.NaN
    let trades = 0
    for (const [index, { lengthMs, agoMs }] of question.stretches.entries()) {
      if (!placed.covered[index]) continue
      const at = index * FIELDS_PER_WINDOW
      const i = placed.indexes.indexOf(index)
      const source = i < 0 ? stats.cells : (found?.cells ?? EMPTY)
      const from = (i < 0 ? this.#windowOf(lengthMs) : i) * FIELDS_PER_WINDOW
      cells.set(source.subarray(from, from + FIELDS_PER_WINDOW), at)
      if (agoMs > 0) continue
      trades += (cells[at + Field.BUYS] ?? 0) + (cells[at + Field.SELLS] ?? 0)
      const last = cells[at + Field.CLOSE] ?? Number.NaN
      if (!Number.isNaN(last)) close = last
    }
    const isNewest = to === stats.tick
    const lastSeen = isNewest ? stats.lastSeen : trades > 0 ? found?.lastSeen : null
    return {
      kind: 'answer',
      partition: stats.partition,
      offset: stats.offset,
      tick: to,
      asOf: epochMs(to * resolutionMs),
      price: isNewest ? stats.price : close,
      firstSeen: stats.firstSeen,
      lastSeen: lastSeen ?? epochMs(Number.NaN),
      cells,
      covered: placed.covered,
      medians: question.medians.map(index => {
        const i = placed.medians.indexOf(placed.indexes.indexOf(index))
        return i < 0 ? null : (found?.medians[i] ?? null)
      }),
      largest: found?.largest ?? [],
      newest: found?.newest ?? [],
      traders: found?.traders ?? [],
    }
  }
}

/// Of a question, in ticks.
interface Placed {
  /// Whether each of its stretches lies within the retention.
  readonly covered: readonly boolean[]
  /// Of those that are to be scanned, by index in the question.
  readonly indexes: readonly number[]
  readonly stretches: readonly Stretch[]
  /// As of core/roller/query/token-query.ts: by index among those that are to be scanned.
  readonly medians: readonly number[]
  readonly largest: number
  readonly newest: number
  readonly traders: number
}

const NOTHING = { medians: [], largest: 0, newest: 0, traders: 0 }

/// False when what was to be read has left the retention.
function* through(query: TokenQuery): Generator<void, boolean> {
  for (;;) {
    const step = query.step()
    if (step !== 'more') return step === 'done'
    yield
  }
}

const EMPTY = new Float64Array(0)

/// Whether the stretches that end with T held a swap of known price: none is newer then, of known price or not.
const isComplete = ({ price, lastSeen }: Pick<TokenAnswer, 'price' | 'lastSeen'>): boolean =>
  !Number.isNaN(price) && !Number.isNaN(lastSeen)
