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
  const readers = new Map(
    Object.entries(schema.properties).map(([name, property]) => [name, parameterReader(name, property)]),
  )
  const isText = Object.values(schema.properties).every(property => typeOf(property) === 'string')
  // Most requests have no parameters at all, or nothing to be read from a text.
  const nothing: unknown = Object.freeze({})
  const unasked = check.check(nothing) ? nothing : null
  return values => {
    if (unasked !== null && isEmpty(values)) return unasked
    if (isText && check.check(values)) return values
    const given: Record<string, unknown> = Object.create(null)
    for (const [name, value] of Object.entries(values ?? {})) {
      const read = readers.get(name)
      given[name] = read === undefined ? value : read(value)
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

/// What the text of a parameter means, as its schema has it; a text that means nothing stays what it is, and is refused then.
function parameterReader(name: string, schema: unknown): (value: unknown) => unknown {
  if (keyword(schema, 'x-repeatable') === true) return value => (Array.isArray(value) ? value : [value])
  const read = textReader(typeOf(schema))
  return value => {
    if (typeof value === 'string') return read(value)
    throw new ProblemError('invalid-parameter', `${name} is given once`, { field: name })
  }
}

const keyword = (schema: unknown, name: string): unknown =>
  new Map<string, unknown>(Object.entries(schema ?? {})).get(name)

const typeOf = (schema: unknown): unknown => keyword(schema, 'type')

function textReader(type: unknown): (text: string) => unknown {
  switch (type) {
    case 'integer':
      return text => (/^\d{1,15}$/.test(text) ? Number(text) : text)
    case 'number':
      return text => (/^\d{1,15}(\.\d{1,6})?$/.test(text) ? Number(text) : text)
    case 'array':
      return text => text.split(',')
    default:
      return text => text
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
