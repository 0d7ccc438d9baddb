/// `volumer send`: posts a file of swaps to a running server, paced by the file's own times.
///
/// The file's order is kept. A swap is due when the running maximum of the times before it says so; a file that is
/// not sorted by time is therefore sent without waiting wherever its times go back.
///
/// Sending is at least once: a batch whose answer was lost is sent again, and the server drops what it knows.

import { pause } from '../ports/pause.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { at, networkReason, problemOf, unreachable } from './server-url.js'
import { SwapFile } from './swap-file.js'
import { type SwapLine, shifted, swapLines, timeOf } from './swap-lines.js'

export interface SendOptions {
  readonly url: URL
  /// An API key, where the server asks for one.
  readonly key?: string | undefined
  /// How many times faster than the file's own times; Infinity does not wait.
  readonly speed: number
  /// Moves all times by the same span, so that the newest is now.
  readonly shiftToNow: boolean
}

/// What came of a file.
export interface SendResult {
  readonly appended: number
  readonly invalid: number
}

const BATCH_LINES_MAX = 2000
const BATCH_CHARS_MAX = 512 * 1024
/// How long swaps are collected into a batch when pacing.
const LINGER_MS = 20
const ATTEMPTS_MAX = 30
const BACKOFF_MS_MAX = 5000
const ANSWER_MS_MAX = 60_000
/// Invalid lines that are shown one by one.
const SHOWN_MAX = 20

interface Answer {
  readonly appended: number
  readonly invalid: readonly {
    readonly line: number
    readonly field: string | null
    readonly reason: string
  }[]
}

export async function send(path: string, options: SendOptions, context: CommandContext): Promise<SendResult> {
  const { clock, stderr } = context
  const file = new SwapFile(path)
  const shiftMs = options.shiftToNow ? clock.now() - (await newestTime(path, context)) : 0
  const progress = new ProgressBar(stderr, clock, 'Sending')
  const sender = new Sender(options.url, options.key, context)
  const beganAt = clock.now()
  const due = new Schedule(options.speed, beganAt)
  let batch: SwapLine[] = []
  let chars = 0
  const flush = async () => {
    if (batch.length === 0) return
    await sender.send(batch)
    batch = []
    chars = 0
    progress.update(file.share, `${sender.appended.toLocaleString('en')} swaps`)
  }
  try {
    for await (const raw of swapLines(file)) {
      const line = shiftMs === 0 ? raw : shifted(raw, shiftMs)
      if (options.speed !== Number.POSITIVE_INFINITY) {
        const dueAt = due.at(timeOf(raw))
        if (dueAt > clock.now() + LINGER_MS) {
          await flush()
          await pause(clock, dueAt - clock.now())
        }
      }
      batch.push(line)
      chars += line.json.length + 1
      if (batch.length >= BATCH_LINES_MAX || chars >= BATCH_CHARS_MAX) await flush()
    }
    await flush()
  } finally {
    progress.end()
  }
  const seconds = Math.max(0.001, (clock.now() - beganAt) / 1000)
  const { appended, invalid } = sender
  if (invalid > SHOWN_MAX)
    stderr.write(`… and ${(invalid - SHOWN_MAX).toLocaleString('en')} more invalid lines\n`)
  stderr.write(
    `${appended.toLocaleString('en')} swaps appended, ${invalid.toLocaleString('en')} invalid, ` +
      `in ${seconds.toFixed(1)} s (${Math.round(appended / seconds).toLocaleString('en')}/s)\n`,
  )
  return { appended, invalid }
}

/// The newest time of the file: a pass of its own, since it may stand anywhere.
async function newestTime(path: string, { clock, stderr }: CommandContext): Promise<number> {
  const file = new SwapFile(path)
  const progress = new ProgressBar(stderr, clock, 'Looking for the newest swap')
  let newest = Number.NEGATIVE_INFINITY
  for await (const line of swapLines(file)) {
    newest = Math.max(newest, timeOf(line) ?? newest)
    progress.update(file.share)
  }
  progress.end()
  if (newest === Number.NEGATIVE_INFINITY) throw new CommandError(`${path}: no line has a time to shift`)
  return newest
}

/// When each swap is due: the first at the beginning, the others as far behind it as their times are, ÷ speed.
export class Schedule {
  readonly #speed: number
  readonly #beganAt: number
  #first: number | null = null
  #newest = 0

  constructor(speed: number, beganAt: number) {
    this.#speed = speed
    this.#beganAt = beganAt
  }

