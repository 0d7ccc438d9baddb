/// How PostgreSQL spells what databases spell differently. Times are TIMESTAMPTZ.
///
/// PostgreSQL stores any text but the character NUL. So NUL is written as U+10FFFF and `0`, and U+10FFFF, which nobody
/// uses, as itself and `1`: every text comes back as it was.

import type { Dialect } from '../archive/session.js'

const ESCAPE = '\u{10ffff}'

export const postgresDialect: Dialect = {
  // In whole seconds and milliseconds: their products are exact in binary64, of all milliseconds together they are not.
  at: ms =>
    `(timestamptz '1970-01-01 00:00:00+00' + (${ms}) / 1000 * interval '1 second' + (${ms}) % 1000 * interval '1 millisecond')`,
  ms: time => `(extract(epoch FROM ${time}) * 1000)::bigint`,
  quotient: (of, by) => `${of} / ${by}`,
  date: days => `(date '1970-01-01' + (${days})::integer)`,
  first: (value, by) => `(array_agg(${value} ORDER BY ${by}) FILTER (WHERE ${value} IS NOT NULL))[1]`,
  last: (value, by) => `(array_agg(${value} ORDER BY ${by} DESC) FILTER (WHERE ${value} IS NOT NULL))[1]`,
  least: bytes => `(array_agg(${bytes} ORDER BY ${bytes}))[1]`,
  greatest: bytes => `(array_agg(${bytes} ORDER BY ${bytes} DESC NULLS LAST))[1]`,
  raise: (key, value) => `INSERT INTO archive_meta AS m VALUES ('${key}', '${value}')
    ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE m.value::bigint < excluded.value::bigint`,
  forUpdate: 'FOR UPDATE',
  unlessThere: 'ON CONFLICT DO NOTHING',
  text: value => `(${value})::text`,
  number: value => `(${value})::double precision`,
  stretch: (minutes, time) => `date_bin('${minutes} minutes', ${time}, timestamptz '1970-01-01 00:00:00+00')`,
  stored: text =>
    /[\0\u{10ffff}]/u.test(text)
      ? text.replaceAll(ESCAPE, `${ESCAPE}1`).replaceAll('\0', `${ESCAPE}0`)
      : text,
  restored: text =>
    text.includes(ESCAPE) ? text.replaceAll(`${ESCAPE}0`, '\0').replaceAll(`${ESCAPE}1`, ESCAPE) : text,
}
