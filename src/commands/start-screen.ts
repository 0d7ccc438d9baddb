/// What `volumer start` shows: a banner, then on a terminal one status line that is redrawn each second, elsewhere a
/// line every ten seconds. Messages stand above the status line, with the time.

import type { Config } from '../config.js'
import { KEYS } from '../config-keys.js'
import { formatBytes } from '../config-values.js'
import { windowLabel } from '../core/windows.js'
import type { StatusReport } from '../delivery/wire/status.js'
import type { CommandContext } from './context.js'
import { isoSecond } from './stats.js'

/// Lines a log gets without a terminal: one in so many seconds.
const LOG_EVERY_SECONDS = 10

export class StartScreen {
  readonly #context: CommandContext
  readonly #quiet: boolean
  #drawn = false
  #seconds = 0

  constructor(context: CommandContext, quiet: boolean) {
    this.#context = context
    this.#quiet = quiet
  }

  /// A message in one line. Quiet screens show none.
  say(message: string): void {
    if (!this.#quiet) this.#print(`[${isoSecond(this.#wholeSecond())}] ${message}\n`)
  }

  /// What went wrong is shown on quiet screens too.
  warn(message: string): void {
    this.#clear()
    this.#context.stderr.write(`[${isoSecond(this.#wholeSecond())}] ${message}\n`)
  }

  banner(text: string): void {
    if (!this.#quiet) this.#print(text)
  }

  /// Call once a second.
  status(report: StatusReport): void {
    if (this.#quiet) return
    const { stdout } = this.#context
    const line = statusLine(report)
    if (stdout.isTTY) {
      stdout.write(`\r${line.slice(0, (stdout.columns ?? 80) - 1)}\x1b[K`)
      this.#drawn = true
    } else if (this.#seconds++ % LOG_EVERY_SECONDS === LOG_EVERY_SECONDS - 1) this.say(line)
  }

  /// Leaves a clean line behind.
  end(): void {
    this.#clear()
  }

  #print(text: string): void {
    this.#clear()
    this.#context.stdout.write(text)
  }

  #clear(): void {
    if (this.#drawn) this.#context.stdout.write('\r\x1b[K')
    this.#drawn = false
  }

  #wholeSecond(): number {
    return Math.floor(this.#context.clock.now() / 1000) * 1000
  }
}

const count = (value: number | null): string =>
  value === null ? '-' : Math.round(value).toLocaleString('en')

/// `1,000 swaps/s in · 9,312 tokens · delay p50 1 ms p99 3 ms · lag 0 · 2 clients`
export function statusLine(report: StatusReport): string {
  const { rates, delay, partitions, clients } = report
  const lag = partitions.reduce((sum, partition) => sum + (partition.lag ?? 0), 0)
  const parts = [
    `${count(rates.appendedPerSecond)} swaps/s in`,
    `${count(report.tokens)} tokens`,
    `delay p50 ${count(delay?.p50Ms ?? null)} ms p99 ${count(delay?.p99Ms ?? null)} ms`,
    `lag ${count(lag)}`,
    `${count(clients.webSockets + clients.eventStreams)} clients`,
  ]
  if (!report.ready) {
    parts.unshift(`${report.reason ?? 'starting'}${report.percent === null ? '' : ` ${report.percent} %`}`)
  }
  return parts.join(' · ')
}

/// What runs, where, with which bounds, and where to look.
export function bannerText(config: Config, url: string, version: string, seed: number | null): string {
  const rows: [string, string][] = [
    ['listening', url],
    ['roles', config.roles.filter(role => role !== 'faketrader' || seed !== null).join(', ')],
    ['windows', config.windows.map(window => windowLabel(window.lengthMs)).join(' ')],
    config.storage === 'memory'
      ? ['data', 'in memory: nothing survives the end of this process']
      : ['data', config.data],
  ]
  if (config.kafka !== 'none') {
    rows.push(['kafka', kafkaText(config.kafka, config)])
  } else if (config.storage === 'embedded') {
    rows.push([
      'disk',
      `trade log up to ${formatBytes(config.logMaxBytes)} once checkpointed, dead letters up to ` +
        `${formatBytes(config.deadLettersMaxBytes)},\nstate ${stateEstimate(config)}`,
    ])
  }
  if (config.archive.kind !== 'none') rows.push(['archive', archiveText(config)])
  if (seed !== null) {
    const rate = config.tradesPerSecond.toLocaleString('en')
    const tokens = config.tokens.toLocaleString('en')
    rows.push(['faketrader', `${rate} swaps/s in ${tokens} tokens, --seed ${seed}`])
  }
  if (config.roles.includes('web')) {
    rows.push(['look', `${url} in a browser`])
    rows.push(['', `curl ${url}/v1/tokens/BTC`])
    rows.push(['', `volumer watch BTC ETH${url.endsWith(':4242') ? '' : ` --url ${url}`}`])
    rows.push(['', `${url.replace(/^http/, 'ws')}/ws  ${url}/v1/status  ${url}/docs`])
  } else rows.push(['look', `${url}/v1/status`])
  const lines = rows.map(
    ([name, text]) => `  ${name.padEnd(11)}${text.replaceAll('\n', `\n${' '.repeat(13)}`)}\n`,
  )
  return `Volumer ${version}\n${lines.join('')}\n`
}

function kafkaText(
  brokers: Exclude<Config['kafka'], 'none'>,
  { kafkaPrefix, replica, roles }: Config,
): string {
  const prefix = kafkaPrefix === '' ? '' : `, topics ${kafkaPrefix}…`
  const set = roles.includes('roller') ? `, replica set ${replica}` : ''
  return `${KEYS.kafka.type.format(brokers)}${prefix}${set}`
}

function archiveText(config: Config): string {
  const where = config.archive.kind === 'duckdb' ? `${config.data}/archive (DuckDB)` : 'PostgreSQL'
  return (
    `${where}, up to ${formatBytes(config.archiveMaxBytes)}: swaps of ${days(config.archiveRetentionMs)},\n` +
    `candles of ${days(config.archiveCandlesRetentionMs)}, about ${ARCHIVE_BYTES_PER_SWAP[config.archive.kind]} bytes a swap; --archive none for none`
  )
}

/// `7d`, or `36h` where it is no whole days.
function days(ms: number): string {
  return ms % DAY_MS === 0 ? `${ms / DAY_MS}d` : windowLabel(ms)
}

const DAY_MS = 86_400_000

/// Bytes of the archive for a swap, candles and indexes included: what the benchmark measures.
const ARCHIVE_BYTES_PER_SWAP = { none: 0, duckdb: 110, postgres: 350 }

/// Bytes of state for a swap within retention, deltas and parts together: the bound that the benchmark holds.
const STATE_BYTES_PER_SWAP = 40

function stateEstimate({ faketrader, tradesPerSecond, retentionMs }: Config): string {
  const rate = faketrader ? tradesPerSecond : 1000
  const size = (STATE_BYTES_PER_SWAP * rate * retentionMs) / 1000
  const shown = size < 2 ** 30 ? `${Math.ceil(size / 2 ** 20)}MiB` : `${(size / 2 ** 30).toFixed(1)}GiB`
  return (
    `about ${STATE_BYTES_PER_SWAP} bytes a swap within ${windowLabel(retentionMs)}: ` +
    `${shown} at ${rate.toLocaleString('en')} swaps/s`
  )
}
