/// The tokens of the board in their order, live, in blocks: those that are on the screen and their neighbours are followed, each as a
/// ranking from its place on. While the reader scrolls, the blocks ahead are followed too; one that is left stays until what comes instead
/// is there.
///
/// So the page holds some hundred rows, whatever the number of tokens, and the server sorts.

import { signal } from '@preact/signals'
import type { RankingUpdate, Subscription, VolumerClient } from '../../client/client.js'
import { VolumerError } from '../../client/client.js'
import type { FieldName } from '../../delivery/wire/fields.js'
import type { RankingSubscription } from '../../delivery/wire/requests.js'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'

/// Rows of a block, which begins at a multiple of it: readers at about the same place share blocks on the server.
const BLOCK = 50
/// Rows that are followed beyond what is seen, and ahead of a reader who scrolls.
const MARGIN = 10
const AHEAD = 70
/// Without a movement for so long, what is ahead is not followed any more.
const SETTLED_MS = 1500
/// Blocks are changed no faster than this.
const PAUSE_MS = 120
export const UPDATES_PER_SECOND = 4

export interface Rule {
  readonly sort: string
  readonly order: 'asc' | 'desc'
  readonly filter: string | null
  readonly window: string
  readonly fields: readonly FieldName[]
}

export interface Row {
  readonly place: number
  readonly token: string
  readonly stats: TokenStatistics
}

type Ranking = Subscription<RankingSubscription>

interface Followed {
  readonly offset: number
  readonly subscription: Ranking
  rows: readonly Row[] | null
}

export class RankedRows {
  /// Changes whenever the rows did.
  readonly revision = signal(0)
  /// Tokens that match; null before it is known.
  readonly total = signal<number | null>(null)
  /// Why nothing can be shown; null while all is well.
  readonly fault = signal<VolumerError | null>(null)
  readonly #client: VolumerClient
  readonly #rule: Rule
  #followed: Followed[] = []
  #leaving: Followed[] = []
  #byPlace = new Map<number, Row>()
  #wanted: readonly number[] = []
  #changedAt = 0
  #timer = 0
  #settling = 0
  #first = 0
  #frame = 0
  #held = false
  #waiting = false
  #ended = false
  static #names = 0

  constructor(client: VolumerClient, rule: Rule) {
    this.#client = client
    this.#rule = rule
  }

  /// The row at a place, from 0; undefined while it is not there.
  at(place: number): Row | undefined {
    return this.#byPlace.get(place)
  }

