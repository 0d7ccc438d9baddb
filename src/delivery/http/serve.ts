/// Makes routes from operations: reads and validates what a request brings, and answers.

import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { TObject } from 'typebox'
import { type Validator, validator } from '../validate.js'
import { ProblemError } from '../wire/problem.js'
import type { Wire } from '../wire/schema.js'
import type { Operation } from './operation.js'

export const JSON_TYPE = 'application/json; charset=utf-8'

declare module 'fastify' {
  interface FastifyContextConfig {
    operation?: Operation
  }
}

export interface Call<Params extends TObject, Query extends TObject> {
  readonly params: Wire<Params>
  readonly query: Wire<Query>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/// What the handler returns is answered as JSON, unless it has answered itself.
export function serve<Params extends TObject, Query extends TObject>(
  app: FastifyInstance,
  operation: Operation<Params, Query>,
  handle: (call: Call<Params, Query>) => unknown,
): void {
  const readParams = reader(operation.params)
  const readQuery = reader(operation.query)
  app.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    config: { operation },
    exposeHeadRoute: operation.method === 'GET' && operation.stream !== true,
    handler(request, reply) {
      const params = readParams(request.params)
      const query = readQuery(request.query)
      return handle({ params, query, request, reply })
    },
  })
}

/// Reads parameters, which are texts, as the schema has them.
function reader<S extends TObject>(schema: S): (values: unknown) => Wire<S> {
  const check: Validator<S> = validator(schema)
  const properties: Readonly<Record<string, unknown>> = schema.properties
  const nothing = Object.freeze({})
  return values => {
    // Most requests have no parameters at all.
    if (isEmpty(values) && check.check(nothing)) return nothing
    const given: Record<string, unknown> = Object.create(null)
    for (const [name, value] of Object.entries(values ?? {})) {
      given[name] = Object.hasOwn(properties, name) ? parameterValue(name, value, properties[name]) : value
    }
    if (check.check(given)) return given
    const { field, message } = check.fault(given)
    throw new ProblemError(
      'invalid-parameter',
      message,
      field === null ? {} : { field: field.replace(/\[.*/, '') },
    )
  }
}

function isEmpty(values: unknown): boolean {
  for (const _ in Object(values)) return false
  return true
}

function parameterValue(name: string, value: unknown, schema: unknown): unknown {
  const type = new Map<string, unknown>(Object.entries(schema ?? {}))
  if (type.get('x-repeatable') === true) return Array.isArray(value) ? value : [value]
  if (typeof value !== 'string') {
    throw new ProblemError('invalid-parameter', `${name} is given once`, { field: name })
  }
  switch (type.get('type')) {
    case 'integer':
      return /^\d{1,15}$/.test(value) ? Number(value) : value
    case 'number':
      return /^\d{1,15}(\.\d{1,6})?$/.test(value) ? Number(value) : value
    case 'array':
      return value.split(',')
    default:
      return value
  }
}

/// Answers with a text of JSON, or with 304 when the caller has it, which makes no text. `tag` changes whenever the
/// text of this URL may.
export function sendConditional(
  request: FastifyRequest,
  reply: FastifyReply,
  text: () => string | Buffer,
  tag: string,
  type = JSON_TYPE,
): FastifyReply {
  const etag = `W/"${tag}"`
  reply.header('etag', etag).header('cache-control', 'private, no-cache')
  if (matches(request.headers['if-none-match'], etag)) return reply.code(304).send()
  return reply.type(type).send(text())
}

/// With an ETag of the text itself: it spares the way, not the work.
export function sendComputed(request: FastifyRequest, reply: FastifyReply, text: string): FastifyReply {
  return sendConditional(request, reply, () => text, digestOf(text))
}

/// Weak comparison (RFC 9110, 8.8.3.2): `W/` makes no difference.
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  return header.split(',').some(candidate => candidate.trim().replace(/^W\//, '') === etag.slice(2))
}

/// Short, and different for different texts: a part of an ETag.
export const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 8)
