/// POST /v1/trades: takes swaps, and answers once they are durable.

import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Origins } from '../guard/origins.js'
import type { Intake } from '../intake.js'
import type { Rate } from '../rate.js'
import { ProblemError } from '../wire/problem.js'
import type { BodyReader } from './body.js'
import { PostTrades } from './operations/trades.js'
import { serve } from './serve.js'

const RETRY_DRAINING_SECONDS = 5

export interface TradesRouteOptions {
  readonly bodies: BodyReader
  readonly intake: Intake
  readonly origins: Origins
  /// Swaps a second; null for no limit.
  readonly rate: Rate | null
  draining(): boolean
}

export function tradesRoute(app: FastifyInstance, options: TradesRouteOptions): void {
  const { bodies, intake, rate, origins } = options

  serve(app, PostTrades, async ({ request }) => {
    if (options.draining()) {
      const extra = { retryAfterSeconds: RETRY_DRAINING_SECONDS }
      throw new ProblemError('draining', 'the server is shutting down', extra)
    }
    // A web page of another site must not write through its reader's browser, which text/plain would allow.
    if (origins.refuses(request.headers.origin, request.headers.host)) {
      const detail = `${request.headers.origin} is another site`
      throw new ProblemError('cross-site', detail, { field: 'origin' })
    }
    const form = formOf(request)
    const waitSeconds = rate?.waitSeconds() ?? 0
    if (waitSeconds > 0) {
      const extra = { retryAfterSeconds: waitSeconds }
      throw new ProblemError('rate-limited', 'more swaps a second came than the server is set to take', extra)
    }
    const body = await bodies.read(request.raw)
    try {
      const { answer, count } = await intake.take(body.bytes, form)
      rate?.charge(count)
      return answer
    } finally {
      body.release()
    }
  })
}

function formOf(request: FastifyRequest): 'lines' | 'array' {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1)
  switch (type.trim().toLowerCase()) {
    case 'application/x-ndjson':
    case 'application/ndjson':
    case 'application/jsonl':
    case 'text/plain':
      return 'lines'
    case 'application/json':
      return 'array'
    default:
      throw new ProblemError(
        'unsupported-media-type',
        'the content type is application/x-ndjson or text/plain (a swap per line), or application/json (an array)',
        { field: 'content-type' },
      )
  }
}
