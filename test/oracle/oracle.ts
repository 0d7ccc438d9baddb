/// The oracle: SQL over the raw swaps, in DuckDB. It reads the producers' own text, decides every fate and computes
/// every statistic from scratch at each instant. It shares no code with src/core, and no algorithm either: no
/// slices, cursors or running totals, only GROUP BY.
///
/// Exactness: money and amounts are HUGEINT (38 digits). An amount in 10^-18 tokens may itself have 36 digits, so
/// sums are taken over its two halves, whole tokens and the 18 decimals, and carried once at the end. Prices are
/// binary64, divided as the definition says: each side is the nearest binary64 of the exact decimal text.

import { type DuckDBConnection, DuckDBInstance, type JS } from '@duckdb/node-api'
import {
  type Answer,
  addWindow,
  EMPTY_WINDOW,
  emptyAnswer,
  plainOrNull,
  type WindowFigures,
} from '../simulation/answer.js'
import { isSwap, type RawBatch, type Rules } from '../simulation/raw-swap.js'
import { ACCEPTED, FATES, JUDGED_REPLAY, judged, MACROS, RECORD_TABLE, statistics, timed } from './sql.js'

export interface OracleFates {
  readonly accepted: number
  readonly duplicate: number
  readonly late: number
  readonly early: number
}

/// What was loaded: a log with append times, or replayed files, of which the whole is the log.
export type OracleInput =
  | { readonly kind: 'log'; readonly batches: readonly RawBatch[] }
  | { readonly kind: 'files'; readonly csvPaths: readonly string[] }
  | { readonly kind: 'replayed'; readonly batches: readonly RawBatch[] }

export class Oracle {
  readonly fates: OracleFates
  readonly #rules: Rules
  readonly #instance: DuckDBInstance
  readonly #db: DuckDBConnection

  private constructor(rules: Rules, instance: DuckDBInstance, db: DuckDBConnection, fates: OracleFates) {
    this.#rules = rules
    this.#instance = instance
    this.#db = db
    this.fates = fates
  }

