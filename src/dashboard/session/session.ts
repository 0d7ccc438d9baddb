/// The page's connection to the server, and what every view shows of it: its phase, the status, the totals, the clock. All of it comes
/// over volumer/client.

import { computed, signal } from '@preact/signals'
import { type GapNotice, type StatusUpdate, VolumerClient, VolumerError } from '../../client/client.js'
import type { StatusReport } from '../../delivery/wire/status.js'
import type { Totals } from '../../delivery/wire/token-statistics.js'
import { ClockOffset } from './clock-offset.js'
import { Delays } from './delays.js'
import type { Notice, Phase } from './phase.js'
import { Rates } from './rates.js'

const NOTICE_MS = 7000
const NOTICES_MAX = 3
const STARTING_POLL_MS = 1000
/// Problems that another key, or one at all, would solve.
const KEY_PROBLEMS: readonly string[] = ['key-missing', 'key-unknown', 'scope-missing']

export interface SessionOptions {
  /// Where the page came from.
  readonly url: string
  readonly key: string | null
}

export class Session {
  readonly client: VolumerClient
  readonly hasKey: boolean
  readonly phase = signal<Phase>({ is: 'connecting' })
  readonly status = signal<StatusReport | null>(null)
  readonly totals = signal<Totals | null>(null)
  /// Whether `totals` came over the connection that there is now.
  readonly current = signal(false)
  readonly notices = signal<readonly Notice[]>([])
  /// This browser's clock, moved each second.
  readonly now = signal(Date.now())
  /// When the server last said something.
  readonly heardAt = signal<number | null>(null)
  /// The server's version when it is another one than that of this page.
  readonly newVersion = signal<string | null>(null)
  /// Names of the windows, shortest first; empty before they are known.
  readonly windows = computed<readonly string[]>(() => this.#windowNames.value.split(' ').filter(Boolean))
  readonly #windowNames = signal('')
  readonly rates = new Rates()
  readonly delays = new Delays()
  readonly clock = new ClockOffset()
  #heardAt: number | null = null
  #firstVersion: string | null = null
  #awaySince: number | null = null
  #nextNotice = 1
  #ticker = 0
  #poll = 0
  #ended = false

  constructor({ url, key }: SessionOptions) {
    this.hasKey = key !== null
    this.client = new VolumerClient({
      url,
      ...(key === null ? {} : { key }),
      onMessage: () => {
        this.#heardAt = Date.now()
      },
      onOpen: () => this.#opened(),
      onClose: ({ code, reason, retryInMs }) => this.#closed(code, reason, retryInMs),
      onGap: gap => this.#gap(gap),
    })
  }

  async start(): Promise<void> {
    this.#ticker = window.setInterval(() => this.#tick(), 1000)
    window.addEventListener('online', this.#retryNow)
    document.addEventListener('visibilitychange', this.#retryNow)
    // A browser does not say why a WebSocket was refused; a request does.
    if (!(await this.#ask())) return
    void this.#follow(this.client.subscribe({ channel: 'status', mode: 'delta' }), update =>
      this.#heardStatus(update),
    )
    void this.#follow(this.client.subscribe({ channel: 'totals', mode: 'delta', maxRate: 2 }), update => {
      this.#heardTotals(update.totals)
    })
    this.#pollWhileStarting()
  }

  end(): void {
    this.#ended = true
    window.clearInterval(this.#ticker)
    window.clearTimeout(this.#poll)
    window.removeEventListener('online', this.#retryNow)
    document.removeEventListener('visibilitychange', this.#retryNow)
    this.client.close()
  }

  /// Tells the reader something that passes.
  say(text: string): void {
    const notice = { id: this.#nextNotice++, text }
    this.notices.value = [...this.notices.value, notice].slice(-NOTICES_MAX)
    window.setTimeout(() => this.dismiss(notice.id), NOTICE_MS)
  }

  dismiss(id: number): void {
    this.notices.value = this.notices.value.filter(notice => notice.id !== id)
  }

  /// The server's clock.
  serverNow(): number {
    return Date.now() + this.clock.ms
  }

  /// Reads a subscription to its end, which is quiet when the connection is given up.
  async #follow<T>(updates: AsyncIterable<T>, take: (update: T) => void): Promise<void> {
    try {
      for await (const update of updates) take(update)
    } catch (error) {
      if (!this.#ended && this.phase.value.is === 'live') this.say(messageOf(error))
    }
  }

  /// False when a key is missing or refused; then there is nothing to connect for.
  async #ask(): Promise<boolean> {
    const began = Date.now()
    try {
      const status = await this.client.status()
      this.clock.note(began, Date.now(), status.now)
      this.#takeStatus(status)
    } catch (error) {
      if (!(error instanceof VolumerError) || !KEY_PROBLEMS.includes(error.code)) return true
      this.phase.value = { is: 'refused', code: error.code, message: error.message }
      return false
    }
    return true
  }

  /// While statistics are incomplete after a start, no snapshot comes: requests tell how far it is. And a few tell the clock, of
  /// which the quickest one is believed.
  #pollWhileStarting(): void {
    this.#poll = window.setTimeout(async () => {
      if (this.#ended) return
      const starting = this.totals.value === null || this.status.value?.ready === false
      const clockWanted = this.phase.value.is === 'live' && !this.clock.isSure(Date.now())
      if (starting || clockWanted) await this.#ask()
      this.#pollWhileStarting()
    }, STARTING_POLL_MS)
  }

  #opened(): void {
    this.phase.value = { is: 'live' }
    // The server has just answered: what is shown is not stale until the next second.
    this.#heardAt = Date.now()
    this.#tick()
    if (this.#awaySince !== null) void this.#ask()
  }

  #closed(code: number, reason: string, retryInMs: number | null): void {
    if (this.#ended) return
    this.current.value = false
    this.#awaySince ??= this.#heardAt
    if (retryInMs === null) {
      this.phase.value = { is: 'ended', reason }
      void this.#ask()
      return
    }
    const draining = code === RESTARTING
    const said = draining ? reason : code === BROKEN ? 'the connection broke' : reason
    this.phase.value = { is: 'away', retryAt: Date.now() + retryInMs, draining, reason: said }
    // Refused at the door, perhaps: that looks the same.
    if (this.#heardAt === null) void this.#ask().then(welcome => !welcome && this.client.close())
  }

  #gap({ reason, skipped }: GapNotice): void {
    switch (reason) {
      case 'cursorUnknown':
        this.say('The server was restarted meanwhile. Every number is fresh.')
        break
      case 'cursorExpired':
        this.say('Away for too long to be told every step. The newest numbers are shown.')
        break
      case 'slowReader':
      case 'slowConsumer':
        this.say(
          `${skipped ?? 'Some'} updates were skipped, since this page was busy. The newest numbers are shown.`,
        )
        break
      default:
        reason satisfies never
    }
  }

  #heardStatus({ status }: StatusUpdate): void {
    this.#takeStatus(status)
    this.rates.note(status.now, status.rates.appendedPerSecond)
  }

  #takeStatus(status: StatusReport): void {
    this.status.value = status
    this.#firstVersion ??= status.version
    if (status.version !== this.#firstVersion) this.newVersion.value = status.version
  }

  #heardTotals(totals: Totals): void {
    this.totals.value = totals
    this.#windowNames.value = Object.keys(totals.volume).join(' ')
    // What is read after the connection broke came over it.
    if (this.phase.value.is !== 'live') return
    this.current.value = true
    this.#sayBack()
  }

  /// Once numbers are there again, and not before.
  #sayBack(): void {
    if (this.#awaySince === null) return
    const seconds = Math.max(1, Math.round((Date.now() - this.#awaySince) / 1000))
    this.#awaySince = null
    this.say(`Connected again after ${seconds} s. Every number shown is current.`)
  }

  #tick(): void {
    this.now.value = Date.now()
    this.heardAt.value = this.#heardAt
  }

  readonly #retryNow = (): void => {
    if (!document.hidden && this.phase.value.is === 'away') this.client.retry()
  }
}

const BROKEN = 1006
const RESTARTING = 1012

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