  /// `time` is null for a line that has none: it is due with the one before it.
  at(time: number | null): number {
    if (time !== null) {
      this.#first ??= time
      this.#newest = Math.max(this.#newest, time)
    }
    return this.#first === null ? this.#beganAt : this.#beganAt + (this.#newest - this.#first) / this.#speed
  }
}

class Sender {
  readonly #url: URL
  readonly #target: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #context: CommandContext
  /// The server has answered once.
  #reached = false
  appended = 0
  invalid = 0

  constructor(url: URL, key: string | undefined, context: CommandContext) {
    this.#url = url
    this.#target = at(url, '/v1/trades')
    const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` }
    this.#headers = { 'content-type': 'application/x-ndjson', ...authorization }
    this.#context = context
  }

  async send(batch: readonly SwapLine[]): Promise<void> {
    const body = `${batch.map(line => line.json).join('\n')}\n`
    for (let attempt = 1; ; attempt++) {
      const response = await this.#post(body, attempt)
      if (response === null) continue
      if (response.ok) {
        this.#count(batch, answerOf(await response.json()))
        return
      }
      if (response.status === 413 && batch.length > 1) {
        await response.body?.cancel()
        const half = batch.length >> 1
        await this.send(batch.slice(0, half))
        await this.send(batch.slice(half))
        return
      }
      const problem = await problemOf(response)
      const retryable = response.status === 429 || response.status === 503
      if (!retryable || attempt >= ATTEMPTS_MAX) throw this.#failed(problem)
      const seconds = Number(response.headers.get('retry-after') ?? 1)
      await this.#wait(Number.isFinite(seconds) ? Math.min(60, seconds) * 1000 : 1000)
    }
  }

  /// null when the connection failed and another attempt makes sense.
  async #post(body: string, attempt: number): Promise<Response | null> {
    try {
      const response = await fetch(this.#target, {
        method: 'POST',
        body,
        headers: this.#headers,
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      })
      this.#reached = true
      return response
    } catch (error) {
      // Nobody there from the beginning is a mistake of the user; later it may be a restart.
      if (!this.#reached && attempt >= 3) throw unreachable(this.#url, error)
      if (attempt >= ATTEMPTS_MAX) throw this.#failed(networkReason(error))
      await this.#wait(Math.min(BACKOFF_MS_MAX, 100 * 2 ** attempt))
      return null
    }
  }

  /// Waits between half and one and a half times `ms`, so that several senders do not come back together.
  #wait(ms: number): Promise<void> {
    return pause(this.#context.clock, ms * (0.5 + Math.random()))
  }

  #failed(reason: string): CommandError {
    return new CommandError(
      `${this.#url.origin} does not take the swaps: ${reason}\n${this.appended.toLocaleString('en')} swaps were ` +
        'appended and are safe. Sending the file again is harmless: what is known by its id counts once.',
    )
  }

  #count(batch: readonly SwapLine[], answer: Answer): void {
    this.appended += answer.appended
    for (const { line, field, reason } of answer.invalid) {
      this.invalid++
      if (this.invalid > SHOWN_MAX) continue
      const where = batch[line - 1]?.line ?? '?'
      // The decoder's reasons begin with the field where there is one.
      const what = field === null || reason.startsWith(field) ? reason : `${field}: ${reason}`
      this.#context.stderr.write(`line ${where}: ${what}\n`)
    }
  }
}

function answerOf(body: unknown): Answer {
  if (typeof body === 'object' && body !== null && 'appended' in body && 'invalid' in body) {
    const { appended, invalid } = body
    if (typeof appended === 'number' && Array.isArray(invalid))
      return { appended, invalid: invalid.map(invalidOf) }
  }
  throw new CommandError(
    'The server answered something that is not an answer to POST /v1/trades: is it volumer?',
  )
}

function invalidOf(entry: unknown): Answer['invalid'][number] {
  const fields = new Map<string, unknown>(Object.entries(entry ?? {}))
  const field = fields.get('field')
  return {
    line: Number(fields.get('line')),
    field: typeof field === 'string' ? field : null,
    reason: String(fields.get('reason')),
  }
}

/// `1`, `10`, `0.5` or `max`.
export function parseSpeed(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY
  const speed = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0
  if (speed > 0) return speed
  throw new CommandError(`--speed ${text}: wants a factor such as 1 or 10, or max`, EXIT.usage)
}
