/// POST /v1/questions: what other instances of the cluster ask of the partitions that this one rolls.

import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import { epochMs } from '../../core/units.js'
import { BusyError, PortError } from '../../ports/errors.js'
import { outcomeJson } from '../../ports/token-answer-json.js'
import type { TokenQueries } from '../../ports/token-queries.js'
import { validator } from '../validate.js'
import { ProblemError } from '../wire/problem.js'
import type { BodyReader } from './body.js'
import { jsonBody } from './json-body.js'
import { PostQuestion, Question } from './operations/questions.js'
import { serve } from './serve.js'

const RETRY_SECONDS = 1

export interface QuestionRoutesOptions {
  /// null where no other instance may ask.
  readonly peers: {
    readonly secret: string
    /// Of what is rolled here; UnavailableError for what is not. A question is passed on once.
    readonly queries: TokenQueries
  } | null
  readonly bodies: BodyReader
}

export function questionRoutes(app: FastifyInstance, { peers, bodies }: QuestionRoutesOptions): void {
  const question = validator(Question)

  serve(app, PostQuestion, async ({ request }) => {
    // Before anything of the body is read.
    const given = /^bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (given === undefined) {
      const detail = 'instances of a cluster ask here, with the secret of the one that is asked'
      throw new ProblemError('key-missing', detail, { field: 'authorization' })
    }
    if (peers === null || !isSame(given, peers.secret)) {
      throw new ProblemError('key-unknown', 'that is not the secret of this instance', {
        field: 'authorization',
      })
    }
    const asked = await jsonBody(request, bodies, question)
    checkSpans(asked, peers.queries.rules)
    try {
      const asOf = asked.asOf === null ? null : epochMs(asked.asOf)
      return outcomeJson(await peers.queries.ask({ ...asked, asOf }))
    } catch (error) {
      if (!(error instanceof PortError && error.retryable)) throw error
      const type = error instanceof BusyError ? 'overloaded' : 'owner-away'
      throw new ProblemError(type, error.message, { retryAfterSeconds: RETRY_SECONDS })
    }
  })
}

/// Both are hashed, so that their lengths are equal and the time tells nothing.
function isSame(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}

function checkSpans(
  {
    stretches,
    medians,
  }: { stretches: readonly { lengthMs: number; agoMs: number }[]; medians: readonly number[] },
  { resolutionMs }: TokenQueries['rules'],
): void {
  const odd = stretches.findIndex(
    each => each.lengthMs % resolutionMs !== 0 || each.agoMs % resolutionMs !== 0,
  )
  if (odd >= 0) {
    const detail = `stretches[${odd}]: lengthMs and agoMs are multiples of ${resolutionMs}`
    throw new ProblemError('invalid-body', detail, { field: `stretches[${odd}]` })
  }
  if (medians.some(index => index >= stretches.length)) {
    throw new ProblemError('invalid-body', 'medians are indexes of stretches', { field: 'medians' })
  }
}
