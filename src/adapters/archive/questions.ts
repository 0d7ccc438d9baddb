/// What is asked of the archive, as SQL over the tables that the question touches: swaps, and where the archive stands.

import { invariant } from '../../core/invariant.js'
import { type EpochMs, epochMs, microUsd, offset } from '../../core/units.js'
import type { ArchivedSwap, ArchivePosition, TradePlace, TradesQuery } from '../../ports/trade-archive.js'
import { PARTITION_MS, partitionName } from './partitions.js'
import type { Dialect, Reading, Row, Writing } from './session.js'

export async function position(
  reading: Pick<Writing, 'dialect' | 'read'>,
  partition: number,
): Promise<ArchivePosition | null> {
  const [row] = await reading.read(
    `SELECT next_offset, ${reading.dialect.ms('log_time')} FROM positions WHERE partition = ${partition}`,
  )
  return row === undefined ? null : { offset: offset(Number(row[0])), logTime: epochMs(Number(row[1])) }
}

/// Micro-dollars of a decimal with up to six decimals: `1.5` is 1500000n.
export function microUsdOf(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

const NAME_TABLES = { token: ['tokens', 'token_id'], who: ['traders', 'trader_id'] } as const

export async function idOf(reading: Reading, kind: 'token' | 'who', name: string): Promise<number | null> {
  const [table, id] = NAME_TABLES[kind]
  const [row] = await reading.rows(`SELECT ${id} FROM ${table} WHERE ${kind} = $1`, [
    reading.dialect.stored(name),
  ])
  return row === undefined ? null : Number(row[0])
}

/// With `WITH_NAMES`, or with the numbers of token and trader in place of their names.
export const swapColumns = (
  { ms, text, number }: Dialect,
  who: 'who' | 'trader_id' = 'who',
  token: 'token' | 'token_id' = 'token',
) => `id, ${ms('"time"')}, ${who}, ${token}, buy, ${text('amount')}, ${text('usd')},
  price, ${number('block')}, tx_index, log_index, tx, chain, partition, ${number('log_offset')}, ${ms('log_time')}`

const CHAIN_ORDER = [
  '"time"',
  'coalesce(block, -1)',
  'coalesce(tx_index, -1)',
  'coalesce(log_index, -1)',
  'id',
]

const orderBy = (direction: 'ASC' | 'DESC') => CHAIN_ORDER.map(key => `${key} ${direction}`).join(', ')

export const WITH_NAMES = 'JOIN tokens USING (token_id) JOIN traders USING (trader_id)'

/// The first stretch of time that is read for a page, and the longest.
const STRETCH_MS = 30_000
const STRETCH_MS_MAX = 32 * 3_600_000
const STRETCH_GROWTH = 8

/// Into the past until the page is full: half a minute, since a busy token has a page of it, then eight times as long
/// with each query: where a token trades seldom, each costs as much for planning as for reading on.
export async function trades(
  reading: Reading,
  { of, from, to, limit, after }: TradesQuery,
): Promise<readonly ArchivedSwap[]> {
  const { dialect } = reading
  const isToken = 'token' in of
  const id = await idOf(reading, isToken ? 'token' : 'who', isToken ? of.token : of.who)
  if (id === null) return []
  const before = after === null ? to : Math.min(to, after.time + 1)
  const hours = await reading.partitions('trades', from, before)
  const oldest = Math.max(from, hours[0] ?? before)
  const isBefore = after === null ? '' : `AND (${CHAIN_ORDER.join(', ')}) < ${placeSql(dialect, after)}`
  const found: Row[] = []
  let end = Math.min(before, (await newestOf(reading, hours.at(-1))) + 1)
  for (let stretch = STRETCH_MS; end > oldest && found.length < limit; stretch *= STRETCH_GROWTH) {
    const begin = Math.max(oldest, end - Math.min(stretch, STRETCH_MS_MAX))
    const rows = hours
      .filter(hour => hour < end && hour + PARTITION_MS.trades > begin)
      .map(
        hour => `SELECT * FROM ${partitionName('trades', hour)} WHERE ${isToken ? 'token_id' : 'trader_id'} = ${id}
          AND "time" >= ${dialect.at(begin)} AND "time" < ${dialect.at(end)} ${isBefore}`,
      )
    end = begin
    if (rows.length === 0) continue
    const page = await reading.rows(
      `SELECT ${swapColumns(dialect, 'trader_id', 'token_id')} FROM (${rows.join(' UNION ALL ')}) h
       ORDER BY ${orderBy('DESC')} LIMIT ${limit - found.length}`,
      after === null ? [] : [dialect.stored(after.id)],
    )
    found.push(...page)
  }
  // Of the whole page at once: looking them up may take longer than finding the swaps.
  const [asked, others] = isToken ? [TOKEN, WHO] : [WHO, TOKEN]
  const names = await namesOf(
    reading,
    isToken ? 'who' : 'token',
    new Set(found.map(row => Number(row[others]))),
  )
  const name = dialect.stored(isToken ? of.token : of.who)
  return found.map(row => {
    const named = [...row]
    named[asked] = name
    const other = names.get(Number(row[others]))
    invariant(other !== undefined, 'a swap’s names are in the archive')
    named[others] = other
    return archivedSwapOf(dialect, named)
  })
}

/// Of `swapColumns`.
const WHO = 2
const TOKEN = 3

async function namesOf(
  reading: Reading,
  kind: 'token' | 'who',
  ids: ReadonlySet<number>,
): Promise<ReadonlyMap<number, string>> {
  if (ids.size === 0) return new Map()
  const [table, id] = NAME_TABLES[kind]
  const wanted = [...ids].map(each => `(${each})`).join(', ')
  const rows = await reading.rows(
    `SELECT ${id}, ${kind} FROM ${table} JOIN (VALUES ${wanted}) wanted(${id}) USING (${id})`,
  )
  return new Map(rows.map(row => [Number(row[0]), String(row[1])]))
}

/// The newest swap's time of an hour; its beginning where it has none.
async function newestOf(reading: Reading, hour: number | undefined): Promise<number> {
  if (hour === undefined) return 0
  const [row] = await reading.rows(
    `SELECT ${reading.dialect.ms('max("time")')} FROM ${partitionName('trades', hour)}`,
  )
  return Number(row?.[0] ?? hour)
}

const placeSql = ({ at }: Dialect, { time, block, txIndex, logIndex }: TradePlace) =>
  `(${at(time)}, ${block ?? -1}, ${txIndex ?? -1}, ${logIndex ?? -1}, $1)`

/// Hour by hour, each in chain order.
export async function* scan(
  reading: Reading,
  from: EpochMs,
  to: EpochMs,
): AsyncGenerator<readonly ArchivedSwap[]> {
  const { dialect } = reading
  for (const begins of await reading.partitions('trades', from, to)) {
    const rows = reading.stream(
      `SELECT ${swapColumns(dialect)} FROM ${partitionName('trades', begins)} ${WITH_NAMES}
       WHERE "time" >= ${dialect.at(from)} AND "time" < ${dialect.at(to)} ORDER BY ${orderBy('ASC')}`,
    )
    for await (const chunk of rows) yield chunk.map(row => archivedSwapOf(dialect, row))
  }
}

export function archivedSwapOf({ restored }: Dialect, row: Row): ArchivedSwap {
  const number = (at: number) => (row[at] === null ? null : Number(row[at]))
  const text = (at: number) => (row[at] === null ? null : restored(String(row[at])))
  return {
    id: restored(String(row[0])),
    time: epochMs(Number(row[1])),
    who: restored(String(row[2])),
    token: restored(String(row[3])),
    side: row[4] === true ? 'buy' : 'sell',
    amount: plainDecimal(String(row[5])),
    usd: microUsd(Number(microUsdOf(String(row[6])))),
    price: number(7),
    block: number(8),
    txIndex: number(9),
    logIndex: number(10),
    tx: text(11),
    chain: text(12),
    partition: Number(row[13]),
    offset: offset(Number(row[14])),
    logTime: epochMs(Number(row[15])),
  }
}

/// Without trailing zeros: `1.500000` is `1.5`, `2.000` is `2`.
function plainDecimal(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
