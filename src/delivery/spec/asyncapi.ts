/// The feeds as an AsyncAPI 3 document, made from the schemas that requests are validated by and messages are tested
/// against.

import type { TSchema } from 'typebox'
import { CLOSE_CODES, ERROR_CODES, SERVER_MESSAGES } from '../wire/messages.js'
import { PingRequest, SubscribeRequest, UnsubscribeRequest } from '../wire/requests.js'
import { MESSAGE_EXAMPLES, REQUEST_EXAMPLES } from './feed-examples.js'
import { componentSchemas, FEED_SCHEMAS } from './schemas.js'

const REQUESTS = { SubscribeRequest, UnsubscribeRequest, PingRequest }

const descriptionOf = (schema: TSchema): string =>
  'description' in schema && typeof schema.description === 'string' ? schema.description : ''

export function asyncApi(version: string): Record<string, unknown> {
  const messages = {
    ...messageObjects(REQUESTS, REQUEST_EXAMPLES),
    ...messageObjects(SERVER_MESSAGES, MESSAGE_EXAMPLES),
  }
  const channelRefs = (names: readonly string[]) =>
    names.map(name => ({ $ref: `#/channels/feeds/messages/${name}` }))
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Volumer feeds',
      version,
      license: { name: 'MIT' },
      description:
        'Live statistics over one WebSocket. Text frames, one JSON document each; no compression. A text that does not begin with ' +
        '`{` subscribes to the token of that name. The same messages come as server-sent events from GET /v1/stream. ' +
        `Error codes: ${list(Object.entries(ERROR_CODES).map(([code, text]) => `${code}: ${text}`))} ` +
        `Close codes: ${list(Object.values(CLOSE_CODES).map(({ code, reason }) => `${code}: ${reason}.`))}`,
    },
    defaultContentType: 'application/json',
    servers: { local: { host: '127.0.0.1:4242', pathname: '/ws', protocol: 'ws' } },
    channels: {
      feeds: {
        address: '/ws',
        description: 'Everything goes over one connection; messages say their channel.',
        messages: Object.fromEntries(
          Object.keys(messages).map(name => [name, { $ref: `#/components/messages/${name}` }]),
        ),
        bindings: {
          ws: {
            method: 'GET',
            query: {
              type: 'object',
              properties: {
                key: { type: 'string', description: 'An API key, where a header cannot be set.' },
              },
            },
          },
        },
      },
    },
    operations: {
      hear: {
        action: 'receive',
        summary: 'What the server hears from a client.',
        channel: { $ref: '#/channels/feeds' },
        messages: channelRefs(Object.keys(REQUESTS)),
      },
      say: {
        action: 'send',
        summary: 'What the server sends to a client.',
        channel: { $ref: '#/channels/feeds' },
        messages: channelRefs(Object.keys(SERVER_MESSAGES)),
      },
    },
    components: { messages, schemas: componentSchemas(FEED_SCHEMAS) },
  }
}

const list = (texts: readonly string[]): string => texts.join(' ')

function messageObjects(
  schemas: Readonly<Record<string, TSchema>>,
  examples: Readonly<Record<string, readonly unknown[]>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [
      name,
      {
        name,
        title: name,
        summary: descriptionOf(schema),
        payload: { $ref: `#/components/schemas/${name}` },
        examples: (examples[name] ?? []).map(payload => ({ payload })),
      },
    ]),
  )
}
