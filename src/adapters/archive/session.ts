/// What the archive's SQL needs of a database: a way to run it, and the few things that databases spell differently.
/// Table and column names are the same in both (docs/formats/archive.md).

import type { PartitionKind } from './partitions.js'

/// A row's values. Numbers may come as text, where a database's whole numbers are wider than a binary64.
export type Row = readonly unknown[]

export interface Reading {
  readonly dialect: Dialect
  /// `values` stand for $1, $2, …
  rows(sql: string, values?: readonly string[]): Promise<readonly Row[]>
  /// The rows a few thousand at a time.
  stream(sql: string): AsyncIterable<readonly Row[]>
  /// The beginnings of the tables that hold something of from ≤ time < to, ascending.
  partitions(kind: PartitionKind, from: number, to: number): Promise<readonly number[]>
}

export interface Writing {
  readonly dialect: Dialect
  write(sql: string, values?: readonly string[]): Promise<void>
  read(sql: string, values?: readonly string[]): Promise<readonly Row[]>
  /// Runs `work` as one transaction.
  transaction<T>(work: () => Promise<T>): Promise<T>
  /// Makes a temporary table of a query's rows, in the place of one of that name.
  temporary(name: TemporaryName, query: string): Promise<void>
}

/// The temporary tables of an append, with the columns that append.ts describes.
export type TemporaryName =
  | 'known'
  | 'fresh'
  | 'names'
  | 'batch_rows'
  | 'met'
  | 'new_1m'
  | 'new_5m'
  | 'new_15m'
  | 'new_1h'
  | 'new_4h'
  | 'new_1d'
  | 'new_traders'

export interface Dialect {
  /// Epoch milliseconds, a number or an SQL expression, as the type of the columns of times.
  at(ms: number | string): string
  /// The other way round, as a whole number.
  ms(time: string): string
  /// The quotient of two whole numbers that are not negative, without the rest.
  quotient(of: string, by: number): string
  /// The date, a whole number of days since 1970.
  date(days: string): string
  /// `value` of the row with the least, the greatest `by`, of rows whose value is not null.
  first(value: string, by: string): string
  last(value: string, by: string): string
  /// The least, the greatest of binary strings.
  least(bytes: string): string
  greatest(bytes: string): string
  /// Raises a number in archive_meta to a value, if it is not that high already.
  raise(key: string, value: number): string
  /// Ends a SELECT of rows that the transaction will change: others wait for its end.
  readonly forUpdate: string
  /// Ends an INSERT: rows that somebody else has inserted meanwhile are left out.
  readonly unlessThere: string
  /// An exact number as text.
  text(value: string): string
  /// A number below 2^53 as a binary64.
  number(value: string): string
  /// The beginning of the stretch of so many minutes that a time lies in, counted from 1970.
  stretch(minutes: number, time: string): string
  /// A text as the database can store it, and back.
  stored(text: string): string
  restored(text: string): string
}
