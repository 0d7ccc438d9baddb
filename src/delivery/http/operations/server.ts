/// Index, health, status, and the documents.

import Type from 'typebox'
import { STATUS } from '../../spec/examples.js'
import { closed } from '../../wire/schema.js'
import { StatusReport } from '../../wire/status.js'
import { NO_PARAMS, operation } from '../operation.js'
import { JSON_CONTENT } from './parameters.js'

export const GetIndex = operation({
  id: 'getIndex',
  method: 'GET',
  path: '/',
  tag: 'server',
  summary: 'The dashboard for browsers (`Accept: text/html`), for others the index of these routes',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: {
    description: 'Name and routes.',
    contentType: JSON_CONTENT,
    schema: closed({ name: Type.String(), routes: Type.Record(Type.String(), Type.String()) }),
    example: { name: 'volumer', routes: { 'GET /livez': 'the process runs' } },
  },
  otherTypes: ['text/html'],
  problems: [],
  access: 'open',
  cost: 1,
  conditional: true,
})

export const GetAsset = operation({
  id: 'getAsset',
  method: 'GET',
  path: '/assets/{file}',
  tag: 'documents',
  summary: 'A file of the dashboard',
  params: closed({
    file: Type.String({ minLength: 1, maxLength: 128, description: 'As the page names it.' }),
  }),
  query: NO_PARAMS,
  answer: {
    description: 'The file. Its name changes with its content.',
    contentType: 'text/javascript',
    schema: Type.String({ description: 'A file.' }),
    example: 'export {}',
  },
  otherTypes: ['text/css', 'image/svg+xml', 'font/woff2'],
  problems: ['unknown-route', 'invalid-parameter'],
  access: 'open',
  cost: 0,
})

export const GetStatus = operation({
  id: 'getStatus',
  method: 'GET',
  path: '/v1/status',
  tag: 'server',
  summary: 'Fates, rates, positions, lag, delay, clients, sizes',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: { description: 'The status.', contentType: JSON_CONTENT, schema: StatusReport, example: STATUS },
  problems: [],
  access: 'read',
  cost: 2,
})

export const GetLive = operation({
  id: 'getLive',
  method: 'GET',
  path: '/livez',
  tag: 'server',
  summary: 'The process runs',
  params: NO_PARAMS,
  query: Type.Object({}),
  answer: {
    description: 'It runs.',
    contentType: JSON_CONTENT,
    schema: closed({ status: Type.Literal('live') }),
    example: { status: 'live' },
  },
  problems: [],
  access: 'open',
  cost: 0,
})

export const GetReady = operation({
  id: 'getReady',
  method: 'GET',
  path: '/readyz',
  tag: 'server',
  summary: 'The statistics are complete and current, else 503 with the reason',
  params: NO_PARAMS,
  query: Type.Object({}),
  answer: {
    description: 'They are.',
    contentType: JSON_CONTENT,
    schema: closed({ status: Type.Literal('ready') }),
    example: { status: 'ready' },
  },
  problems: ['not-ready', 'draining'],
  access: 'open',
  cost: 0,
})

const document = (id: string, path: string, summary: string, contentType: string) =>
  operation({
    id,
    method: 'GET',
    path,
    tag: 'documents',
    summary,
    params: NO_PARAMS,
    query: NO_PARAMS,
    answer: {
      description: 'The document.',
      contentType,
      schema: contentType === JSON_CONTENT ? Type.Object({}, { description: 'A document.' }) : Type.String(),
      example: contentType === JSON_CONTENT ? {} : '<!doctype html>',
    },
    problems: [],
    access: 'open',
    cost: 1,
    conditional: true,
  })

export const GetOpenApi = document('getOpenApi', '/openapi.json', 'This API as OpenAPI 3.1', JSON_CONTENT)
export const GetAsyncApi = document('getAsyncApi', '/asyncapi.json', 'The feeds as AsyncAPI 3', JSON_CONTENT)
export const GetDocs = document('getDocs', '/docs', 'Both documents to read in a browser', 'text/html')
