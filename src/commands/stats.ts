/// `volumer stats`: one token's statistics from a running server, as a table or as the JSON it answers.

import { VolumerClient, VolumerError } from '../client/client.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { unreachable } from './server-url.js'
import { readStats, type ShownStats } from './shown-stats.js'
import { columnsText, compactNumber, usdText } from './table.js'

export interface StatsOptions {
  readonly url: URL
  readonly json: boolean
  /// Window names; empty for all.
  readonly windows: readonly string[]
  /// Epoch ms; null for now.
  readonly asOf: number | null
  /// An API key, where the server asks for one.
  readonly key?: string | undefined
}

export async function stats(token: string, options: StatsOptions, context: CommandContext): Promise<void> {
  const { url, key, windows, asOf } = options
  const client = new VolumerClient({ url, ...(key === undefined ? {} : { key }) })
  const shape = { ...(windows.length === 0 ? {} : { windows }), ...(asOf === null ? {} : { asOf }) }
  const answer = await client.token(token, shape).catch(error => {
    if (!(error instanceof VolumerError)) throw error
    if (error.code === 'unreachable') throw unreachable(url, error.cause)
    if (error.field === 'window' || error.field === 'asOf') {
      const flag = error.field === 'window' ? `--window ${windows.join(', ')}` : `--as-of ${asOf}`
      throw new CommandError(`${flag}: ${error.message}`, EXIT.usage)
    }
    if (error.status === 404) throw new CommandError(`${token}: 404: ${error.message}`)
    throw new CommandError(`${url.origin} answered ${error.status}: ${error.message}`)
  })
  const read = readStats(answer)
  if (read === null) throw new CommandError(`${url.origin} answered something that is not token statistics`)
  // Numbers are integers and texts, and keys keep their order: this is what the server sent.
  if (options.json) context.stdout.write(`${JSON.stringify(answer)}\n`)
  else context.stdout.write(statsTable(read))
}

/// One row per window.
export function statsTable(stats: ShownStats): string {
  const head = ['window', 'volume $', 'buys', 'sells', 'traders', 'open', 'high', 'low', 'close', 'change %']
  const rows = stats.windows.map(window => [
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
