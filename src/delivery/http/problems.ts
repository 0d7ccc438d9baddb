/// Turns whatever a route threw into a problem response. Nothing of an unexpected error reaches the client.

import type { FastifyReply } from 'fastify'
import { LogFullError, LogUnavailableError, StorageFullError } from '../../ports/errors.js'
import { PROBLEM_TYPES, ProblemError, problemJson } from '../wire/problem.js'

const RETRY_STORAGE_SECONDS = 5

export function sendProblem(reply: FastifyReply, problem: ProblemError): void {
  const { type, extra } = problem
  if (extra.retryAfterSeconds !== undefined) {
    reply.header('retry-after', Math.max(1, Math.ceil(extra.retryAfterSeconds)))
  }
  if (extra.headers !== undefined) reply.headers(extra.headers)
  if (PROBLEM_TYPES[type].status === 401) reply.header('www-authenticate', 'Bearer')
  // An answer to be kept would be one about a token.
  reply.header('cache-control', 'no-store').removeHeader('etag')
  // The rest of such a body would keep the connection busy for as long as its sender likes.
  if (type === 'body-too-slow') reply.header('connection', 'close')
  // As bytes: the framework would add a charset to the type of a text, which RFC 9457 does not define.
  reply
    .code(PROBLEM_TYPES[type].status)
    .header('content-type', 'application/problem+json')
    .send(Buffer.from(JSON.stringify(problemJson(type, problem.message, extra))))
}

/// The problem that an error means; unexpected ones are reported through `onError`.
export function problemOf(error: unknown, onError: (error: unknown) => void): ProblemError {
  if (error instanceof ProblemError) return error
  if (error instanceof LogFullError) {
    const extra = { retryAfterSeconds: error.retryAfterSeconds }
    return new ProblemError('overloaded', 'the trade log takes no more swaps for now', extra)
  }
  if (error instanceof LogUnavailableError) {
    const extra = { retryAfterSeconds: error.retryAfterSeconds }
    const detail = 'the trade log did not confirm in time; send the swaps again, each counts once'
    return new ProblemError('log-unavailable', detail, extra)
  }
  if (error instanceof StorageFullError) {
    const extra = { retryAfterSeconds: RETRY_STORAGE_SECONDS }
    return new ProblemError('storage-full', 'the server has no room to store swaps', extra)
  }
  const status = statusCodeOf(error)
  if (status === 413) return new ProblemError('body-too-large', 'the request is too large')
  if (status >= 400 && status < 500) return new ProblemError('invalid-parameter', messageOf(error))
  onError(error)
  return new ProblemError('internal-error', 'the request failed for a reason of the server')
}

/// Of the framework's own errors, such as a path that is not percent-encoded properly.
function statusCodeOf(error: unknown): number {
  const status = new Map<string, unknown>(Object.entries(error ?? {})).get('statusCode')
  return typeof status === 'number' ? status : 500
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
