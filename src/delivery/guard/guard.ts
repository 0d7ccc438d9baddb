/// Who may do what, and how much of it.
///
/// A caller is an API key where keys are on, else an address. Each has a bucket of cost units that fills at a steady
/// rate; an operation takes its cost. Buckets are bounded: the longest unused goes, which can only favour its caller
/// when it was full anyway, since a bucket is full again after some seconds.

import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import type { ApiKeys, Scope } from '../../ports/api-keys.js'
import type { Clock } from '../../ports/clock.js'
import type { WebLimits } from '../limits.js'
import { Rate } from '../rate.js'
import { ProblemError } from '../wire/problem.js'

/// What a caller needs for an operation. `open`: nothing, so that health checks and the documents need no key.
export type Access = 'open' | Scope

/// What a silent caller may spend at once, in seconds of its rate.
const BURST_SECONDS = 10
const BUCKETS_MAX = 20_000
/// A wrong key costs its address so much: guessing is slow, and pointless with 256 bits.
const WRONG_KEY_COST = 10
const KEY_LENGTH_MAX = 256

export interface Caller {
  /// null where keys are off, and for what is open to all.
  readonly keyId: string | null
  readonly scopes: readonly Scope[] | 'all'
  readonly bucket: string
}

/// Where neither keys nor rates are on.
const ANYBODY: Caller = { keyId: null, scopes: 'all', bucket: '' }

/// What is left of a caller's rate, for the RateLimit headers.
export interface Allowance {
  readonly quota: number
  readonly windowSeconds: number
  readonly remaining: number
  readonly fullInSeconds: number
}

export interface GuardOptions {
  /// null where no key is asked for.
  readonly keys: ApiKeys | null
  readonly clock: Clock
  readonly limits: WebLimits
}

export class Guard {
  readonly #options: GuardOptions
  /// Longest unused first.
  readonly #buckets = new Map<string, Rate>()
  #refused = 0

  constructor(options: GuardOptions) {
    this.#options = options
  }

  /// Requests refused for their rate.
  get refused(): number {
    return this.#refused
  }

  /// Who asks, and whether it may. Throws ProblemError key-missing, key-unknown, scope-missing or rate-limited.
  identify(access: Access, headers: IncomingHttpHeaders, key: string | null, address: string): Caller {
    const { keys, limits } = this.#options
    if (keys === null && limits.costPerSecond === null) return ANYBODY
    const bucket = `address ${networkOf(address)}`
    if (access === 'open' || keys === null) return { keyId: null, scopes: 'all', bucket }
    const given = key ?? keyOf(headers)
    if (given === null) {
      const detail = 'send an API key as `Authorization: Bearer KEY` or `X-API-Key: KEY`'
      throw new ProblemError('key-missing', detail, { field: 'authorization' })
    }
    const known = given.length > KEY_LENGTH_MAX ? undefined : keys.byHash(hashOf(given))
    if (known === undefined) {
      this.charge({ keyId: null, scopes: [], bucket }, WRONG_KEY_COST)
      throw new ProblemError('key-unknown', 'there is no such API key, or it was revoked', {
        field: 'authorization',
      })
    }
    if (!known.scopes.includes(access)) {
      throw new ProblemError('scope-missing', `the API key ${known.id} has no scope “${access}”`)
    }
    return { keyId: known.id, scopes: known.scopes, bucket: `key ${known.id}` }
  }

  /// Takes the cost from the caller's rate; null where rates are off. Throws ProblemError rate-limited.
  charge(caller: Caller, cost: number): Allowance | null {
    const { clock, limits } = this.#options
    const perSecond = limits.costPerSecond
    if (perSecond === null || cost === 0) return null
    const quota = perSecond * BURST_SECONDS
    const rate = this.#buckets.get(caller.bucket) ?? new Rate(clock, perSecond, quota)
    this.#buckets.delete(caller.bucket)
    if (this.#buckets.size >= BUCKETS_MAX) this.#dropOldest()
    this.#buckets.set(caller.bucket, rate)
    const waitSeconds = rate.waitSeconds()
    const allowance = (): Allowance => ({
      quota,
      windowSeconds: BURST_SECONDS,
      remaining: Math.max(0, Math.floor(rate.level)),
      fullInSeconds: Math.max(0, Math.ceil((quota - rate.level) / perSecond)),
    })
    if (waitSeconds > 0) {
      this.#refused++
      const who = caller.keyId === null ? 'an address' : 'a key'
      const detail = `${who} may spend ${perSecond} units of cost a second, ${quota} at once`
      const headers = allowanceHeaders(allowance())
      throw new ProblemError('rate-limited', detail, { retryAfterSeconds: waitSeconds, headers })
    }
    rate.charge(cost)
    return allowance()
  }

  #dropOldest(): void {
    for (const bucket of this.#buckets.keys()) {
      this.#buckets.delete(bucket)
      return
    }
  }
}

/// As draft-ietf-httpapi-ratelimit-headers has them.
export function allowanceHeaders({
  quota,
  windowSeconds,
  remaining,
  fullInSeconds,
}: Allowance): Record<string, string> {
  return {
    'ratelimit-policy': `"cost";q=${quota};w=${windowSeconds}`,
    ratelimit: `"cost";r=${remaining};t=${fullInSeconds}`,
  }
}

export const hashOf = (key: string): string => createHash('sha256').update(key).digest('hex')

function keyOf(headers: IncomingHttpHeaders): string | null {
  const { authorization } = headers
  if (authorization !== undefined) {
    const [scheme = '', key = ''] = authorization.split(' ', 2)
    if (scheme.toLowerCase() === 'bearer' && key !== '') return key
  }
  const header = headers['x-api-key']
  return typeof header === 'string' && header !== '' ? header : null
}

/// One customer has a whole IPv6 network of 64 bits, so that is what counts.
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address
  const [head = ''] = address.split('%', 1)
  const [left = '', right] = head.split('::')
  const groups = left.split(':')
  const missing = right === undefined ? 0 : 8 - groups.length - right.split(':').length
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0')].slice(0, 4).join(':')
}
