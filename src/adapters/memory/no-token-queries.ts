/// Where there is nobody who holds the slices of tokens.

import { UnavailableError } from '../../ports/errors.js'
import type { TokenQueries } from '../../ports/token-queries.js'

export class NoTokenQueries implements TokenQueries {
  readonly rules: TokenQueries['rules']

  constructor(rules: TokenQueries['rules']) {
    this.rules = rules
  }

  ask(): Promise<never> {
    return Promise.reject(new UnavailableError('no roller can be asked from here'))
  }
}
