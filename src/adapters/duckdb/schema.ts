/// The tables and views of the DuckDB archive; docs/formats/archive.md describes them for those who query them.

import { type MinutesSql, ofToken, spanned } from '../archive/candle-questions.js'
import { SPANS } from '../archive/candle-spans.js'
import { type Partition, type PartitionKind, type Partitions, partitionName } from '../archive/partitions.js'
import { duckDbDialect } from './dialect.js'

/// Stored in archive_meta; another version is refused.
export const SCHEMA_VERSION = '1'

export const CREATE_SCHEMA = `
CREATE TABLE archive_meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
CREATE TABLE positions (partition INTEGER NOT NULL, next_offset BIGINT NOT NULL, log_time TIMESTAMP NOT NULL,
  as_of TIMESTAMP NOT NULL);
CREATE TABLE gaps (partition INTEGER NOT NULL, from_offset BIGINT NOT NULL, to_offset BIGINT NOT NULL,
  log_time TIMESTAMP NOT NULL);
CREATE SEQUENCE token_ids;
CREATE TABLE tokens (token_id INTEGER NOT NULL, token VARCHAR NOT NULL, last_day DATE NOT NULL);
CREATE SEQUENCE trader_ids;
CREATE TABLE traders (trader_id INTEGER NOT NULL, who VARCHAR NOT NULL, last_day DATE NOT NULL);
CREATE TABLE partitions (name VARCHAR NOT NULL, state VARCHAR NOT NULL, sorted_rows BIGINT NOT NULL,
  runs INTEGER NOT NULL);
INSERT INTO archive_meta VALUES ('version', '${SCHEMA_VERSION}');
`

const TRADES_COLUMNS = `"time" TIMESTAMP NOT NULL, token_id INTEGER NOT NULL, trader_id INTEGER NOT NULL,
  buy BOOLEAN NOT NULL, usd DECIMAL(18,6) NOT NULL, amount DECIMAL(36,18) NOT NULL, price DOUBLE, block BIGINT,
  tx_index INTEGER, log_index INTEGER, id VARCHAR NOT NULL, tx VARCHAR, chain VARCHAR, partition INTEGER NOT NULL,
  log_offset BIGINT NOT NULL, log_time TIMESTAMP NOT NULL, fingerprint BIGINT NOT NULL`

const CANDLES_COLUMNS = `token_id INTEGER NOT NULL, "time" TIMESTAMP NOT NULL, open DOUBLE, open_place BLOB, high DOUBLE,
  low DOUBLE, close DOUBLE, close_place BLOB, buy_volume DECIMAL(38,6) NOT NULL, sell_volume DECIMAL(38,6) NOT NULL,
  buys BIGINT NOT NULL, sells BIGINT NOT NULL, ${SPANS.map(({ name }) => `traders_${name} BIGINT NOT NULL`).join(', ')}`

const PAIRS_COLUMNS = 'token_id INTEGER NOT NULL, trader_id INTEGER NOT NULL'

const COLUMNS: Readonly<Record<PartitionKind, string>> = {
  trades: TRADES_COLUMNS,
  candles: CANDLES_COLUMNS,
  pairs_4h: PAIRS_COLUMNS,
  pairs_1d: PAIRS_COLUMNS,
  recent_ids:
    'partition INTEGER NOT NULL, fingerprint BIGINT NOT NULL, fingerprint_rest INTEGER NOT NULL, log_ms BIGINT NOT NULL',
}

/// Rows of candles that are not in their day's table yet, of any day: as appends added them, and merged and sorted.
export const RECENT_CANDLES = ['candles_recent', 'candles_merged'] as const

export const createRecent = (table: (typeof RECENT_CANDLES)[number]): string =>
  `CREATE OR REPLACE TABLE ${table} (${CANDLES_COLUMNS})`

export function createPartition({ kind, begins }: Partition): string {
  const name = partitionName(kind, begins)
  return `CREATE TABLE ${name} (${COLUMNS[kind]}); INSERT INTO partitions VALUES ('${name}', 'open', 0, 0)`
}

export function dropPartition({ kind, begins }: Partition): string {
  const name = partitionName(kind, begins)
  return `DROP TABLE ${name}; DELETE FROM partitions WHERE name = '${name}'`
}

/// Sums up rows of candles that are of one token and minute: each append adds its own. `rows` is a query.
export const mergedMinutes = (rows: string): string => `
SELECT token_id, "time", arg_min(open, open_place) AS open, min(open_place) AS open_place, max(high) AS high,
  min(low) AS low, arg_max(close, close_place) AS close, max(close_place) AS close_place,
  sum(buy_volume)::DECIMAL(38,6) AS buy_volume, sum(sell_volume)::DECIMAL(38,6) AS sell_volume,
  sum(buys)::BIGINT AS buys, sum(sells)::BIGINT AS sells,
  ${SPANS.map(({ name }) => `sum(traders_${name})::BIGINT AS traders_${name}`).join(', ')}
FROM (${rows}) GROUP BY token_id, "time"`

/// The minutes of one token.
export const minutesOfToken: MinutesSql = async (reading, tokenId, from, to) => {
  const days = await reading.partitions('candles', from, to)
  const tables = [...RECENT_CANDLES, ...days.map(begins => partitionName('candles', begins))]
  const where = ofToken(reading.dialect, tokenId, from, to)
  return mergedMinutes(tables.map(table => `SELECT * FROM ${table} ${where}`).join(' UNION ALL '))
}

/// The views that people query, over the partitions there are.
export function createViews(partitions: Partitions): string {
  const all = (tables: readonly string[]) => tables.map(table => `SELECT * FROM ${table}`).join(' UNION ALL ')
  const hours = partitions.all('trades').map(begins => partitionName('trades', begins))
  const days = partitions.all('candles').map(begins => partitionName('candles', begins))
  const trades = hours.length > 0 ? all(hours) : `SELECT ${nothing(TRADES_COLUMNS)} WHERE false`
  const minutes = mergedMinutes(all([...RECENT_CANDLES, ...days]))
  return `
CREATE OR REPLACE VIEW trades AS SELECT "time", token, who, CASE WHEN buy THEN 'buy' ELSE 'sell' END AS side, usd,
  amount, price, block, tx_index, log_index, id, tx, chain, partition, log_offset, log_time
FROM (${trades}) JOIN tokens USING (token_id) JOIN traders USING (trader_id);
${SPANS.map(
  span => `CREATE OR REPLACE VIEW candles_${span.name} AS SELECT token, begins AS "time", open, high, low, close,
  buy_volume + sell_volume AS volume, buy_volume, sell_volume, buys, sells, traders
FROM (${spanned(duckDbDialect, minutes, span)}) JOIN tokens USING (token_id);`,
).join('\n')}`
}

/// A select list of NULLs with the columns' names and types.
function nothing(columns: string): string {
  const column = /("?\w+"?) ([A-Z]+(?:\(\d+,\d+\))?)(?: NOT NULL)?(?:, *\s*|$)/g
  return [...columns.matchAll(column)].map(([, name, type]) => `NULL::${type} AS ${name}`).join(', ')
}
