/// Which records of topic `rolls` make up the state. Several writers append to a partition: an owner and its successor, a
/// process that was taken for dead. Each one's deltas follow one another without a hole, but all of them together overlap,
/// and a record that somebody damaged leaves a hole in them.
///
/// A backfill begins another state (`began`), writes it, and says that it is whole (`ended`). From its beginning on, records of states
/// before are void, whoever goes on writing them.

export type Verdict =
  /// It covers something new.
  | 'adds'
  /// All of it is covered.
  | 'covered'
  /// Offsets before it are not covered by anything that came: it is of no use. What is missing is rolled again from the
  /// swaps, and everything behind it.
  | 'hole'
  /// Everything before it is gone, because it is older than what is kept; so is what was folded up to now.
  | 'begins'

export type Standing =
  /// It is of the state that is being folded.
  | 'current'
  /// It is of one that another state has taken the place of, or adds nothing: it is left out.
  | 'void'
  /// Another state begins with it: what was folded up to now is void.
  | 'anew'

interface Range {
  readonly coversFrom: number
  readonly coversTo: number
}

interface Stated extends Range {
  readonly kind: string
  readonly state: number
}

export interface FoldFrom {
  /// Below it everything is covered.
  readonly position: number
  /// Which state it is of (rolls-record.ts).
  readonly state: number
  /// The first record that the topic keeps.
  readonly first: number
  /// Where reading begins.
  readonly from: number
}

export class RollsFold {
  readonly #first: number
  #position: number
  #state: number
  /// Whether the topic has dropped records that would come before what is read.
  #beginningGone: boolean
  /// While a backfill has begun its state and not ended it: how far the stream of its parts came. Null else.
  #partsTo: number | null = null
  #damage: string | null = null

  /// Where reading begins with the first record that is kept, and there were others before it, these are gone.
  constructor({ position, state, first, from }: FoldFrom) {
    this.#first = first
    this.#position = position
    this.#state = state
    this.#beginningGone = from === first && first > 0
  }

  get position(): number {
    return this.#position
  }

  get state(): number {
    return this.#state
  }

  /// A backfill has begun the state, and not ended it.
  get isUnfinished(): boolean {
    return this.#partsTo !== null
  }

  /// What a backfill's state lacks, as a phrase; null when nothing.
  get damage(): string | null {
    return this.#damage
  }

  /// Takes in which state the next record is of; `at` is its offset.
  enter({ kind, state, coversFrom }: Stated, at: number): Standing {
    if (kind === 'began') {
      this.#begin(at + 1, coversFrom)
      this.#partsTo = 0
      return 'anew'
    }
    if (state < this.#state) return 'void'
    if (state === this.#state) return this.#damage === null ? 'current' : 'void'
    this.#begin(state, 0)
    if (state > this.#first) {
      this.#damage = `record ${state - 1}, which began it`
      return 'anew'
    }
    // Its beginning, and what a backfill wrote with it, is older than what is kept.
    this.#beginningGone = true
    return 'anew'
  }

  /// Takes in the next delta.
  judge({ coversFrom, coversTo }: Range): Verdict {
    const first = this.#beginningGone
    this.#beginningGone = false
    if (coversFrom > this.#position) {
      if (!first) return 'hole'
      this.#position = coversTo
      return 'begins'
    }
    if (coversTo <= this.#position) return 'covered'
    this.#position = coversTo
    return 'adds'
  }

  /// Takes in the next bytes of the stream of parts: whether they are.
  takesParts({ coversFrom, coversTo }: Range): boolean {
    if (this.#partsTo === null || coversTo <= this.#partsTo) return false
    if (coversFrom !== this.#partsTo) {
      this.noteDamage(`bytes ${this.#partsTo} to ${coversFrom - 1} of its parts`)
      return false
    }
    this.#partsTo = coversTo
    return true
  }

  /// Takes in that the state is whole.
  end({ coversFrom: partsTo, coversTo: position }: Range): void {
    if (this.#partsTo === null) return
    if (this.#partsTo !== partsTo) this.noteDamage(`bytes ${this.#partsTo} to ${partsTo - 1} of its parts`)
    else if (this.#position !== position) this.noteDamage(`a delta at offset ${this.#position}`)
    else this.#partsTo = null
  }

  noteDamage(what: string): void {
    this.#damage ??= what
  }

  #begin(state: number, position: number): void {
    this.#state = state
    this.#position = position
    this.#beginningGone = false
    this.#partsTo = null
    this.#damage = null
  }
}
