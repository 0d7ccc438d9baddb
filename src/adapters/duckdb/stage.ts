/// Brings a batch's swaps into a temporary table of DuckDB's, where SQL takes over.

import { BIGINT, BLOB, blobValue, type DuckDBConnection, INTEGER } from '@duckdb/node-api'
import type { AdmittedSwap } from '../../ports/trade-archive.js'
import { appendRows, type Column, SWAP_COLUMNS, tableOf } from './columns.js'

const COLUMNS: readonly Column<AdmittedSwap>[] = [
  { name: 'log_offset', type: BIGINT, of: ({ offset }) => BigInt(offset) },
  { name: 'log_ms', type: BIGINT, of: ({ logTime }) => BigInt(logTime) },
  ...SWAP_COLUMNS,
  { name: 'word0', type: INTEGER, of: ({ fingerprint }) => fingerprint[0] },
  { name: 'word1', type: INTEGER, of: ({ fingerprint }) => fingerprint[1] },
  { name: 'fingerprint_rest', type: INTEGER, of: ({ fingerprint }) => fingerprint[2] },
  { name: 'place', type: BLOB, of: ({ place }) => blobValue(place) },
]

export const CREATE_STAGE = `${tableOf('stage', COLUMNS)};
CREATE OR REPLACE TEMP VIEW staged AS SELECT *,
  word0::BIGINT * 4294967296 + (word1::BIGINT + 2147483648) AS fingerprint FROM stage;
`

export async function stage(
  connection: DuckDBConnection,
  swaps: readonly AdmittedSwap[],
  nextTurn: () => Promise<void>,
): Promise<void> {
  await connection.run('TRUNCATE temp.stage')
  await appendRows(connection, 'stage', COLUMNS, swaps, nextTurn)
}
