/// Examples of what is said over feeds. A test validates each by its schema.

import type { SERVER_MESSAGES } from '../wire/messages.js'
import { CANDLES, SELECTED, STATISTICS, TOTALS, TRADE } from './examples.js'

const times = { event: 1795478009961, rolled: 1795478010379, sent: 1795478010380 }
const cursor = 'k3x9.845'

export const MESSAGE_EXAMPLES: Readonly<Record<keyof typeof SERVER_MESSAGES, readonly unknown[]>> = {
  TokenMessage: [
    { type: 'snapshot', seq: 2, cursor, channel: 'token', token: 'BTC', stats: STATISTICS, times },
    { type: 'update', seq: 9, cursor: 'k3x9.846', channel: 'token', token: 'BTC', stats: SELECTED, times },
    {
      type: 'update',
      seq: 12,
      cursor: 'k3x9.901',
      channel: 'token',
      token: 'BTC',
      stats: null,
      times: { event: null, rolled: null, sent: 1795564410000 },
    },
  ],
  TradesMessage: [
    { type: 'update', seq: 10, cursor: 'k3x9.902', channel: 'trades', token: 'BTC', trades: [TRADE], times },
  ],
  RankingMessage: [
    {
      type: 'update',
      seq: 5,
      channel: 'ranking',
      name: 'top',
      ranking: {
        sort: 'volume.h1',
        order: 'desc',
        filter: 'txns.h1.traders>=2',
        offset: 0,
        limit: 2,
        total: 17,
        tokens: ['ETH', 'BTC'],
        enter: ['ETH'],
        leave: ['DOGE'],
        move: [],
        stats: [
          { token: 'ETH', asOf: 1795478010000, version: '0:9:1795478010', volume: { h1: '80000' } },
          SELECTED,
        ],
      },
      times,
    },
  ],
  TotalsMessage: [{ type: 'snapshot', seq: 3, channel: 'totals', totals: TOTALS, times }],
  StatusMessage: [{ type: 'update', seq: 4, channel: 'status', status: { tokens: 18 }, times }],
  CandlesMessage: [
    {
      type: 'update',
      seq: 8,
      channel: 'candles',
      token: 'BTC',
      interval: '5m',
      from: 1795517700000,
      candles: CANDLES.candles.slice(0, 1),
      times: { event: null, rolled: null, sent: 1795518141950 },
    },
  ],
  Subscribed: [
    { type: 'subscribed', seq: 1, id: 1, tokens: ['BTC', 'ETH'] },
    {
      type: 'subscribed',
      seq: 1,
      id: 'a',
      subscriptions: [{ channel: 'ranking', name: 'top', sort: 'volume.h1', limit: 2, mode: 'delta' }],
    },
  ],
  Unsubscribed: [
    { type: 'unsubscribed', seq: 6, id: 2, tokens: ['ETH'] },
    { type: 'unsubscribed', seq: 9, candles: [{ token: 'BTC', interval: '5m' }] },
  ],
  Pong: [{ type: 'pong', seq: 7, id: 3, time: 1795478010380 }],
  Heartbeat: [{ type: 'heartbeat', seq: 8, cursor, time: 1795478010519 }],
  Gap: [
    { type: 'gap', seq: 9, reason: 'slowReader', skipped: 57, tokens: null },
    { type: 'gap', seq: 2, reason: 'cursorExpired', skipped: null, tokens: ['BTC'] },
  ],
  ErrorMessage: [
    {
      type: 'error',
      seq: 5,
      code: 'unknownOp',
      message: 'op is "subscribe", "unsubscribe" or "ping"',
      field: 'op',
      id: 2,
    },
  ],
  ServerShutdown: [{ type: 'serverShutdown', seq: 7, reconnectAfterMs: 1250 }],
  Close: [{ type: 'close', seq: 8, code: 1012, reason: 'the server is shutting down' }],
}

export const REQUEST_EXAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  SubscribeRequest: [
    { op: 'subscribe', tokens: ['BTC', 'ETH'], id: 1 },
    {
      op: 'subscribe',
      tokens: ['BTC'],
      windows: ['1h'],
      fields: ['volume', 'txns'],
      mode: 'delta',
      maxRate: 2,
    },
    {
      op: 'subscribe',
      id: 'a',
      subscriptions: [
        { channel: 'token', tokens: ['BTC'] },
        { channel: 'ranking', name: 'top', sort: 'volume.h1', filter: 'txns.h1.traders>=2', limit: 2 },
        { channel: 'trades', tokens: ['BTC'], maxRate: 5 },
        { channel: 'totals', windows: ['24h'] },
        { channel: 'status', maxRate: 0.2 },
        { channel: 'candles', token: 'BTC', interval: '5m', limit: 500, mode: 'delta' },
      ],
      cursor,
    },
  ],
  UnsubscribeRequest: [
    { op: 'unsubscribe', tokens: ['ETH'], id: 2 },
    { op: 'unsubscribe', trades: ['BTC'], rankings: ['top'], channels: ['totals'] },
    { op: 'unsubscribe', candles: [{ token: 'BTC', interval: '5m' }] },
  ],
  PingRequest: [{ op: 'ping', id: 3 }],
}
