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

const CREATE_TABLE = tableOf('stage', COLUMNS)

export const CREATE_STAGE = `${CREATE_TABLE};
CREATE OR REPLACE TEMP VIEW staged AS SELECT *,
  word0::BIGINT * 4294967296 + (word1::BIGINT + 2147483648) AS fingerprint FROM stage;
`

export async function stage(
  connection: DuckDBConnection,
  swaps: readonly AdmittedSwap[],
  nextTurn: () => Promise<void>,
): Promise<void> {
  // Made anew, not emptied: DuckDB plans with the number of rows that a table has ever had, and would one day look up a whole
  // hour's ids in the batch's place, which does not fit into its memory.
  await connection.run(CREATE_TABLE)
  await appendRows(connection, 'stage', COLUMNS, swaps, nextTurn)
}
