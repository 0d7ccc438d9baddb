/// How DuckDB spells what databases spell differently. Times are TIMESTAMPs in UTC.

import type { Dialect } from '../archive/session.js'

export const duckDbDialect: Dialect = {
  at: ms => `epoch_ms(${ms})`,
  ms: time => `epoch_ms(${time})::DOUBLE`,
  quotient: (of, by) => `CAST(${of} AS BIGINT) // ${by}`,
  date: days => `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`,
  first: (value, by) => `arg_min(${value}, ${by}) FILTER (WHERE ${value} IS NOT NULL)`,
  last: (value, by) => `arg_max(${value}, ${by}) FILTER (WHERE ${value} IS NOT NULL)`,
  least: bytes => `min(${bytes})`,
  greatest: bytes => `max(${bytes})`,
  raise: (key, value) => `DELETE FROM archive_meta WHERE key = '${key}' AND CAST(value AS BIGINT) < ${value};
    INSERT INTO archive_meta SELECT '${key}', '${value}' WHERE NOT EXISTS (SELECT 1 FROM archive_meta WHERE key = '${key}')`,
  forUpdate: '',
  unlessThere: '',
  text: value => `CAST(${value} AS VARCHAR)`,
  number: value => `CAST(${value} AS DOUBLE)`,
  stretch: (minutes, time) =>
    `time_bucket(INTERVAL '${minutes} minutes', ${time}, TIMESTAMP '1970-01-01 00:00:00')`,
  stored: text => text,
  restored: text => text,
}
