/// `volumer watch`: subscribes to tokens over WebSocket and prints a line per update. Comes back by itself, with
/// growing pauses and jitter, until it is interrupted.

import { WebSocket } from 'ws'
import { type CommandContext, pause } from './context.js'
import { CommandError } from './failure.js'
import { at, networkReason, unreachable } from './server-url.js'
import { field, readStats, type ShownStats, type ShownWindow } from './shown-stats.js'
import { isoSecond } from './stats.js'
import { printable, usdText } from './table.js'

export interface WatchOptions {
  readonly url: URL
  /// Prints the server's messages as they are.
  readonly json: boolean
  /// Ends the watching; the command is then done.
  readonly signal: AbortSignal
}

const BACKOFF_MS_MAX = 10_000
/// The server says something at least each second.
const SILENCE_MS_MAX = 10_000

/// How a connection ended.
interface Ended {
  /// It was open once.
  readonly opened: boolean
  readonly reason: string
  /// The least pause before coming back; null when coming back is no use.
  readonly retryAfterMs: number | null
}

export async function watch(
  tokens: readonly string[],
  options: WatchOptions,
  context: CommandContext,
): Promise<void> {
  const { clock, stderr } = context
  const { signal } = options
  let everOpened = false
  for (let attempt = 0; !signal.aborted; ) {
    const { opened, reason, retryAfterMs } = await connection(tokens, options, context)
    if (signal.aborted) return
    everOpened ||= opened
    if (!everOpened) throw unreachable(options.url, new Error(reason))
    if (retryAfterMs === null) throw new CommandError(`The server closed the connection for good: ${reason}`)
    attempt = opened ? 0 : attempt + 1
    const backoffMs = Math.min(BACKOFF_MS_MAX, 250 * 2 ** attempt)
    const waitMs = Math.max(retryAfterMs, backoffMs) * (0.5 + Math.random())
    stderr.write(
      `[${isoSecond(clock.now())}] disconnected (${reason}), back in ${(waitMs / 1000).toFixed(1)} s\n`,
    )
    await pause(clock, waitMs, signal)
  }
}

function connection(
  tokens: readonly string[],
  options: WatchOptions,
  context: CommandContext,
): Promise<Ended> {
  const { clock, stdout, stderr } = context
  const target = at(options.url, '/ws')
  target.protocol = target.protocol === 'https:' ? 'wss:' : 'ws:'
  const socket = new WebSocket(target, { handshakeTimeout: 5000 })
  const lines = new UpdateLines()
  let opened = false
  let failure = ''
  let retryAfterMs = 0
  let cancelSilence = () => {}
  const listen = () => {
    cancelSilence()
    const wake = clock.now() + SILENCE_MS_MAX
    const timeout = new AbortController()
    cancelSilence = () => timeout.abort()
    void pause(clock, wake - clock.now(), timeout.signal).then(() => {
      if (timeout.signal.aborted) return
      failure = `nothing heard for ${SILENCE_MS_MAX / 1000} s`
      socket.terminate()
    })
  }
  const abort = () => socket.close(1000)
  options.signal.addEventListener('abort', abort, { once: true })
  return new Promise(resolve => {
    socket.on('open', () => {
      opened = true
      listen()
      socket.send(JSON.stringify({ op: 'subscribe', tokens, id: 1 }))
    })
    socket.on('message', data => {
      listen()
      const text = String(data)
      if (options.json) {
        stdout.write(`${text}\n`)
        return
      }
      let message: unknown
      try {
        message = JSON.parse(text)
      } catch {
        return
      }
      switch (field(message, 'type')) {
        case 'snapshot':
        case 'update':
          stdout.write(lines.line(message, clock.now()))
          break
        case 'error':
          stderr.write(`server: ${printable(String(field(message, 'message')))}\n`)
          break
        case 'gap':
          stderr.write(`server: ${field(message, 'skipped')} updates were skipped, newer ones follow\n`)
          break
        case 'serverShutdown':
          retryAfterMs = Number(field(message, 'reconnectAfterMs')) || 0
          break
        default:
          // Heartbeats and confirmations say nothing that a reader wants to see.
          break
      }
    })
    socket.on('error', error => {
      failure = networkReason(error)
    })
    socket.on('close', (code, reason) => {
      cancelSilence()
      options.signal.removeEventListener('abort', abort)
      const why = failure || reason.toString() || `code ${code}`
      const final = code === 1003 || code === 1007 || code === 1008
      if (code === 4029) retryAfterMs = Math.max(retryAfterMs, BACKOFF_MS_MAX)
      resolve({ opened, reason: why, retryAfterMs: final ? null : retryAfterMs })
    })
  })
}

/// Update lines under a head that is repeated now and then.
export class UpdateLines {
  #lines = 0

  /// `message` is a snapshot or an update.
  line(message: unknown, nowMs: number): string {
    const stats = readStats(field(message, 'stats'))
    const token = printable(String(field(message, 'token'))).slice(0, 20)
    const sentMs = Number(field(field(message, 'times'), 'sent'))
    const delay = Number.isFinite(sentMs) ? `${Math.max(0, nowMs - sentMs)} ms` : '-'
    const windows = stats === null ? [] : shownWindows(stats)
    const head =
      this.#lines % 40 === 0
        ? row(
            'token',
            'price $',
            windows.map(w => w.name),
            'txns',
            'delay',
          )
        : ''
    this.#lines++
    if (stats === null) return `${head}${token.padEnd(20)} no swaps within retention\n`
    const longest = windows.at(-1)
    const txns = longest === undefined ? '-' : (longest.buys + longest.sells).toLocaleString('en')
    const volumes = windows.map(window => usdText(window.volume).replace(/(\.\d\d)\d+$/, '$1'))
    return head + row(token, stats.priceUsd ?? '-', volumes, txns, delay)
  }
}

const row = (token: string, price: string, volumes: readonly string[], txns: string, delay: string): string =>
  `${token.padEnd(20)} ${price.slice(0, 16).padStart(16)} ${volumes.map(text => text.padStart(18)).join(' ')} ` +
  `${txns.padStart(10)} ${delay.padStart(8)}\n`

/// 5 minutes, 1 hour and 24 hours where the server has them, else its first, middle and last window.
function shownWindows(stats: ShownStats): readonly ShownWindow[] {
  const wanted = stats.windows.filter(({ name }) => ['m5', 'h1', 'h24'].includes(name))
  if (wanted.length > 0) return wanted
  const last = stats.windows.length - 1
  return stats.windows.filter((_, i) => i === 0 || i === last || i === last >> 1)
}
