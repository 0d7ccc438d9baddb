/// Which deltas of topic `rolls` make up the state. Several writers append to a partition: an owner and its successor, a
/// process that was taken for dead. Each one's deltas follow one another without a hole, but all of them together overlap,
/// and a record that somebody damaged leaves a hole in them.

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

interface Range {
  readonly coversFrom: number
  readonly coversTo: number
}

export class RollsFold {
  #position: number
  /// Whether the topic has dropped records that would come before what is read.
  #beginningGone: boolean

  /// `position`: below it everything is covered. `beginningGone`: what is read begins with the first record that is kept, and
  /// there were others before it.
  constructor(position: number, beginningGone: boolean) {
    this.#position = position
    this.#beginningGone = beginningGone
  }

  get position(): number {
    return this.#position
  }

  /// Takes in the next record.
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
}
