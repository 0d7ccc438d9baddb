/// Messages on their way: what all receivers share, and what each has of its own.
///
/// The text of a message is `{"type":"update","seq":12,"cursor":"k3.845"` and a tail. Type, seq and cursor are the
/// receiver's; the tail is encoded once for all of them, as bytes.

import type { StatsUpdate } from '../../core/stats.js'
import type { ServerMessage, Times } from '../wire/messages.js'

export type MessageType = ServerMessage['type']

export interface MessageParts {
  readonly type: MessageType
  /// Everything after the head, from the comma to the closing brace.
  readonly tail: Buffer
}

export function partsOf(type: MessageType, fields: Readonly<Record<string, unknown>>): MessageParts {
  const text = JSON.stringify(fields)
  return { type, tail: Buffer.from(text === '{}' ? '}' : `,${text.slice(1)}`) }
}

/// `statsText` is the encoded statistics, or `null`.
export function tokenParts(
  type: 'snapshot' | 'update',
  token: string,
  statsText: string,
  times: Times,
): MessageParts {
  const tail = `,"channel":"token","token":${JSON.stringify(token)},"stats":${statsText},"times":${timesText(times)}}`
  return { type, tail: Buffer.from(tail) }
}

export function timesText({ event, rolled, sent }: Times): string {
  return `{"event":${event},"rolled":${rolled},"sent":${sent}}`
}

export function timesOf(update: StatsUpdate | undefined, sent: number): Times {
  const event = update === undefined || update.cells === null ? null : update.lastSeen
  return { event, rolled: update?.rolledAt ?? null, sent }
}

/// The beginning of a message, in ASCII.
export function headText(type: MessageType, seq: number, cursor: string | null): string {
  return cursor === null
    ? `{"type":"${type}","seq":${seq}`
    : `{"type":"${type}","seq":${seq},"cursor":"${cursor}"`
}
