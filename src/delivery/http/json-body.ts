/// A JSON document as a request's body, validated.

import type { FastifyRequest } from 'fastify'
import type { TSchema } from 'typebox'
import type { Validator } from '../validate.js'
import { ProblemError } from '../wire/problem.js'
import type { Wire } from '../wire/schema.js'
import type { BodyReader } from './body.js'

/// Room for 500 names of 128 characters.
const JSON_BYTES_MAX = 512 * 1024

export async function jsonBody<S extends TSchema>(
  request: FastifyRequest,
  bodies: BodyReader,
  validator: Validator<S>,
): Promise<Wire<S>> {
  const [type = ''] = (request.headers['content-type'] ?? '').split(';', 1)
  if (type.trim().toLowerCase() !== 'application/json') {
    const extra = { field: 'content-type' }
    throw new ProblemError('unsupported-media-type', 'the content type is application/json', extra)
  }
  const body = await bodies.read(request.raw, JSON_BYTES_MAX)
  try {
    const document = parsed(body.bytes)
    if (validator.check(document)) return document
    const { field, message } = validator.fault(document)
    throw new ProblemError('invalid-body', message, field === null ? {} : { field })
  } finally {
    body.release()
  }
}

function parsed(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    throw new ProblemError('invalid-body', 'the body is one JSON document in UTF-8')
  }
}