  /// The places first … last are on the screen.
  show(first: number, last: number): void {
    if (this.#ended) return
    const moved = first - this.#first
    this.#first = first
    window.clearTimeout(this.#settling)
    if (moved !== 0) this.#settling = window.setTimeout(() => this.#want(first, last, 0), SETTLED_MS)
    if (!this.#covers(first, last)) this.#want(first, last, moved)
  }

  /// The blocks of what is on the screen, and of what a movement leads to.
  #want(first: number, last: number, moved: number): void {
    const from = Math.max(0, first - (moved < 0 ? AHEAD : MARGIN))
    const to = Math.min(
      last + (moved > 0 ? AHEAD : MARGIN),
      (this.total.value ?? Number.POSITIVE_INFINITY) - 1,
    )
    const wanted: number[] = []
    for (let offset = from - (from % BLOCK); offset <= Math.max(from, to); offset += BLOCK)
      wanted.push(offset)
    this.#wanted = wanted
    if (this.#timer !== 0) return
    const pause = Math.max(0, this.#changedAt + PAUSE_MS - performance.now())
    if (pause === 0) this.#change()
    else {
      this.#timer = window.setTimeout(() => {
        this.#timer = 0
        this.#change()
      }, pause)
    }
  }

  /// While it is held, rows keep their places; their numbers go on.
  hold(held: boolean): void {
    if (this.#held === held) return
    this.#held = held
    if (!held && this.#waiting) this.#changed()
  }

  end(): void {
    this.#ended = true
    window.clearTimeout(this.#timer)
    window.clearTimeout(this.#settling)
    cancelAnimationFrame(this.#frame)
    for (const { subscription } of [...this.#followed, ...this.#leaving]) subscription.unsubscribe()
    this.#followed = []
    this.#leaving = []
  }

  #covers(first: number, last: number): boolean {
    const total = this.total.value ?? Number.POSITIVE_INFINITY
    const covers = (offsets: readonly number[]) =>
      offsets.some(offset => offset <= Math.max(0, first - MARGIN)) &&
      offsets.some(offset => offset + BLOCK >= Math.min(total, last + MARGIN))
    return covers(this.#wanted)
  }

  #change(): void {
    this.#changedAt = performance.now()
    const wanted = this.#wanted
    const kept = this.#followed.filter(({ offset }) => wanted.includes(offset))
    const gone = this.#followed.filter(({ offset }) => !wanted.includes(offset))
    const fresh = wanted.filter(offset => !kept.some(each => each.offset === offset))
    if (gone.length === 0 && fresh.length === 0) return
    // What was followed before stays on the screen until what comes instead is there.
    for (const each of this.#leaving) each.subscription.unsubscribe()
    this.#leaving = fresh.length === 0 ? [] : gone
    if (fresh.length === 0) for (const each of gone) each.subscription.unsubscribe()
    this.#followed = [...kept, ...fresh.map(offset => this.#follow(offset))]
  }

  #follow(offset: number): Followed {
    const { sort, order, filter, window: name, fields } = this.#rule
    const subscription = this.#client.subscribe<RankingSubscription>({
      channel: 'ranking',
      name: `rows ${++RankedRows.#names}`,
      sort,
      order,
      ...(filter === null ? {} : { filter }),
      ...(offset === 0 ? {} : { offset }),
      limit: BLOCK,
      windows: [name],
      fields,
      mode: 'delta',
      maxRate: UPDATES_PER_SECOND,
    })
    const followed: Followed = { offset, subscription, rows: null }
    void this.#read(followed)
    return followed
  }

  async #read(followed: Followed): Promise<void> {
    try {
      for await (const update of followed.subscription) this.#heard(followed, update)
    } catch (error) {
      if (this.#ended || !this.#followed.includes(followed)) return
      this.fault.value =
        error instanceof VolumerError ? error : new VolumerError(String(error), { code: 'unknown' })
    }
  }

  #heard(followed: Followed, { ranking }: RankingUpdate): void {
    followed.rows = ranking.stats.map((stats, i) => ({
      place: followed.offset + i,
      token: stats.token,
      stats,
    }))
    this.total.value = ranking.total
    this.fault.value = null
    if (this.#followed.includes(followed) && this.#followed.every(({ rows }) => rows !== null)) {
      for (const each of this.#leaving) each.subscription.unsubscribe()
      this.#leaving = []
    }
    this.#changed()
  }

  /// Once a frame, however many messages come. In a tab that nobody sees there are no frames.
  #changed(): void {
    if (this.#frame !== 0) return
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0
      this.#place()
      this.revision.value++
    })
  }

  #place(): void {
    const all = [...this.#leaving, ...this.#followed].flatMap(({ rows }) => rows ?? [])
    const newest = new Map(all.map(row => [row.place, row]))
    if (!this.#held) {
      this.#byPlace = newest
      this.#waiting = false
      return
    }
    const stats = new Map(all.map(row => [row.token, row.stats]))
    const held = new Map<number, Row>()
    for (const row of newest.values()) held.set(row.place, row)
    for (const row of this.#byPlace.values()) {
      if (newest.has(row.place)) held.set(row.place, { ...row, stats: stats.get(row.token) ?? row.stats })
    }
    this.#byPlace = held
    this.#waiting = true
  }
}
