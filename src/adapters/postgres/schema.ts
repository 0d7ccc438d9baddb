/// The tables and views of the PostgreSQL archive, in the schema `volumer`; docs/formats/archive.md describes them for those
/// who query them.
///
/// A kind of partitions is a table that is partitioned by range, and its partitions have the names that they have in DuckDB.
/// New ones are made apart and attached, which blocks no reader.

import { type MinutesSql, ofToken, spanned } from '../archive/candle-questions.js'
import { SPANS } from '../archive/candle-spans.js'
import { PARTITION_MS, type Partition, type PartitionKind, partitionName } from '../archive/partitions.js'
import { postgresDialect } from './dialect.js'

/// Stored in archive_meta; another version is refused.
export const SCHEMA_VERSION = '1'
export const SCHEMA = 'volumer'

const MINUTE_COLUMNS = SPANS.map(({ name }) => `traders_${name} integer NOT NULL`).join(', ')

export const CREATE_SCHEMA = `
CREATE SCHEMA IF NOT EXISTS ${SCHEMA};
CREATE TABLE archive_meta (key text PRIMARY KEY, value text NOT NULL);
CREATE TABLE positions (partition integer PRIMARY KEY, next_offset bigint NOT NULL, log_time timestamptz NOT NULL,
  as_of timestamptz NOT NULL);
CREATE TABLE gaps (partition integer NOT NULL, from_offset bigint NOT NULL, to_offset bigint NOT NULL,
  log_time timestamptz NOT NULL);
CREATE SEQUENCE token_ids AS integer;
CREATE TABLE tokens (token_id integer PRIMARY KEY, token text COLLATE "C" NOT NULL UNIQUE, last_day date NOT NULL);
CREATE SEQUENCE trader_ids AS integer;
CREATE TABLE traders (trader_id integer PRIMARY KEY, who text COLLATE "C" NOT NULL UNIQUE, last_day date NOT NULL);
CREATE TABLE trades_rows ("time" timestamptz NOT NULL, log_time timestamptz NOT NULL, log_offset bigint NOT NULL,
  fingerprint bigint NOT NULL, block bigint, price double precision, token_id integer NOT NULL,
  trader_id integer NOT NULL, tx_index integer, log_index integer, partition integer NOT NULL, buy boolean NOT NULL,
  usd numeric(16,6) NOT NULL, amount numeric(36,18) NOT NULL, id text COLLATE "C" NOT NULL, tx text, chain text)
  PARTITION BY RANGE ("time");
CREATE INDEX ON trades_rows (token_id, "time");
CREATE INDEX ON trades_rows (trader_id, token_id, "time");
CREATE INDEX ON trades_rows ("time");
CREATE TABLE candles_rows ("time" timestamptz NOT NULL, token_id integer NOT NULL, ${MINUTE_COLUMNS},
  buys integer NOT NULL, sells integer NOT NULL, open double precision, high double precision, low double precision,
  close double precision, buy_volume numeric(38,6) NOT NULL, sell_volume numeric(38,6) NOT NULL,
  open_place bytea, close_place bytea, PRIMARY KEY (token_id, "time")) PARTITION BY RANGE ("time");
CREATE TABLE pairs_4h_rows (begins timestamptz NOT NULL, token_id integer NOT NULL, trader_id integer NOT NULL,
  PRIMARY KEY (token_id, trader_id, begins)) PARTITION BY RANGE (begins);
CREATE TABLE pairs_1d_rows (LIKE pairs_4h_rows INCLUDING ALL) PARTITION BY RANGE (begins);
CREATE TABLE recent_ids_rows (log_ms bigint NOT NULL, fingerprint bigint NOT NULL, fingerprint_rest integer NOT NULL,
  partition integer NOT NULL)
  PARTITION BY RANGE (log_ms);
CREATE INDEX ON recent_ids_rows (fingerprint);
CREATE VIEW trades AS SELECT "time", token, who, CASE WHEN buy THEN 'buy' ELSE 'sell' END AS side, usd, amount, price,
  block, tx_index, log_index, id, tx, chain, partition, log_offset, log_time
  FROM trades_rows JOIN tokens USING (token_id) JOIN traders USING (trader_id);
${SPANS.map(
  span => `CREATE VIEW candles_${span.name} AS SELECT token, begins AS "time", open, high, low, close,
  buy_volume + sell_volume AS volume, buy_volume, sell_volume, buys, sells, traders
  FROM (${spanned(postgresDialect, 'SELECT * FROM candles_rows', span)}) spanned JOIN tokens USING (token_id);`,
).join('\n')}
INSERT INTO archive_meta VALUES ('version', '${SCHEMA_VERSION}');
`

