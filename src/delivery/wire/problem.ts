/// Errors over HTTP: problem details (RFC 9457, `application/problem+json`). `type` is stable and for programs,
/// `detail` is for people, `field` names the parameter, header or field at fault.

import Type from 'typebox'
import { closed, type Wire } from './schema.js'

export const PROBLEM_TYPES = {
  'invalid-parameter': { status: 400, title: 'A parameter is invalid' },
  'invalid-body': { status: 400, title: 'The body cannot be read' },
  'key-missing': { status: 401, title: 'An API key is needed' },
  'key-unknown': { status: 401, title: 'The API key is not known' },
  'scope-missing': { status: 403, title: 'The API key does not allow this' },
  'cross-site': { status: 403, title: 'Requests of other sites are refused' },
  'unknown-token': { status: 404, title: 'No such token' },
  'unknown-client': { status: 404, title: 'No such client' },
  'no-archive': { status: 404, title: 'There is no archive' },
  'unknown-route': { status: 404, title: 'No such route' },
  'method-not-allowed': { status: 405, title: 'The route does not take this method' },
  'body-too-slow': { status: 408, title: 'The body came too slowly' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'internal-error': { status: 500, title: 'Internal error' },
  starting: { status: 503, title: 'The server is starting' },
  'not-ready': { status: 503, title: 'The server is not ready' },
  draining: { status: 503, title: 'The server is shutting down' },
  overloaded: { status: 503, title: 'The server is overloaded' },
  'owner-away': { status: 503, title: 'Who can compute this is away' },
  'archive-away': { status: 503, title: 'The archive is away' },
  'log-unavailable': { status: 503, title: 'The trade log does not answer' },
  'storage-full': { status: 503, title: 'The storage is full' },
} as const

export type ProblemType = keyof typeof PROBLEM_TYPES

/// The body of an error response.
export const Problem = closed(
  {
    type: Type.String({
      pattern: '^urn:volumer:problem:[a-z-]+$',
      description: 'Stable, for programs: `urn:volumer:problem:` and the problem type.',
    }),
    title: Type.String({ description: 'What the type means.' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong with this request, for people.' }),
    field: Type.Optional(Type.String({ description: 'The parameter, header or field at fault.' })),
    percent: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 100,
        description: 'Of /readyz while state is being restored: how much of it is.',
      }),
    ),
  },
  'Problem details (RFC 9457).',
)
export type Problem = Wire<typeof Problem>

/// What to answer besides type and detail. `retryAfterSeconds` becomes the Retry-After header.
export interface ProblemExtra {
  readonly field?: string
  readonly percent?: number
  readonly retryAfterSeconds?: number
  /// Headers of the answer besides.
  readonly headers?: Readonly<Record<string, string>>
}

/// A request that is refused. Thrown anywhere below a route, answered by the server's error handler.
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly type: ProblemType
  readonly extra: ProblemExtra
  constructor(type: ProblemType, detail: string, extra: ProblemExtra = {}) {
    super(detail)
    this.type = type
    this.extra = extra
  }
}

export function problemJson(type: ProblemType, detail: string, extra: ProblemExtra = {}): Problem {
  const { status, title } = PROBLEM_TYPES[type]
  return {
    type: `urn:volumer:problem:${type}`,
    title,
    status,
    detail,
    ...(extra.field === undefined ? {} : { field: extra.field }),
    ...(extra.percent === undefined ? {} : { percent: extra.percent }),
  }
}
