/// What the server says over WebSocket: one JSON document per text frame, each with `type` and with `seq`, which
/// counts the messages of the connection from 1 without holes. docs/wire.md shows all of them.

import type { TokenStatsJson } from './stats.js'

/// A request's `id`, given back in its answer.
export type RequestId = string | number

/// When the update was on its way, epoch milliseconds.
export interface UpdateTimes {
  /// The batch that changed the statistics was rolled; null where the feed does not carry it.
  readonly rolled: number | null
  /// The message left the server.
  readonly sent: number
}

export interface StatsMessage {
  /// `snapshot` answers a subscription, `update` follows each change.
  readonly type: 'snapshot' | 'update'
  readonly seq: number
  readonly token: string
  /// null: the token has no swap within retention (not yet, or not any more).
  readonly stats: TokenStatsJson | null
  readonly times: UpdateTimes
}

export type ServerMessage =
  | StatsMessage
  | {
      readonly type: 'subscribed' | 'unsubscribed'
      readonly seq: number
      readonly id?: RequestId
      readonly tokens: readonly string[]
    }
  | { readonly type: 'pong'; readonly seq: number; readonly id?: RequestId; readonly time: number }
  | { readonly type: 'heartbeat'; readonly seq: number; readonly time: number }
  /// `skipped` updates were replaced by newer ones before this slow reader took them. Newest states follow.
  | { readonly type: 'gap'; readonly seq: number; readonly reason: 'slowReader'; readonly skipped: number }
  | {
      readonly type: 'error'
      readonly seq: number
      readonly code: ErrorCode
      readonly message: string
      readonly field: string | null
      readonly id?: RequestId
    }
  | { readonly type: 'serverShutdown'; readonly seq: number; readonly reconnectAfterMs: number }

export type ErrorCode =
  /// The frame begins with `{` and is not JSON.
  | 'invalidJson'
  /// A field is missing or has the wrong type.
  | 'invalidRequest'
  | 'unknownOp'
  /// Not a token name: empty, longer than 128 characters, or not valid Unicode.
  | 'invalidToken'
  /// The subscription would exceed the connection's limit; nothing of the request was done.
  | 'tooManyTokens'
  /// Followed by close code 4029.
  | 'tooManyMessages'

/// Why the server closes, and whether coming back helps.
export const CLOSE_CODES = {
  /// A binary frame. The client has a bug: do not reconnect.
  unsupportedData: { code: 1003, reason: 'only text frames are understood' },
  /// The server restarts. Reconnect after `reconnectAfterMs` of `serverShutdown`.
  serverRestart: { code: 1012, reason: 'the server is shutting down' },
  /// The client reads too slowly for what it subscribed to. Reconnect, with fewer tokens or a faster reader.
  slowReader: { code: 4008, reason: 'slow reader' },
  /// Too many requests. Reconnect after ten seconds or more.
  tooManyMessages: { code: 4029, reason: 'too many messages' },
} as const

/// A message whose `seq` is still open: head, seq and tail make the text. Tails are shared by all receivers.
export interface MessageParts {
  readonly type: ServerMessage['type']
  /// Everything after `seq`, from the comma to the closing brace.
  readonly tail: Buffer
}

export function partsOf(
  type: ServerMessage['type'],
  fields: Readonly<Record<string, unknown>>,
): MessageParts {
  const text = JSON.stringify(fields)
  return { type, tail: Buffer.from(text === '{}' ? '}' : `,${text.slice(1)}`) }
}

/// `statsText` is the encoded statistics, or `null`.
export function statsParts(
  type: StatsMessage['type'],
  token: string,
  statsText: string,
  times: UpdateTimes,
): MessageParts {
  const tail = `,"token":${JSON.stringify(token)},"stats":${statsText},"times":{"rolled":${times.rolled},"sent":${times.sent}}}`
  return { type, tail: Buffer.from(tail) }
}

/// The whole message as one buffer.
export function messageBytes({ type, tail }: MessageParts, seq: number): Buffer {
  const head = `{"type":"${type}","seq":${seq}`
  const bytes = Buffer.allocUnsafe(head.length + tail.length)
  bytes.write(head, 0, 'latin1')
  bytes.set(tail, head.length)
  return bytes
}
