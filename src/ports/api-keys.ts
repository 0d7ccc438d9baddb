/// API keys. The store holds their hashes, never the keys: whoever reads it can use none of them.
///
/// Contract, for every adapter (test/contract/api-keys.ts):
/// - Durability: when `add` or `revoke` resolves, it survives a crash.
/// - A revoked key stays listed, with when it was revoked, and is found by its hash no more.
/// - `reload` takes in what another process changed, and says whether anything did. A store that cannot be read rejects and
///   leaves what was known.
/// - Changes of several processes at a time are all kept.

import type { EpochMs } from '../core/units.js'

/// What a key allows: `read` statistics, `ingest` swaps, `admin` the routes of the admin port.
export const SCOPES = ['read', 'ingest', 'admin'] as const
export type Scope = (typeof SCOPES)[number]

export interface ApiKey {
  /// Names the key in lists and in logs. No secret.
  readonly id: string
  readonly name: string
  readonly scopes: readonly Scope[]
  /// SHA-256 of the key, in hexadecimal. A key has 256 random bits, so there is nothing to guess and no salt is needed.
  readonly hash: string
  readonly createdAt: EpochMs
  readonly revokedAt: EpochMs | null
}

export interface ApiKeys {
  /// The key of that hash, unless it is revoked.
  byHash(hash: string): ApiKey | undefined
  /// Whether there is a key of that id that is not revoked.
  isValid(id: string): boolean
  /// All of them, oldest first.
  list(): readonly ApiKey[]
  add(key: ApiKey): Promise<void>
  /// False when there is no such key, or it was revoked before.
  revoke(id: string, at: EpochMs): Promise<boolean>
  reload(): Promise<boolean>
}
