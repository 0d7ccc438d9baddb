/// Reads a request's body whole, within bounds: its size before and after inflation, the bytes of all bodies
/// together, and time. What exceeds a bound is refused while it arrives, not after.

import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { WebLimits } from '../limits.js'
import { ProblemError } from '../wire/problem.js'

/// Bytes of bodies that are held, over all requests.
export class ByteBudget {
  readonly #max: number
  #held = 0

  constructor(max: number) {
    this.#max = max
  }

  /// False, and nothing taken, when the bytes do not fit.
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#max) return false
    this.#held += bytes
    return true
  }

  give(bytes: number): void {
    this.#held -= bytes
  }

  get used(): number {
    return this.#held
  }
}

export interface Body {
  readonly bytes: Buffer
  /// Gives the bytes back to the budget. Call once, when they are no longer needed.
  release(): void
}

export interface BodyReader {
  readonly budget: ByteBudget
  /// Rejects with ProblemError. The rest of a refused body is read and dropped, so that the client gets the answer.
  /// `bytesMax` may be given where less than the usual is enough.
  read(request: IncomingMessage, bytesMax?: number): Promise<Body>
}

export function bodyReader(limits: WebLimits, clock: Clock): BodyReader {
  const budget = new ByteBudget(limits.bodyBytesInFlightMax)
  return {
    budget,
    async read(request, bytesMax = limits.bodyBytesMax) {
      const announced = Number(request.headers['content-length'] ?? 0)
      const gzip = isGzip(request)
      if (announced > bytesMax) throw tooLarge(bytesMax)
      const hold = new Hold(budget)
      // What is announced is taken at once: a crowd of large bodies is refused before any of them arrives.
      if (!hold.raise(announced)) throw overloaded()
      try {
        return {
          bytes: await collect(request, gzip, bytesMax, limits.bodyTimeoutMs, clock, hold),
          release: () => hold.release(),
        }
      } catch (error) {
        hold.release()
        throw error
      }
    },
  }
}

/// One request's part of the budget. It only grows.
class Hold {
  readonly #budget: ByteBudget
  #bytes = 0

  constructor(budget: ByteBudget) {
    this.#budget = budget
  }

  raise(bytes: number): boolean {
    if (bytes <= this.#bytes) return true
    if (!this.#budget.take(bytes - this.#bytes)) return false
    this.#bytes = bytes
    return true
  }

  release(): void {
    this.#budget.give(this.#bytes)
    this.#bytes = 0
  }
}

function collect(
  request: IncomingMessage,
  gzip: boolean,
  bytesMax: number,
  timeoutMs: number,
  clock: Clock,
  hold: Hold,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let received = 0
    let length = 0
    const inflated: Readable = gzip ? request.pipe(createGunzip()) : request
    const cancelDeadline = clock.at(epochMs(clock.now() + timeoutMs), () => {
      fail(new ProblemError('body-too-slow', `the body was not complete within ${timeoutMs} ms`))
    })

    function settle(): void {
      cancelDeadline()
      request.off('data', onReceived).off('error', onBroken).off('close', onClose)
      inflated.off('data', onData).off('end', onEnd).off('error', onBroken)
      // Errors after the decision are of no interest, but would stop the process unheard.
      request.on('error', () => undefined)
      if (!gzip) return
      inflated.on('error', () => undefined)
      request.unpipe()
      inflated.destroy()
    }
    function fail(problem: ProblemError): void {
      settle()
      request.resume()
      reject(problem)
    }
    function onReceived(chunk: Buffer): void {
      received += chunk.length
      if (received > bytesMax) fail(tooLarge(bytesMax))
    }
    function onData(chunk: Buffer): void {
      length += chunk.length
      if (length > bytesMax) fail(tooLarge(bytesMax))
      else if (!hold.raise(length)) fail(overloaded())
      else chunks.push(chunk)
    }
    function onEnd(): void {
      settle()
      resolve(Buffer.concat(chunks, length))
    }
    function onBroken(): void {
      fail(
        new ProblemError('invalid-body', gzip ? 'the body is not whole, valid gzip' : 'the body broke off'),
      )
    }
    function onClose(): void {
      if (!request.complete) onBroken()
    }

    if (gzip) request.on('data', onReceived)
    request.on('error', onBroken).on('close', onClose)
    inflated.on('data', onData).on('end', onEnd).on('error', onBroken)
  })
}

function isGzip(request: IncomingMessage): boolean {
  const encoding = (request.headers['content-encoding'] ?? '').trim().toLowerCase()
  if (encoding === 'gzip' || encoding === 'x-gzip') return true
  if (encoding === 'identity' || encoding === '') return false
  throw new ProblemError('unsupported-media-type', 'the content encoding is gzip or identity', {
    field: 'content-encoding',
  })
}

function tooLarge(bytesMax: number): ProblemError {
  return new ProblemError('body-too-large', `a body has at most ${bytesMax} bytes, inflated`)
}

function overloaded(): ProblemError {
  const extra = { retryAfterSeconds: 1 }
  return new ProblemError('overloaded', 'too many bytes of other requests are under way', extra)
}