const boundOf = (kind: PartitionKind, ms: number): string =>
  kind === 'recent_ids' ? String(ms) : `'${new Date(ms).toISOString()}'`

/// Makes a partition's table, and makes it a partition.
export function createPartition({ kind, begins }: Partition): string {
  const name = partitionName(kind, begins)
  const parent = `${kind}_rows`
  // Rows of candles are changed in place: room on their pages spares their index the change.
  const storage = kind === 'candles' ? ' WITH (fillfactor = 70)' : ''
  const fixed =
    kind === 'pairs_4h' || kind === 'pairs_1d'
      ? `; ALTER TABLE ${name} ALTER COLUMN begins SET DEFAULT ${boundOf(kind, begins)}`
      : ''
  return `CREATE TABLE ${name} (LIKE ${parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)${storage}${fixed};
ALTER TABLE ${parent} ATTACH PARTITION ${name}
  FOR VALUES FROM (${boundOf(kind, begins)}) TO (${boundOf(kind, begins + PARTITION_MS[kind])})`
}

/// The minutes of one token.
export const minutesOfToken: MinutesSql = async (reading, tokenId, from, to) => {
  const days = await reading.partitions('candles', from, to)
  const tables = days.map(begins => partitionName('candles', begins))
  const where = ofToken(reading.dialect, tokenId, from, to)
  if (tables.length === 0) return 'SELECT * FROM candles_rows WHERE false'
  return tables.map(table => `SELECT * FROM ${table} ${where}`).join(' UNION ALL ')
}

const CANDLE_COLUMNS = `token_id, "time", open, open_place, high, low, close, close_place, buy_volume, sell_volume, buys,
  sells, ${SPANS.map(({ name }) => `traders_${name}`).join(', ')}`

/// Adds a batch's rows of candles to those of the day that they are of. `rows` is a query.
export function mergeCandles(table: string, rows: string): string {
  const earlier = 'c.open_place IS NULL OR e.open_place < c.open_place'
  const later = 'c.close_place IS NULL OR e.close_place > c.close_place'
  return `INSERT INTO ${table} AS c (${CANDLE_COLUMNS}) SELECT ${CANDLE_COLUMNS.replaceAll('\n', ' ')} FROM (${rows}) batch
ON CONFLICT (token_id, "time") DO UPDATE SET
  (open, open_place, high, low, close, close_place, buy_volume, sell_volume, buys, sells,
   ${SPANS.map(({ name }) => `traders_${name}`).join(', ')}) = (SELECT
    CASE WHEN ${earlier} THEN coalesce(e.open, c.open) ELSE c.open END,
    CASE WHEN ${earlier} THEN coalesce(e.open_place, c.open_place) ELSE c.open_place END,
    greatest(c.high, e.high), least(c.low, e.low),
    CASE WHEN ${later} THEN coalesce(e.close, c.close) ELSE c.close END,
    CASE WHEN ${later} THEN coalesce(e.close_place, c.close_place) ELSE c.close_place END,
    c.buy_volume + e.buy_volume, c.sell_volume + e.sell_volume, c.buys + e.buys, c.sells + e.sells,
    ${SPANS.map(({ name }) => `c.traders_${name} + e.traders_${name}`).join(', ')}
   FROM (SELECT excluded.*) e)`
}
