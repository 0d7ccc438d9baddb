/// `volumer watch`: follows tokens and prints a line per update, or per swap. Comes back by itself until it is interrupted.

import { WebSocket } from 'ws'
import type { TokenUpdate, TradesUpdate } from '../client/channels.js'
import { VolumerClient, VolumerError } from '../client/client.js'
import type { CommandContext } from './context.js'
import { CommandError } from './failure.js'
import { unreachable } from './server-url.js'
import { field, readStats, type ShownStats, type ShownWindow } from './shown-stats.js'
import { isoSecond } from './stats.js'
import { printable, usdText } from './table.js'

export interface WatchOptions {
  readonly url: URL
  /// Prints the server's messages as they are.
  readonly json: boolean
  /// Follows the tokens' swaps as they are accepted, not their statistics.
  readonly trades: boolean
  /// An API key, where the server asks for one.
  readonly key?: string | undefined
  /// Ends the watching; the command is then done.
  readonly signal: AbortSignal
}

export async function watch(
  tokens: readonly string[],
  { url, json, trades, key, signal }: WatchOptions,
  { clock, stdout, stderr }: CommandContext,
): Promise<void> {
  const updateLines = new UpdateLines()
  const tradeLines = new TradeLines()
  const note = (text: string) => stderr.write(`${text}\n`)
  let everOpened = false
  let fatal: Error | null = null
  const client = new VolumerClient({
    url,
    WebSocket,
    ...(key === undefined ? {} : { key }),
    onOpen() {
      everOpened = true
    },
    onClose({ reason, retryInMs }) {
      if (!everOpened) fatal = unreachable(url, new Error(reason))
      else if (retryInMs === null)
        fatal = new CommandError(`The server closed the connection for good: ${reason}`)
      if (fatal !== null) client.close()
      else
        note(
          `[${isoSecond(clock.now())}] disconnected (${reason}), back in ${((retryInMs ?? 0) / 1000).toFixed(1)} s`,
        )
    },
    onGap: ({ reason, skipped }) =>
      note(`server: ${skipped ?? 'some'} updates were skipped (${reason}), newer ones follow`),
    onMessage(text) {
      if (json) stdout.write(`${text}\n`)
    },
  })
  const close = () => client.close()
  signal.addEventListener('abort', close, { once: true })
  try {
    const updates: AsyncIterable<TokenUpdate | TradesUpdate> = trades
      ? client.subscribe({ channel: 'trades', tokens })
      : client.subscribe({ channel: 'token', tokens })
    for await (const update of updates) {
      if (json) continue
      if (update.channel === 'trades') stdout.write(tradeLines.lines(update, clock.now()))
      else stdout.write(updateLines.line(update, clock.now()))
    }
  } catch (error) {
    if (fatal === null)
      throw error instanceof VolumerError ? new CommandError(`server: ${printable(error.message)}`) : error
  } finally {
    signal.removeEventListener('abort', close)
    client.close()
  }
  if (fatal !== null) throw fatal
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

/// A line for each swap, under a head that is repeated now and then.
export class TradeLines {
  #lines = 0

  /// `message` is a snapshot or an update of channel `trades`.
  lines(message: unknown, nowMs: number): string {
    const trades = field(message, 'trades')
    const sentMs = Number(field(field(message, 'times'), 'sent'))
    // What a snapshot holds was accepted before: its delay says nothing.
    const isNew = field(message, 'type') === 'update' && Number.isFinite(sentMs)
    const delay = isNew ? `${Math.max(0, nowMs - sentMs)} ms` : '-'
    return Array.isArray(trades) ? trades.map(trade => this.#line(trade, delay)).join('') : ''
  }

  #line(trade: unknown, delay: string): string {
    const head =
      this.#lines++ % 40 === 0 ? tradeRow('time', 'token', 'side', 'usd', 'price $', 'who', 'delay') : ''
    const shown = (name: string) => {
      const value = field(trade, name)
      return typeof value === 'string' ? printable(value) : '-'
    }
    const time = isoSecond(Number(field(trade, 'time')))
    const [token, side, usd, price, who] = ['token', 'side', 'usd', 'price', 'who'].map(shown)
    return head + tradeRow(time, token, side, usdText(usd ?? '-'), price, who, delay)
  }
}

const tradeRow = (time = '', token = '', side = '', usd = '', price = '', who = '', delay = ''): string =>
  `${time.padEnd(24)} ${token.slice(0, 20).padEnd(20)} ${side.padEnd(4)} ${usd.padStart(18)} ` +
  `${price.slice(0, 16).padStart(16)} ${who.slice(0, 42).padEnd(42)} ${delay.padStart(8)}\n`

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
