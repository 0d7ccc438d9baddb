/// API keys in memory.

import type { EpochMs } from '../../core/units.js'
import type { ApiKey, ApiKeys } from '../../ports/api-keys.js'

export class MemoryApiKeys implements ApiKeys {
  readonly #keys = new Map<string, ApiKey>()
  readonly #byHash = new Map<string, ApiKey>()

  byHash(hash: string): ApiKey | undefined {
    return this.#byHash.get(hash)
  }

  isValid(id: string): boolean {
    return this.#keys.get(id)?.revokedAt === null
  }

  list(): readonly ApiKey[] {
    return [...this.#keys.values()]
  }

  async add(key: ApiKey): Promise<void> {
    this.put(key)
  }

  async revoke(id: string, at: EpochMs): Promise<boolean> {
    const key = this.#keys.get(id)
    if (key === undefined || key.revokedAt !== null) return false
    this.put({ ...key, revokedAt: at })
    return true
  }

  async reload(): Promise<boolean> {
    return false
  }

  put(key: ApiKey): void {
    this.#keys.set(key.id, key)
    if (key.revokedAt === null) this.#byHash.set(key.hash, key)
    else this.#byHash.delete(key.hash)
  }
}
