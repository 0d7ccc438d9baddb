/// The HTTP API as an OpenAPI 3.1 document, made from the operations that routes are made from.

import type { TObject, TSchema } from 'typebox'
import type { Operation } from '../http/operation.js'
import { PROBLEM_TYPES, type ProblemType, problemJson } from '../wire/problem.js'
import { componentSchemas, HTTP_SCHEMAS, withReferences } from './schemas.js'

const TAGS = [
  { name: 'tokens', description: 'Statistics of tokens, rankings, totals.' },
  { name: 'queries', description: 'Computed on demand from the swaps of a token.' },
  { name: 'feeds', description: 'Live updates; the WebSocket at /ws is in /asyncapi.json.' },
  { name: 'intake', description: 'Swaps in.' },
  { name: 'cluster', description: 'What instances ask one another.' },
  { name: 'server', description: 'Health and status.' },
  { name: 'documents', description: 'This description.' },
  { name: 'predecessor', description: 'Kept for the clients of the system that this one succeeds.' },
]

/// Problems that any operation may be answered with.
const COMMON: readonly ProblemType[] = [
  'key-missing',
  'key-unknown',
  'scope-missing',
  'rate-limited',
  'internal-error',
]

const named = (schema: TSchema): unknown => withReferences(schema, HTTP_SCHEMAS, false)

export function openApi(operations: readonly Operation[], version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of operations) {
    const { path, method } = operation
    paths[path] = { ...paths[path], [method.toLowerCase()]: operationObject(operation) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Volumer',
      version,
      license: { name: 'MIT', identifier: 'MIT' },
      description:
        'Exact live statistics per token over sliding windows. USD values and prices are decimal strings, counts integers, changes ' +
        'percent; an unknown value is null, never missing. Keys come in a fixed order. New keys may be added: ignore those that you ' +
        'do not know.',
    },
    tags: TAGS,
    paths,
    components: {
      schemas: componentSchemas(HTTP_SCHEMAS),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'An API key.' },
        header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
      },
    },
  }
}

function operationObject(operation: Operation): Record<string, unknown> {
  const { id, tag, summary, description, answer, body, access, cost } = operation
  const bodyObject = body && {
    description: body.description,
    required: true,
    content: Object.fromEntries(
      Object.entries(body.content).map(([type, { schema, example }]) => [
        type,
        { schema: named(schema), example },
      ]),
    ),
  }
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [
      ...parameters(operation.params, 'path'),
      ...parameters(operation.query, 'query'),
      ...(operation.conditional ? [IF_NONE_MATCH] : []),
    ],
    ...(bodyObject === undefined ? {} : { requestBody: bodyObject }),
    responses: {
      200: {
        description: answer.description,
        ...(operation.conditional ? { headers: { ETag: { schema: { type: 'string' } } } } : {}),
        content: {
          [answer.contentType]: { schema: named(answer.schema), example: answer.example },
          ...Object.fromEntries((operation.otherTypes ?? []).map(type => [type, OTHER])),
        },
      },
      ...(operation.conditional ? { 304: { description: 'The caller has the newest.' } } : {}),
      ...problemResponses(operation),
    },
    // Where keys are on; without them everybody may.
    security: access === 'open' ? [] : [{}, { bearer: [access] }, { header: [access] }],
    'x-scope': access,
    'x-cost': cost,
  }
}

const OTHER = { schema: { type: 'string' }, example: '…' }

const IF_NONE_MATCH = {
  name: 'If-None-Match',
  in: 'header',
  required: false,
  description: 'The ETag of the answer that the caller has.',
  schema: { type: 'string' },
}

function parameters({ properties, required }: TObject, where: 'path' | 'query'): unknown[] {
  return Object.entries(properties).map(([name, property]: [string, TSchema]) => {
    const about = new Map<string, unknown>(Object.entries(property))
    const description = about.get('description')
    const examples = about.get('examples')
    return {
      name,
      in: where,
      required: required?.includes(name) ?? false,
      ...(description === undefined ? {} : { description }),
      schema: named(property),
      ...(about.get('type') === 'array' ? { style: 'form', explode: about.has('x-repeatable') } : {}),
      ...(Array.isArray(examples) ? { example: examples[0] } : {}),
    }
  })
}

function problemResponses({ problems, access }: Operation): Record<string, unknown> {
  const types = new Set([...problems, ...(access === 'open' ? (['internal-error'] as const) : COMMON)])
  const byStatus = new Map<number, ProblemType[]>()
  for (const type of types) {
    const { status } = PROBLEM_TYPES[type]
    byStatus.set(status, [...(byStatus.get(status) ?? []), type])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, each]) => [
      status,
      {
        description: each.map(type => `\`${type}\`: ${PROBLEM_TYPES[type].title}.`).join(' '),
        content: {
          'application/problem+json': {
            schema: { $ref: '#/components/schemas/Problem' },
            examples: Object.fromEntries(
              each.map(type => [type, { value: problemJson(type, PROBLEM_TYPES[type].title) }]),
            ),
          },
        },
      },
    ]),
  )
}
