/// `volumer stats`: one token's statistics from a running server, as a table or as the JSON it answers.

import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { at, problemOf, unreachable } from './server-url.js'
import { readStats, type ShownStats } from './shown-stats.js'
import { columnsText, compactNumber, usdText } from './table.js'

export interface StatsOptions {
  readonly url: URL
  readonly json: boolean
  /// Window names; empty for all.
  readonly windows: readonly string[]
}

export async function stats(token: string, options: StatsOptions, context: CommandContext): Promise<void> {
  const target = at(options.url, `/v1/tokens/${encodeURIComponent(token)}`)
  let response: Response
  try {
    response = await fetch(target, { signal: AbortSignal.timeout(10_000) })
  } catch (error) {
    throw unreachable(options.url, error)
  }
  if (response.status === 404) throw new CommandError(`${token}: ${await problemOf(response)}`)
  if (!response.ok) throw new CommandError(`${target.href} answered ${await problemOf(response)}`)
  const text = await response.text()
  const read = readStats(parse(text))
  if (read === null) throw new CommandError(`${target.href} answered something that is not token statistics`)
  const unknown = options.windows.filter(name => !read.windows.some(window => window.name === name))
  if (unknown.length > 0) {
    const known = read.windows.map(window => window.name).join(', ')
    throw new CommandError(`--window ${unknown.join(', ')}: the server has ${known}`, EXIT.usage)
  }
  if (options.json) context.stdout.write(`${text.trimEnd()}\n`)
  else context.stdout.write(statsTable(read, options.windows))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/// One row per window.
export function statsTable(stats: ShownStats, only: readonly string[]): string {
  const head = ['window', 'volume $', 'buys', 'sells', 'traders', 'open', 'high', 'low', 'close', 'change %']
  const rows = stats.windows
    .filter(({ name }) => only.length === 0 || only.includes(name))
    .map(window => [
      window.name,
      usdText(window.volume),
      compactNumber(window.buys),
      compactNumber(window.sells),
      compactNumber(window.traders),
      window.open ?? '-',
      window.high ?? '-',
      window.low ?? '-',
      window.close ?? '-',
      window.priceChange === null ? '-' : window.priceChange.toFixed(2),
    ])
  const title = `${stats.token}  $${stats.priceUsd ?? '-'}  as of ${isoSecond(stats.asOf)}\n\n`
  return title + columnsText([head, ...rows])
}

export function isoSecond(ms: number): string {
  return Number.isFinite(ms) && Math.abs(ms) < 8.64e15
    ? new Date(ms).toISOString().replace('.000Z', 'Z')
    : String(ms)
}
