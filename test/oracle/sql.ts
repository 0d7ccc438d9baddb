/// The oracle's SQL. See oracle.ts for what it is for.

/// Exact decimals. `fixed` rounds half to even: fixed('12.3456785', 6) = 12345678; the rest of the fraction compares
/// as text. `decimal_text` writes the shortest text of whole + part / 10^places, 0 ≤ part < 10^places.
export const MACROS = `
CREATE MACRO kept(value, places) AS CAST(split_part(value, '.', 1)
  || rpad(substr(split_part(value, '.', 2), 1, places), places, '0') AS HUGEINT);
CREATE MACRO rest(value, places) AS rtrim(substr(split_part(value, '.', 2), places + 1), '0');
CREATE MACRO fixed(value, places) AS kept(value, places) + CASE
  WHEN rest(value, places) > '5' THEN 1::HUGEINT
  WHEN rest(value, places) = '5' THEN kept(value, places) % 2::HUGEINT
  ELSE 0::HUGEINT END;
CREATE MACRO decimal_text(whole, part, places) AS CAST(whole AS VARCHAR) || CASE WHEN part = 0 THEN ''
  ELSE '.' || rtrim(lpad(CAST(part AS VARCHAR), places, '0'), '0') END;
-- Halves up. Not floor(x + 0.5): above 2^52 that sum is rounded itself.
CREATE MACRO nearest(x) AS floor(x) + CASE WHEN x - floor(x) >= 0.5 THEN 1 ELSE 0 END;
CREATE MACRO usd_text(micro) AS decimal_text(micro // 1000000::HUGEINT, micro % 1000000::HUGEINT, 6);
CREATE MACRO amount_text(whole, part) AS decimal_text(
  whole + part // 1000000000000000000::HUGEINT, part % 1000000000000000000::HUGEINT, 18);
`

/// The log as it was appended, in the producers' own text; NULL where the producer gave nothing.
export const RECORD_TABLE = `
CREATE TABLE record (seq BIGINT, append_ms BIGINT, id VARCHAR, "time" BIGINT, who VARCHAR, token VARCHAR,
  side VARCHAR, amount VARCHAR, usd VARCHAR, block BIGINT, tx_index BIGINT, log_index BIGINT, price VARCHAR)
`

/// Log time and slice of each record, and whether it is late or early. A replayed file is the log as a whole: in it
/// nothing is late or early.
export const timed = (rules: RuleNumbers, replay: boolean): string => `
CREATE TABLE timed AS
SELECT *, CASE
  WHEN ${replay} THEN NULL
  WHEN tick <= log_ms // ${rules.resolutionMs} - ${rules.retentionMs / rules.resolutionMs} THEN 'late'
  WHEN "time" > log_ms + ${rules.earlyToleranceMs} THEN 'early' END AS refused
FROM (
  SELECT *, "time" // ${rules.resolutionMs} AS tick, max(append_ms) OVER (ORDER BY seq) AS log_ms FROM record
)
`

/// Each id's records are walked in log order, each against what was accepted of that id before it.
export const judged = (rules: RuleNumbers): string => `
CREATE TABLE candidate AS
SELECT seq, id, tick, log_ms, row_number() OVER (PARTITION BY id ORDER BY seq) AS nth, count(*) OVER (PARTITION BY id) AS n
FROM timed WHERE refused IS NULL;
CREATE TABLE repeated AS SELECT * FROM candidate WHERE n > 1;
CREATE TABLE judged AS
WITH RECURSIVE walk AS (
  SELECT id, nth, seq, true AS taken, [struct_pack(tick := tick, log_ms := log_ms)] AS firsts
  FROM repeated WHERE nth = 1
  UNION ALL
  SELECT id, nth, seq, taken,
    CASE WHEN taken THEN list_append(firsts, struct_pack(tick := tick, log_ms := log_ms)) ELSE firsts END
  FROM (
    SELECT c.id, c.nth, c.seq, c.tick, c.log_ms, w.firsts, len(list_filter(w.firsts,
      lambda f: f.tick = c.tick OR c.log_ms - f.log_ms < ${rules.dedupeHorizonMs})) = 0 AS taken
    FROM walk w JOIN repeated c ON c.id = w.id AND c.nth = w.nth + 1
  )
)
SELECT seq, taken FROM walk UNION ALL SELECT seq, true FROM candidate WHERE n = 1;
`

