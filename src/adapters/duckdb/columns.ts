/// Swaps as columns of DuckDB's, and rows of them into a table a chunk at a time.

import {
  BIGINT,
  BOOLEAN,
  DECIMAL,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBDecimalValue,
  type DuckDBType,
  type DuckDBValue,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { AMOUNT_DECIMALS } from '../../core/decimal.js'
import type { SentSwap } from '../../ports/trade-archive.js'

export interface Column<Item> {
  readonly name: string
  readonly type: DuckDBType
  of(item: Item): DuckDBValue
}

/// What an archived swap says; its time is a column of epoch milliseconds.
export const SWAP_COLUMNS: readonly Column<SentSwap>[] = [
  { name: 'time_ms', type: BIGINT, of: ({ time }) => BigInt(time) },
  { name: 'id', type: VARCHAR, of: ({ id }) => id },
  { name: 'token', type: VARCHAR, of: ({ token }) => token },
  { name: 'who', type: VARCHAR, of: ({ who }) => who },
  { name: 'buy', type: BOOLEAN, of: ({ side }) => side === 'buy' },
  { name: 'usd', type: DECIMAL(18, 6), of: ({ usd }) => new DuckDBDecimalValue(BigInt(usd), 18, 6) },
  {
    name: 'amount',
    type: DECIMAL(36, AMOUNT_DECIMALS),
    of: ({ amount }) => new DuckDBDecimalValue(unscaled(amount), 36, AMOUNT_DECIMALS),
  },
  { name: 'price', type: DOUBLE, of: ({ price }) => price },
  { name: 'block', type: BIGINT, of: ({ block }) => (block === null ? null : BigInt(block)) },
  { name: 'tx_index', type: INTEGER, of: ({ txIndex }) => txIndex },
  { name: 'log_index', type: INTEGER, of: ({ logIndex }) => logIndex },
  { name: 'tx', type: VARCHAR, of: ({ tx }) => tx },
  { name: 'chain', type: VARCHAR, of: ({ chain }) => chain },
]

/// `CREATE TABLE` with the columns in their order.
export const tableOf = (name: string, columns: readonly Pick<Column<never>, 'name' | 'type'>[]): string =>
  `CREATE OR REPLACE TEMP TABLE ${name} (${columns.map(column => `${column.name} ${column.type}`).join(', ')})`

/// Rows that are handed over in one go: some 2 ms.
const ROWS_PER_CHUNK = 512

/// Appends the items to the temporary table that `tableOf` made of the columns.
export async function appendRows<Item>(
  connection: DuckDBConnection,
  table: string,
  columns: readonly Column<Item>[],
  items: readonly Item[],
  nextTurn: () => Promise<void>,
): Promise<void> {
  const appender = await connection.createAppender(table, 'main', 'temp')
  try {
    const chunk = DuckDBDataChunk.create(
      columns.map(({ type }) => type),
      ROWS_PER_CHUNK,
    )
    for (let at = 0; at < items.length; at += ROWS_PER_CHUNK) {
      const rows = items.slice(at, at + ROWS_PER_CHUNK)
      chunk.reset()
      chunk.rowCount = rows.length
      for (const [i, column] of columns.entries()) chunk.setColumnValues(i, rows.map(column.of))
      appender.appendDataChunk(chunk)
      await nextTurn()
    }
  } finally {
    appender.closeSync()
  }
}

/// The decimal times 10^18. (Casting the text in DuckDB takes 7 µs a row.)
function unscaled(amount: string): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(AMOUNT_DECIMALS, '0'))
}
