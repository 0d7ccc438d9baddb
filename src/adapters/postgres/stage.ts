/// The temporary tables of the connection that writes, and how a batch's swaps come into the first of them: by COPY, in
/// its text format.

import { once } from 'node:events'
import type { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { formatUsd } from '../../core/decimal.js'
import type { AdmittedSwap } from '../../ports/trade-archive.js'
import { SPANS } from '../archive/candle-spans.js'
import type { TemporaryName } from '../archive/session.js'
import { postgresDialect } from './dialect.js'

const STAGED_COLUMNS = `log_offset bigint, log_ms bigint, time_ms bigint, id text COLLATE "C", token text COLLATE "C",
  who text COLLATE "C", buy boolean, usd numeric(16,6), amount numeric(36,18), price double precision, block bigint,
  tx_index integer, log_index integer, tx text, chain text, fingerprint bigint, fingerprint_rest integer, place bytea`

const PAIR_MINUTES = 'token_id integer, trader_id integer, minute bigint'

/// Temporary tables last as long as the connection: making them anew for each batch would bloat the catalogue.
const TEMPORARY: Readonly<Record<TemporaryName | 'staged', string>> = {
  staged: STAGED_COLUMNS,
  known: 'log_offset bigint',
  fresh: 'log_offset bigint',
  names: 'name text COLLATE "C", day date',
  batch_rows: `log_offset bigint, log_ms bigint, token_id integer, trader_id integer, minute bigint, hour bigint,
    buy boolean, usd numeric(16,6), price double precision, place bytea, fingerprint bigint, fingerprint_rest integer`,
  met: PAIR_MINUTES,
  new_1m: PAIR_MINUTES,
  new_5m: PAIR_MINUTES,
  new_15m: PAIR_MINUTES,
  new_1h: PAIR_MINUTES,
  new_4h: PAIR_MINUTES,
  new_1d: PAIR_MINUTES,
  new_traders: `token_id integer, minute bigint, ${SPANS.map(({ name }) => `traders_${name} bigint`).join(', ')}`,
}

export const CREATE_TEMPORARY = Object.entries(TEMPORARY)
  .map(([name, columns]) => `CREATE TEMPORARY TABLE ${name} (${columns}) ON COMMIT DELETE ROWS`)
  .join(';\n')

/// Rows that are written in one go: some 2 ms.
const ROWS_PER_TURN = 500

/// Copies the swaps into `staged`, in a transaction that is under way.
export async function stage(
  client: Client,
  swaps: readonly AdmittedSwap[],
  nextTurn: () => Promise<void>,
): Promise<void> {
  const stream = client.query(copyFrom('COPY staged FROM STDIN'))
  // Waits for the end from the beginning: a connection that breaks while rows are made fails it too.
  const ended = once(stream, 'finish')
  const failed = ended.then(
    () => false,
    () => true,
  )
  for (let at = 0; at < swaps.length && !stream.destroyed; at += ROWS_PER_TURN) {
    const text = swaps
      .slice(at, at + ROWS_PER_TURN)
      .map(lineOf)
      .join('')
    if (!stream.write(text)) await Promise.race([once(stream, 'drain').catch(() => {}), failed])
    await nextTurn()
  }
  stream.end()
  await ended
}

function lineOf(swap: AdmittedSwap): string {
  const [word0, word1, rest] = swap.fingerprint
  const optional = (value: number | null) => (value === null ? '\\N' : value)
  const text = (value: string | null) => (value === null ? '\\N' : escaped(postgresDialect.stored(value)))
  return `${swap.offset}\t${swap.logTime}\t${swap.time}\t${text(swap.id)}\t${text(swap.token)}\t${text(swap.who)}\t${
    swap.side === 'buy' ? 't' : 'f'
  }\t${formatUsd(swap.usd, 0)}\t${swap.amount}\t${optional(swap.price)}\t${optional(swap.block)}\t${optional(
    swap.txIndex,
  )}\t${optional(swap.logIndex)}\t${text(swap.tx)}\t${text(swap.chain)}\t${
    BigInt(word0) * 0x1_0000_0000n + (BigInt(word1) + 0x8000_0000n)
  }\t${rest}\t\\\\x${Buffer.from(swap.place).toString('hex')}\n`
}

/// As COPY's text format wants it.
function escaped(text: string): string {
  return /[\\\n\r\t]/.test(text)
    ? text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
    : text
}