  static async open(rules: Rules, input: OracleInput): Promise<Oracle> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
    const db = await instance.connect()
    await db.run(MACROS)
    await db.run(RECORD_TABLE)
    if (input.kind === 'files') await loadFiles(db, input.csvPaths)
    else await loadLog(db, input.batches)
    await db.run(timed(rules, input.kind !== 'log'))
    await db.run(input.kind === 'log' ? judged(rules) : JUDGED_REPLAY)
    await db.run(ACCEPTED)
    await loadSpans(db, rules)
    const fates = (await db.runAndReadAll(FATES)).getRowObjectsJS()[0]
    if (fates === undefined) throw new Error('the oracle counted no fates')
    return new Oracle(rules, instance, db, {
      accepted: Number(fates.accepted),
      duplicate: Number(fates.duplicate),
      late: Number(fates.late),
      early: Number(fates.early),
    })
  }

  /// One value of a query over the oracle's tables (`accepted` has tick, time, token, …).
  async number(sql: string): Promise<number> {
    return Number((await this.#db.runAndReadAll(sql)).getRowsJS()[0]?.[0])
  }

  /// The rows of a query over the oracle's tables.
  async rows(sql: string): Promise<JS[][]> {
    return (await this.#db.runAndReadAll(sql)).getRowsJS()
  }

  /// The answer of every listed token at view time `tick`, as JSON text, counting records below offset `upTo`.
  async answers(tick: number, upTo: number, version: string): Promise<Map<string, string>> {
    const rows = (await this.#db.runAndReadAll(statistics(tick, upTo))).getRowsJS()
    const answers = new Map<string, string>()
    for (let at = 0; at < rows.length; ) {
      const first = cells(rows[at])
      const byWindow = new Map<number, WindowFigures>()
      for (at++; at < rows.length && rows[at]?.[0] === first.token; at++) {
        const cell = cells(rows[at])
        byWindow.set(cell.ord, cell)
      }
      answers.set(first.token, JSON.stringify(this.#answer(first, byWindow, tick, version)))
    }
    return answers
  }

  #answer(retained: Cells, byWindow: Map<number, WindowFigures>, tick: number, version: string): Answer {
    const answer = emptyAnswer({
      token: retained.token,
      priceUsd: plainOrNull(retained.close),
      asOf: tick * this.#rules.resolutionMs,
      version,
      firstSeen: retained.firstSeen,
      lastSeen: retained.lastSeen,
    })
    for (const [at, [name]] of this.#rules.windows.entries()) {
      addWindow(answer, name, byWindow.get(at + 1) ?? EMPTY_WINDOW)
    }
    return answer
  }

  close(): void {
    this.#db.closeSync()
    this.#instance.closeSync()
  }
}

interface Cells extends WindowFigures {
  readonly token: string
  readonly ord: number
  readonly firstSeen: number
  readonly lastSeen: number
}

function cells(row: readonly JS[] | undefined): Cells {
  if (row === undefined || row.length !== 20) throw new Error('the oracle answered an unexpected row')
  const text = (at: number): string => String(row[at])
  const known = (at: number): number | null => {
    const value = row[at]
    return value === null || value === undefined ? null : Number(value)
  }
  return {
    token: text(0),
    ord: Number(row[1]),
    volume: text(2),
    buyVolume: text(3),
    sellVolume: text(4),
    amount: text(5),
    buys: Number(row[6]),
    sells: Number(row[7]),
    buyers: Number(row[8]),
    sellers: Number(row[9]),
    traders: Number(row[10]),
    open: known(11),
    high: known(12),
    low: known(13),
    close: known(14),
    priceChange: known(15),
    vwap: known(16),
    largestTrade: text(17),
    firstSeen: Number(row[18]),
    lastSeen: Number(row[19]),
  }
}

async function loadSpans(db: DuckDBConnection, rules: Rules): Promise<void> {
  const lengths = [rules.retentionMs, ...rules.windows.map(([, lengthMs]) => lengthMs)]
  const rows = lengths.map((lengthMs, ord) => `(${ord}, ${lengthMs / rules.resolutionMs})`)
  await db.run(`CREATE TABLE span AS SELECT * FROM (VALUES ${rows.join(', ')}) s(ord, ticks)`)
}

async function loadFiles(db: DuckDBConnection, csvPaths: readonly string[]): Promise<void> {
  for (const path of csvPaths) {
    await db.run(
      `INSERT INTO record SELECT (SELECT count(*) FROM record) + row_number() OVER () - 1, 0, id, CAST("time" AS BIGINT),
         who, token, side, amount, usd, CAST(block AS BIGINT), NULL, NULL, NULL
       FROM read_csv($path, header = true, all_varchar = true)`,
      { path },
    )
  }
}

async function loadLog(db: DuckDBConnection, batches: readonly RawBatch[]): Promise<void> {
  const appender = await db.createAppender('record')
  const appendWhole = (value: number | undefined): void => {
    if (value === undefined) appender.appendNull()
    else appender.appendBigInt(BigInt(value))
  }
  let seq = 0
  for (const batch of batches) {
    for (const record of batch.records) {
      if (isSwap(record)) {
        appendWhole(seq)
        appendWhole(batch.appendTime)
        appender.appendVarchar(record.id)
        appendWhole(record.time)
        appender.appendVarchar(record.who)
        appender.appendVarchar(record.token)
        appender.appendVarchar(record.side)
        appender.appendVarchar(String(record.amount))
        appender.appendVarchar(String(record.usd))
        appendWhole(record.block)
        appendWhole(record.txIndex)
        appendWhole(record.logIndex)
        if (record.price === undefined) appender.appendNull()
        else appender.appendVarchar(String(record.price))
        appender.endRow()
      }
      seq++
    }
  }
  appender.closeSync()
}
