/// How messages reach a client: over a WebSocket, or as server-sent events. Written by ws/ and sse/.

import type { CloseCause } from '../wire/messages.js'
import type { MessageType } from './parts.js'

/// A message that is to be written. `head` and `tail` make its text.
export interface Outgoing {
  readonly type: MessageType
  /// In ASCII.
  readonly head: string
  readonly tail: Buffer
  readonly cursor: string | null
}

export interface Transport {
  readonly kind: 'webSocket' | 'eventStream'
  readonly open: boolean
  /// What was written and not taken yet.
  readonly unsentBytes: number
  /// Several messages in one write.
  write(messages: readonly Outgoing[]): void
  /// Asks the peer for a sign of life, where the protocol can.
  ping(): void
  /// Says why, and ends when the peer agrees. `seq` is for a last message.
  close(cause: CloseCause, seq: number): void
  /// Ends at once, and says nothing.
  terminate(): void
}
