/// Answers questions about tokens whose partition is rolled in this process; others are passed on.

import type { Stopwatch } from '../../ports/stopwatch.js'
import type { TokenQueries, TokenQuestion } from '../../ports/token-queries.js'
import type { RollerRole } from '../roller.js'
import { RollerQueries } from '../roller-queries.js'

export interface OwnedQueriesOptions {
  /// The roller of the token's partition; null where it is not here.
  rollerOf(token: string): RollerRole | null
  readonly elsewhere: TokenQueries
  readonly stopwatch: Stopwatch
  nextTurn(): Promise<void>
}

export class OwnedQueries implements TokenQueries {
  readonly #options: OwnedQueriesOptions
  /// One for each roller: partitions come and go.
  readonly #ofRoller = new WeakMap<RollerRole, RollerQueries>()

  constructor(options: OwnedQueriesOptions) {
    this.#options = options
  }

  get rules(): TokenQueries['rules'] {
    return this.#options.elsewhere.rules
  }

  ask(question: TokenQuestion): ReturnType<TokenQueries['ask']> {
    const roller = this.#options.rollerOf(question.token)
    return roller === null ? this.#options.elsewhere.ask(question) : this.#queriesOf(roller).ask(question)
  }

  #queriesOf(roller: RollerRole): RollerQueries {
    const known = this.#ofRoller.get(roller)
    if (known !== undefined) return known
    const { stopwatch, nextTurn } = this.#options
    const fresh = new RollerQueries({ roller, stopwatch, nextTurn })
    this.#ofRoller.set(roller, fresh)
    return fresh
  }
}
