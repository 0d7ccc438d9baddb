/// The operations of the admin port: metrics, and what an operator does with clients.

import Type from 'typebox'
import { NO_PARAMS, type Operation, operation } from '../http/operation.js'
import { closed, count, epochMs, nullable, oneOf } from '../wire/schema.js'

const ClientInfo = closed({
  id: count('Names the client while it is connected.'),
  transport: oneOf(['webSocket', 'eventStream']),
  since: epochMs('When it connected.'),
  key: nullable(Type.String(), 'Id of its API key.'),
  address: Type.String(),
  subscriptions: count('What it follows.'),
  messagesSent: count('To it.'),
  unsentBytes: count('Not taken yet.'),
})

export const GetMetrics = operation({
  id: 'getMetrics',
  method: 'GET',
  path: '/metrics',
  tag: 'admin',
  summary: 'Metrics for Prometheus',
  params: NO_PARAMS,
  query: Type.Object({}),
  answer: {
    description: 'Text, version 0.0.4.',
    contentType: 'text/plain; version=0.0.4',
    schema: Type.String(),
    example:
      '# HELP volumer_ready 1 when the statistics are complete and current.\n# TYPE volumer_ready gauge\nvolumer_ready 1\n',
  },
  problems: [],
  access: 'admin',
  cost: 0,
})

export const ListClients = operation({
  id: 'listClients',
  method: 'GET',
  path: '/admin/clients',
  tag: 'admin',
  summary: 'Clients of the feeds',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: {
    description: 'All of them.',
    contentType: 'application/json',
    schema: closed({ clients: Type.Array(ClientInfo) }),
    example: {
      clients: [
        {
          id: 1,
          transport: 'webSocket',
          since: 1795478010000,
          key: null,
          address: '127.0.0.1',
          subscriptions: 2,
          messagesSent: 14,
          unsentBytes: 0,
        },
      ],
    },
  },
  problems: [],
  access: 'admin',
  cost: 0,
})

export const CloseClient = operation({
  id: 'closeClient',
  method: 'DELETE',
  path: '/admin/clients/{id}',
  tag: 'admin',
  summary: 'Closes a client with 4000',
  params: closed({ id: Type.Integer({ minimum: 1 }) }),
  query: NO_PARAMS,
  answer: {
    description: 'It is being closed.',
    contentType: 'application/json',
    schema: closed({ closed: Type.Integer() }),
    example: { closed: 1 },
  },
  problems: ['invalid-parameter', 'unknown-client'],
  access: 'admin',
  cost: 0,
})

export const GetAdminOpenApi = operation({
  id: 'getAdminOpenApi',
  method: 'GET',
  path: '/openapi.json',
  tag: 'documents',
  summary: 'This API as OpenAPI 3.1',
  params: NO_PARAMS,
  query: NO_PARAMS,
  answer: {
    description: 'The document.',
    contentType: 'application/json',
    schema: Type.Object({}),
    example: {},
  },
  problems: [],
  access: 'open',
  cost: 0,
})

export const ADMIN_OPERATIONS: readonly Operation[] = [GetMetrics, ListClients, CloseClient, GetAdminOpenApi]
