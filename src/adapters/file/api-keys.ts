/// API keys in one file of JSON that only its owner may read. A change writes the whole file beside it and renames, so a
/// crash leaves the old or the new one; a lock file keeps two processes from changing it at a time.

import { constants, type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type EpochMs, epochMs } from '../../core/units.js'
import { type ApiKey, type ApiKeys, SCOPES, type Scope } from '../../ports/api-keys.js'
import { DamagedError, UnknownFormatError } from '../../ports/errors.js'
import { MemoryApiKeys } from '../memory/api-keys.js'

const VERSION = 1
const OWNER_ONLY = 0o600
const LOCK_TRIES = 200

export class FileApiKeys implements ApiKeys {
  readonly #path: string
  readonly #pause: (ms: number) => Promise<void>
  #known = new MemoryApiKeys()
  #stamp = ''

  private constructor(path: string, pause: (ms: number) => Promise<void>) {
    this.#path = path
    this.#pause = pause
  }

  /// A file that is not there is a store without keys. Rejects with DamagedError or UnknownFormatError when it cannot be
  /// read. `pause` waits, between tries to get the lock.
  static async open(path: string, pause: (ms: number) => Promise<void>): Promise<FileApiKeys> {
    const keys = new FileApiKeys(path, pause)
    await keys.reload()
    return keys
  }

  byHash(hash: string): ApiKey | undefined {
    return this.#known.byHash(hash)
  }

  isValid(id: string): boolean {
    return this.#known.isValid(id)
  }

  list(): readonly ApiKey[] {
    return this.#known.list()
  }

  async add(key: ApiKey): Promise<void> {
    await this.#change(known => known.add(key))
  }

  async revoke(id: string, at: EpochMs): Promise<boolean> {
    return this.#change(known => known.revoke(id, at))
  }

  async reload(): Promise<boolean> {
    const stamp = await stampOf(this.#path)
    if (stamp === this.#stamp) return false
    const known = new MemoryApiKeys()
    if (stamp !== '') for (const key of parsed(this.#path, await readFile(this.#path, 'utf8'))) known.put(key)
    this.#known = known
    this.#stamp = stamp
    return true
  }

  async #change<T>(change: (known: MemoryApiKeys) => Promise<T>): Promise<T> {
    await mkdir(dirname(this.#path), { recursive: true })
    const lock = await this.#lock()
    try {
      // What another process wrote since is kept.
      await this.reload()
      const result = await change(this.#known)
      await this.#write()
      return result
    } finally {
      await lock.close()
      await rm(`${this.#path}.lock`, { force: true })
    }
  }

  async #lock(): Promise<FileHandle> {
    const path = `${this.#path}.lock`
    for (let tries = 1; ; tries++) {
      try {
        return await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, OWNER_ONLY)
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error
        if (tries === LOCK_TRIES) {
          throw new Error(`${path} is held by another process. Remove it when there is none.`, {
            cause: error,
          })
        }
        await this.#pause(10)
      }
    }
  }

  async #write(): Promise<void> {
    const text = `${JSON.stringify({ version: VERSION, keys: this.#known.list() }, null, 2)}\n`
    const beside = `${this.#path}.new`
    const file = await open(beside, 'w', OWNER_ONLY)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, this.#path)
    const directory = await open(dirname(this.#path), 'r')
    await directory.sync().finally(() => directory.close())
    this.#stamp = await stampOf(this.#path)
  }
}

/// Changes whenever the file does; empty where there is none.
async function stampOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs } = await stat(path)
    return `${ino} ${size} ${mtimeMs}`
  } catch (error) {
    if (isCode(error, 'ENOENT')) return ''
    throw error
  }
}

function parsed(path: string, text: string): ApiKey[] {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    throw damaged(path, 'it is not JSON')
  }
  const fields = new Map<string, unknown>(Object.entries(document ?? {}))
  const version = fields.get('version')
  const keys = fields.get('keys')
  if (version !== VERSION) {
    throw new UnknownFormatError(
      `${path} has version ${String(version)}; this program reads version ${VERSION}.`,
    )
  }
  if (!Array.isArray(keys)) throw damaged(path, 'it has no list of keys')
  return keys.map((key: unknown, i: number) => {
    const read = readKey(key)
    if (read === null) throw damaged(path, `key ${i + 1} of it is not complete`)
    return read
  })
}

function readKey(value: unknown): ApiKey | null {
  const fields = new Map<string, unknown>(Object.entries(value ?? {}))
  const [id, name, hash] = ['id', 'name', 'hash'].map(field => fields.get(field))
  const scopes = fields.get('scopes')
  const createdAt = fields.get('createdAt')
  const revokedAt = fields.get('revokedAt')
  if (typeof id !== 'string' || typeof name !== 'string' || typeof hash !== 'string') return null
  if (!/^[0-9a-f]{64}$/.test(hash) || !Array.isArray(scopes) || !scopes.every(isScope)) return null
  if (typeof createdAt !== 'number' || (revokedAt !== null && typeof revokedAt !== 'number')) return null
  const revoked = revokedAt === null ? null : epochMs(revokedAt)
  return { id, name, scopes, hash, createdAt: epochMs(createdAt), revokedAt: revoked }
}

const isScope = (value: unknown): value is Scope => SCOPES.some(scope => scope === value)

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code

function damaged(path: string, what: string): DamagedError {
  return new DamagedError(
    `The file of API keys ${path} cannot be read: ${what}.`,
    'Restore it from a backup, or move it away and make new keys with `volumer keys create`.',
  )
}
