/// `volumer export`: the archive's swaps as Parquet files, from the database itself, or from a running server.

import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { writeParquet } from '../adapters/duckdb/parquet.js'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config } from '../config.js'
import { type EpochMs, epochMs } from '../core/units.js'
import { swapOf, type TradeJson } from '../delivery/wire/archive.js'
import { LockedError } from '../ports/errors.js'
import type { ArchivedSwap } from '../ports/trade-archive.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT } from './failure.js'
import { ProgressBar } from './progress.js'
import { at, networkReason, problemOf, unreachable } from './server-url.js'
import { openArchive } from './start-stores.js'

export interface ExportOptions {
  readonly config: Config
  /// Event times from ≤ time < to; null for all.
  readonly from: EpochMs | null
  readonly to: EpochMs | null
  /// The directory to write to.
  readonly out: string
  /// A running server; null reads the database that the configuration names.
  readonly url: URL | null
}

const ROWS_PER_CHUNK = 2000

export async function exportParquet(options: ExportOptions, context: CommandContext): Promise<void> {
  const { clock, stdout, stderr } = context
  const to = options.to ?? epochMs(clock.now() + 1)
  const source = options.url === null ? await fromDatabase(options, context) : fromServer(options.url)
  const bar = new ProgressBar(options.config.quiet ? { write: () => {} } : stderr, clock, 'Exporting')
  let swaps = 0
  let files = 0
  try {
    const from = options.from ?? (await source.oldest())
    for await (const written of writeParquet(options.out, source.scan(from, to), nextTurn)) {
      swaps += written.swaps
      files++
      bar.update(Math.min(1, (written.to - from) / (to - from)))
    }
  } finally {
    bar.end()
    await source.close()
  }
  stdout.write(
    `${swaps.toLocaleString('en')} swaps in ${files.toLocaleString('en')} files (one an hour) in ${options.out}\n`,
  )
}

interface Source {
  /// Where the archive begins.
  oldest(): Promise<EpochMs>
  scan(from: EpochMs, to: EpochMs): AsyncIterable<readonly ArchivedSwap[]>
  close(): Promise<void>
}

async function fromDatabase({ config }: ExportOptions, { clock }: CommandContext): Promise<Source> {
  const archive = await openArchive(config, clock).catch(error => {
    if (!(error instanceof LockedError)) throw error
    throw new CommandError(
      `${error.message}\nA running server has it: ask that one with --url http://127.0.0.1:4242, or stop it first.`,
      EXIT.locked,
    )
  })
  if (archive === null) {
    throw new CommandError('--archive none: there is no archive to export', EXIT.usage)
  }
  return {
    oldest: async () => (await archive.summary()).tradesFrom,
    scan: (from, to) => archive.scan(from, to),
    close: () => archive.close(),
  }
}

function fromServer(url: URL): Source {
  return {
    oldest: async () => epochMs(0),
    close: async () => {},
    async *scan(from, to) {
      const response = await fetch(at(url, `/v1/trades?from=${from}&to=${to}`)).catch(error => {
        throw unreachable(url, error)
      })
      if (!response.ok || response.body === null) {
        throw new CommandError(`${url.origin} refused: ${await problemOf(response)}`)
      }
      let chunk: ArchivedSwap[] = []
      try {
        for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
          const trade: TradeJson = JSON.parse(line)
          chunk.push(swapOf(trade))
          if (chunk.length < ROWS_PER_CHUNK) continue
          yield chunk
          chunk = []
        }
      } catch (error) {
        throw new CommandError(
          `${url.origin} broke off: ${networkReason(error)}\nThe files that are there are whole, what comes after them is missing.`,
        )
      }
      yield chunk
    },
  }
}
