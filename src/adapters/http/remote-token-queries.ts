/// Asks the process that rolls a token's partition, over HTTP. Where it is travels in topic `stats`, with the secret that it
/// wants to be asked with (docs/adr/0046-questions-to-owners.md).

import { BusyError, UnavailableError } from '../../ports/errors.js'
import { type Outcome, outcomeOf } from '../../ports/token-answer-json.js'
import type { TokenQueries, TokenQuestion } from '../../ports/token-queries.js'

export interface Owner {
  /// `http://10.0.0.5:4242`
  readonly address: string
  readonly secret: string
}

export interface RemoteTokenQueriesOptions {
  readonly rules: TokenQueries['rules']
  /// Who answers for the token right now; null where nobody does.
  ownerOf(token: string): Owner | null
}

/// Of a whole question.
const ANSWER_MS_MAX = 10_000
/// Questions under way: each holds a connection.
const UNDER_WAY_MAX = 64
const BUSY = 503

export class RemoteTokenQueries implements TokenQueries {
  readonly #options: RemoteTokenQueriesOptions
  #underWay = 0

  constructor(options: RemoteTokenQueriesOptions) {
    this.#options = options
  }

  get rules(): TokenQueries['rules'] {
    return this.#options.rules
  }

  async ask(question: TokenQuestion): Promise<Outcome> {
    const owner = this.#options.ownerOf(question.token)
    if (owner === null) throw new UnavailableError('nobody says that the partition of the token is rolled')
    if (this.#underWay >= UNDER_WAY_MAX) {
      throw new BusyError(`${UNDER_WAY_MAX} questions to other instances are under way already`)
    }
    this.#underWay++
    try {
      return await this.#ask(question, owner)
    } finally {
      this.#underWay--
    }
  }

  async #ask(question: TokenQuestion, { address, secret }: Owner): Promise<Outcome> {
    const { status, text } = await this.#post(
      new URL('/v1/questions', address),
      secret,
      JSON.stringify(question),
    )
    if (status === 200) {
      try {
        return outcomeOf(JSON.parse(text), question.stretches.length)
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error)
        throw new UnavailableError(`${address} answered something else: ${why}`)
      }
    }
    if (status === BUSY && text.includes('urn:volumer:problem:overloaded')) {
      throw new BusyError(`${address} answers too many questions already`)
    }
    throw new UnavailableError(`${address}, which rolls the token's partition, answered ${status}`)
  }

  async #post(url: URL, secret: string, body: string): Promise<{ status: number; text: string }> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
        body,
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      })
      return { status: response.status, text: await response.text() }
    } catch (error) {
      const why = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : ''
      throw new UnavailableError(`${url.origin}, which rolls the token's partition, cannot be reached${why}`)
    }
  }
}
