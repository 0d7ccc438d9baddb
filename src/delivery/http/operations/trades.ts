/// Swaps in.

import Type from 'typebox'
import { SWAP } from '../../spec/examples.js'
import { Swap, TradesAnswer } from '../../wire/trades.js'
import { NO_PARAMS, operation } from '../operation.js'
import { JSON_CONTENT } from './parameters.js'

export const PostTrades = operation({
  id: 'postTrades',
  method: 'POST',
  path: '/v1/trades',
  tag: 'intake',
  summary: 'Takes swaps; answers when they are durable',
  description: 'NDJSON, one swap per line, or a JSON array of swaps; `Content-Encoding: gzip` is understood.',
  params: NO_PARAMS,
  query: NO_PARAMS,
  body: {
    description: 'Swaps. Invalid ones do not hold up the others.',
    content: {
      'application/x-ndjson': {
        schema: Type.String({ description: 'A swap per line.' }),
        example: `${JSON.stringify(SWAP)}\n`,
      },
      [JSON_CONTENT]: { schema: Type.Array(Swap), example: [SWAP] },
    },
  },
  answer: {
    description: 'What was taken.',
    contentType: JSON_CONTENT,
    schema: TradesAnswer,
    example: {
      appended: 3,
      invalid: [
        { line: 4, field: 'usd', reason: 'usd: wanted a decimal between 0 and 9000000000, got "much"' },
      ],
    },
  },
  problems: [
    'invalid-body',
    'cross-site',
    'body-too-slow',
    'body-too-large',
    'unsupported-media-type',
    'rate-limited',
    'draining',
    'overloaded',
    'storage-full',
  ],
  access: 'ingest',
  cost: 1,
})
