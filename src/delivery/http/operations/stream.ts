/// The feeds over HTTP.

import Type from 'typebox'
import { closed, oneOf, TokenName } from '../../wire/schema.js'
import { NO_PARAMS, operation } from '../operation.js'
import { fields, window } from './parameters.js'

export const GetStream = operation({
  id: 'getStream',
  method: 'GET',
  path: '/v1/stream',
  tag: 'feeds',
  summary: 'The feeds as server-sent events',
  description:
    'The messages of the WebSocket (/asyncapi.json): `event` is their type, `data` the same JSON, `id` their cursor. A browser ' +
    'comes back by itself and sends the last one as `Last-Event-ID`: what it missed comes first. The last event before the ' +
    'server ends a stream is `close`.',
  params: NO_PARAMS,
  query: closed({
    token: Type.Optional(
      Type.Array(TokenName, {
        minItems: 1,
        maxItems: 1000,
        description: 'Follows this token. May be given several times.',
        'x-repeatable': true,
      }),
    ),
    window,
    fields,
    mode: Type.Optional(oneOf(['full', 'delta'], 'As of a subscription.')),
    maxRate: Type.Optional(
      Type.Number({ minimum: 0.1, maximum: 1000, description: 'As of a subscription.' }),
    ),
    subscriptions: Type.Optional(
      Type.String({
        maxLength: 16_384,
        description: 'Instead of `token`: a JSON array of subscriptions, as over the WebSocket.',
        examples: ['[{"channel":"ranking","sort":"volume.h1","limit":10}]'],
      }),
    ),
    cursor: Type.Optional(Type.String({ maxLength: 64, description: 'As Last-Event-ID.' })),
    key: Type.Optional(
      Type.String({
        maxLength: 256,
        description: 'An API key, where a header cannot be set, as in a browser.',
      }),
    ),
  }),
  answer: {
    description: 'Events, until either side ends it.',
    contentType: 'text/event-stream',
    schema: Type.String(),
    example:
      'id: k3x9.4\nevent: update\ndata: {"type":"update","seq":4,"cursor":"k3x9.4","channel":"token","token":"BTC","stats":null,"times":{"event":null,"rolled":null,"sent":1795478010380}}\n\n',
  },
  problems: ['invalid-parameter', 'overloaded', 'draining'],
  access: 'read',
  cost: 5,
  stream: true,
})