/// Replayed files: of an id's lines the first in chain order counts, wherever it stands.
export const JUDGED_REPLAY = `
CREATE TABLE judged AS
SELECT seq, row_number() OVER (PARTITION BY id ORDER BY
  "time", coalesce(block, -1), coalesce(tx_index, -1), coalesce(log_index, -1), seq) = 1 AS taken
FROM timed
`

/// The accepted swaps with exact numbers, prices, and their place in chain order.
export const ACCEPTED = `
CREATE TABLE accepted AS
WITH exact AS (
  SELECT t.*, fixed(usd, 6) AS micro, fixed(amount, 18) AS atto FROM timed t JOIN judged j USING (seq) WHERE j.taken
), split AS (
  SELECT *, atto // 1000000000000000000::HUGEINT AS whole, atto % 1000000000000000000::HUGEINT AS part FROM exact
)
SELECT seq, token, who, side, tick, "time", micro, whole, part,
  CASE WHEN price IS NOT NULL THEN CAST(price AS DOUBLE)
    WHEN micro = 0 OR atto = 0 THEN NULL
    ELSE CAST(usd_text(micro) AS DOUBLE) / CAST(amount_text(whole, part) AS DOUBLE) END AS price,
  row_number() OVER (ORDER BY "time", coalesce(block, -1), coalesce(tx_index, -1), coalesce(log_index, -1), id) AS place
FROM split
`

export const FATES = `
SELECT
  CAST((SELECT count(*) FROM judged WHERE taken) AS INTEGER) AS accepted,
  CAST((SELECT count(*) FROM judged WHERE NOT taken) AS INTEGER) AS duplicate,
  CAST((SELECT count(*) FROM timed WHERE refused = 'late') AS INTEGER) AS late,
  CAST((SELECT count(*) FROM timed WHERE refused = 'early') AS INTEGER) AS early
`

/// Every statistic of every listed token at one instant. Row 0 of a token is retention, then its windows that hold
/// a swap.
export const statistics = (tick: number, upTo: number): string => `
WITH aggregated AS (
  SELECT token, w.ord,
    sum(micro) AS volume,
    coalesce(sum(micro) FILTER (side = 'buy'), 0) AS buy_volume,
    coalesce(sum(micro) FILTER (side = 'sell'), 0) AS sell_volume,
    sum(whole) AS whole, sum(part) AS part,
    count(*) FILTER (side = 'buy') AS buys, count(*) FILTER (side = 'sell') AS sells,
    count(DISTINCT who) FILTER (side = 'buy') AS buyers, count(DISTINCT who) FILTER (side = 'sell') AS sellers,
    count(DISTINCT who) AS traders,
    arg_min(price, place) FILTER (price IS NOT NULL) AS open, max(price) AS high, min(price) AS low,
    arg_max(price, place) FILTER (price IS NOT NULL) AS close,
    max(micro) AS largest, min("time") AS first_seen, max("time") AS last_seen
  FROM accepted s JOIN span w ON ${tick} - s.tick < w.ticks
  WHERE s.tick <= ${tick} AND s.seq < ${upTo}
  GROUP BY token, w.ord
)
SELECT token, CAST(ord AS INTEGER) AS ord,
  usd_text(volume) AS volume, usd_text(buy_volume) AS buy_volume, usd_text(sell_volume) AS sell_volume,
  amount_text(whole, part) AS amount,
  CAST(buys AS INTEGER) AS buys, CAST(sells AS INTEGER) AS sells,
  CAST(buyers AS INTEGER) AS buyers, CAST(sellers AS INTEGER) AS sellers, CAST(traders AS INTEGER) AS traders,
  open, high, low, close,
  nearest((close - open) / open * 100 * 1e6) / 1e6 AS change,
  CASE WHEN volume = 0 OR (whole = 0 AND part = 0) THEN NULL
    ELSE CAST(usd_text(volume) AS DOUBLE) / CAST(amount_text(whole, part) AS DOUBLE) END AS vwap,
  usd_text(largest) AS largest, CAST(first_seen AS DOUBLE) AS first_seen, CAST(last_seen AS DOUBLE) AS last_seen
FROM aggregated ORDER BY token, ord
`

export interface RuleNumbers {
  readonly resolutionMs: number
  readonly retentionMs: number
  readonly earlyToleranceMs: number
  readonly dedupeHorizonMs: number
}
