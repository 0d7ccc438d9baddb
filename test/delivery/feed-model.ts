/// What a client of the feeds must know, in the plainest way: it merges what it hears, and a ranking of its own says what it
/// should be.

import { merged } from '../../src/client/merge.js'
import type { Message } from './web-harness.js'

type Json = Readonly<Record<string, unknown>>

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? { ...value } : {})

/// A client's view, from messages alone.
export class View {
  /// Offsets of the swaps that were published, by token, ascending.
  readonly #published: ReadonlyMap<string, readonly number[]>

  constructor(published: ReadonlyMap<string, readonly number[]> = new Map()) {
    this.#published = published
  }

  readonly tokens = new Map<string, unknown>()
  readonly rankings = new Map<
    string,
    { readonly names: readonly string[]; readonly stats: ReadonlyMap<string, unknown> }
  >()
  /// Swaps of a token: by index in what was published, which one must come next; null while none has come, then those
  /// from `floor` on must.
  readonly trades = new Map<string, { next: number | null; readonly floor: number }>()
  totals: unknown = null
  cursor: string | null = null
  gaps: Message[] = []
  /// Of a request that is not answered yet: what it changes. Until then messages about that are of what was before.
  pending: { readonly id: string; readonly subjects: ReadonlySet<string> } | null = null
  lastSeq = 0

  /// Says what is wrong with the message as such; null when nothing is.
  hear(message: Message): string | null {
    if (message.seq !== this.lastSeq + 1) return `seq ${message.seq} after ${this.lastSeq}`
    this.lastSeq = message.seq
    if (typeof message.cursor === 'string') this.cursor = message.cursor
    if (message.type === 'gap') this.gaps.push(message)
    if (this.pending !== null && message.id === this.pending.id) this.pending = null
    const subject = message.channel === 'trades' ? `trades ${message.token}` : undefined
    if (this.pending?.subjects.has(String(subject ?? message.token ?? message.name ?? message.channel)))
      return null
    if (message.type !== 'snapshot' && message.type !== 'update') return null
    switch (message.channel) {
      case 'token':
        return this.#token(message)
      case 'trades':
        return this.#trades(message)
      case 'ranking':
        return this.#ranking(message)
      case 'totals':
        this.totals = message.type === 'snapshot' ? message.totals : merged(this.totals, message.totals)
        return null
      default:
        return null
    }
  }

  /// The connection is gone; what is known stays.
  reconnected(): void {
    this.lastSeq = 0
    this.pending = null
  }

  #token({ type, token, stats }: Message): string | null {
    const name = String(token)
    const before = this.tokens.get(name)
    if (type === 'update' && before === undefined) return `an update of ${name} without a snapshot before it`
    const state = stats === null || before === null || type === 'snapshot' ? stats : merged(before, stats)
    this.tokens.set(name, state)
    return null
  }

  /// None may be missing, and none may come twice but those that a cursor brings back.
  #trades({ type, token, trades }: Message): string | null {
    const name = String(token)
    const published = this.#published.get(name) ?? []
    const before = this.trades.get(name)
    if (type === 'update' && before === undefined) return `swaps of ${name} without a snapshot before them`
    if (!Array.isArray(trades)) return 'no swaps'
    const view =
      type === 'snapshot' || before === undefined ? { next: null, floor: published.length } : { ...before }
    for (const each of trades) {
      const index = published.indexOf(Number(object(each).offset))
      if (index < 0) return `a swap of ${name} that was not published`
      if (view.next === null ? index > view.floor : index > view.next)
        return `swaps of ${name} before ${index} are missing`
      view.next = Math.max(view.next ?? 0, index + 1)
    }
    this.trades.set(name, view)
    return null
  }

  /// What of the token's swaps has not come; null when nothing.
  missing(token: string): string | null {
    const view = this.trades.get(token)
    const { length } = this.#published.get(token) ?? []
    return view !== undefined && (view.next ?? view.floor) >= length
      ? null
      : `swaps of ${token}: ${view?.next} of ${length}`
  }

  #ranking({ type, name, ranking }: Message): string | null {
    const { tokens, enter, leave, move, stats } = object(ranking)
    if (!Array.isArray(tokens) || !Array.isArray(enter) || !Array.isArray(leave) || !Array.isArray(stats))
      return 'no ranking'
    const before = this.rankings.get(String(name))
    if (type === 'update' && before === undefined) return `an update of ${name} without a snapshot before it`
    const known = new Map(type === 'snapshot' ? [] : before?.stats)
    for (const each of stats) {
      const { token } = object(each)
      known.set(String(token), enter.includes(token) ? each : merged(known.get(String(token)), each))
    }
    for (const token of leave) known.delete(String(token))
    for (const token of [...known.keys()]) if (!tokens.includes(token)) known.delete(token)
    const fault =
      type === 'update' && before !== undefined && enter.length < tokens.length
        ? moveFault(before.names, tokens, enter, leave, move)
        : null
    this.rankings.set(String(name), { names: tokens.map(String), stats: known })
    return fault
  }
}

/// enter, leave and move must tell how one list became the other.
function moveFault(
  before: readonly string[],
  after: readonly string[],
  enter: readonly unknown[],
  leave: readonly unknown[],
  move: unknown,
): string | null {
  const expectedEnter = after.filter(token => !before.includes(token))
  const expectedLeave = before.filter(token => !after.includes(token))
  if (JSON.stringify(enter) !== JSON.stringify(expectedEnter))
    return `enter ${enter} for ${before} → ${after}`
  if (JSON.stringify(leave) !== JSON.stringify(expectedLeave))
    return `leave ${leave} for ${before} → ${after}`
  const moved = new Set(Array.isArray(move) ? move.map(each => String(object(each).token)) : [])
  for (const each of Array.isArray(move) ? move : []) {
    const { token, from, to } = object(each)
    if (before[Number(from)] !== token || after[Number(to)] !== token) return `move ${JSON.stringify(each)}`
  }
  // Those that did not move must be in the order in which they were.
  const still = (list: readonly string[]) =>
    list.filter(token => !moved.has(token) && !enter.includes(token) && !leave.includes(token))
  return JSON.stringify(still(before)) === JSON.stringify(still(after))
    ? null
    : `moves ${[...moved]} for ${before} → ${after}`
}
