/// What a reader is told about the connection.

export type Phase =
  /// The first try is under way.
  | { readonly is: 'connecting' }
  | { readonly is: 'live' }
  /// `retryAt` by this browser's clock. `draining`: the server said that it goes away.
  | { readonly is: 'away'; readonly retryAt: number; readonly draining: boolean; readonly reason: string }
  /// A key is needed, or another one.
  | { readonly is: 'refused'; readonly code: string; readonly message: string }
  /// There is no coming back by itself.
  | { readonly is: 'ended'; readonly reason: string }

export interface Notice {
  readonly id: number
  readonly text: string
}

/// Silence of a live connection after which numbers are not called live: the server says something each second.
export const QUIET_MS = 3500
/// How far windows may end before the server's clock before that is said.
export const BEHIND_MS = 6000

/// Since when numbers stand still, by this browser's clock; null while they move.
export function staleSince(phase: Phase, heardAt: number | null, now: number): number | null {
  if (heardAt === null) return null
  return phase.is !== 'live' || now - heardAt > QUIET_MS ? heardAt : null
}
