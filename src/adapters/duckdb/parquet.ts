/// Swaps as Parquet files, one for each hour. DuckDB writes them; where the swaps come from does not matter to it.

import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { SentSwap } from '../../ports/trade-archive.js'
import { partitionName, partitionOf } from '../archive/partitions.js'
import { appendRows, SWAP_COLUMNS, tableOf } from './columns.js'
import { literal } from './database.js'
import { portError } from './errors.js'

export interface Written {
  readonly file: string
  readonly swaps: number
  /// Where its hour ends.
  readonly to: number
}

const MEMORY = '512MB'

/// Writes `trades_YYYYMMDDHH.parquet` for each hour into the directory, which is made when it is not there. `swaps` come
/// with their hours ascending, as from TradeArchive.scan. A file has its name once it is whole.
export async function* writeParquet(
  directory: string,
  swaps: AsyncIterable<readonly SentSwap[]>,
  nextTurn: () => Promise<void>,
): AsyncGenerator<Written> {
  mkdirSync(directory, { recursive: true })
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY,
    temp_directory: join(directory, 'temporary'),
    autoinstall_known_extensions: 'false',
  })
  try {
    const connection = await instance.connect()
    await connection.run(tableOf('hour', SWAP_COLUMNS))
    let hour: number | null = null
    let count = 0
    for await (const chunk of swaps) {
      for (const [begins, rows] of byHour(chunk)) {
        if (hour !== null && begins !== hour) {
          yield await writeHour(connection, directory, hour, count)
          count = 0
        }
        hour = begins
        count += rows.length
        await appendRows(connection, 'hour', SWAP_COLUMNS, rows, nextTurn)
      }
    }
    if (hour !== null) yield await writeHour(connection, directory, hour, count)
  } catch (error) {
    throw portError(error, directory)
  } finally {
    instance.closeSync()
  }
}

function byHour(swaps: readonly SentSwap[]): Map<number, SentSwap[]> {
  const hours = new Map<number, SentSwap[]>()
  for (const swap of swaps) {
    const begins = partitionOf('trades', swap.time)
    const hour = hours.get(begins)
    if (hour === undefined) hours.set(begins, [swap])
    else hour.push(swap)
  }
  return hours
}

async function writeHour(
  connection: DuckDBConnection,
  directory: string,
  begins: number,
  swaps: number,
): Promise<Written> {
  const file = join(directory, `${partitionName('trades', begins)}.parquet`)
  await connection.run(`COPY (SELECT epoch_ms(time_ms) AS "time", token, who,
      CASE WHEN buy THEN 'buy' ELSE 'sell' END AS side, usd, amount, price, block, tx_index, log_index, id, tx, chain
    FROM hour ORDER BY time_ms) TO ${literal(`${file}.part`)} (FORMAT parquet, COMPRESSION zstd)`)
  renameSync(`${file}.part`, file)
  // Made anew: an emptied table keeps its memory.
  await connection.run(tableOf('hour', SWAP_COLUMNS))
  return { file, swaps, to: begins + 3_600_000 }
}
