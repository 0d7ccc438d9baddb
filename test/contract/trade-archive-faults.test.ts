/// What the archives do when their databases fail: full and damaged files, servers that stop, crash, hang and come back.

import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { DuckDbTradeArchive } from '../../src/adapters/duckdb/trade-archive.js'
import { DEFAULT_TIMEOUTS } from '../../src/adapters/postgres/connections.js'
import { PostgresTradeArchive } from '../../src/adapters/postgres/trade-archive.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import type { TradeArchive } from '../../src/ports/trade-archive.js'
import { randomness } from '../random/randomness.js'
import { ARCHIVE_RULES, BOUNDLESS, EVER, idsOf, minutesOf, START, swap, Writer } from './archive-writer.js'
import { PostgresServer, postgresPrograms } from './postgres-server.js'
import { scratchDirectory } from './scratch.js'
import { fillWith, smallFileSystem } from './small-file-system.js'

const MINUTE = 60_000

const openDuckDb = (directory: string) =>
  DuckDbTradeArchive.open({ directory, rules: ARCHIVE_RULES, limits: BOUNDLESS, nextTurn })

/// So many swaps, one a minute.
const swaps = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => swap(`id${first + i}`, START + ((first + i) % 600) * MINUTE))

const idsUpTo = (end: number) => Array.from({ length: end }, (_, i) => `id${i}`)

async function allIds(archive: TradeArchive): Promise<string[]> {
  const ids: string[] = []
  for await (const found of archive.scan(EVER.from, EVER.to)) ids.push(...found.map(({ id }) => id))
  return ids.sort((a, b) => Number(a.slice(2)) - Number(b.slice(2)))
}

test('DuckDB: a full file system refuses a batch, keeps what was stored, and goes on with room', async t => {
  const mount = smallFileSystem(t, '24m')
  if (mount === null) return
  const makeRoom = fillWith(mount, 14 * 2 ** 20)

  const archive = await openDuckDb(join(mount, 'archive'))
  let position = 0
  let stored = 0
  let refusals = 0
  const append = async () => {
    const writer = new Writer(archive, 0, position)
    try {
      await writer.swaps(START + 600 * MINUTE, ...swaps(stored, 500))
      position = writer.next
      stored += 500
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error, String(error))
      assert.equal(error.code, 'E_STORAGE_FULL', String(error))
      refusals++
      assert.equal((await archive.position(0))?.offset ?? 0, position, 'a refused batch moves nothing')
    }
  }
  while (refusals < 3) await append()
  const whenFull = stored
  assert.ok(whenFull > 0, 'something was stored before')
  assert.deepEqual(await allIds(archive), idsUpTo(whenFull))
  makeRoom()
  for (let i = 0; i < 4; i++) await append()
  assert.ok(stored > whenFull, `${stored} swaps after there was room, ${whenFull} before`)
  await archive.close()
  const again = await openDuckDb(join(mount, 'archive'))
  const minutes = await minutesOf(again)
  assert.equal(
    minutes.reduce((sum, { buys }) => sum + buys, 0),
    stored,
  )
  await again.close()
})

test('DuckDB: a damaged file is refused or does no harm', async t => {
  const random = randomness(t.name)
  const directory = scratchDirectory(t, 'whole')
  const archive = await openDuckDb(directory)
  const writer = new Writer(archive)
  for (let i = 0; i < 6; i++) await writer.swaps(START + 600 * MINUTE, ...swaps(i * 300, 300))
  const whole = JSON.stringify([await allIds(archive), await minutesOf(archive)])
  await archive.close()
  const outcomes = { same: 0, refused: 0 }
  for (let trial = 0; trial < 25; trial++) {
    const copy = join(directory, '..', `copy${trial}`)
    cpSync(directory, copy, { recursive: true })
    const file = join(copy, 'archive.duckdb')
    const bytes = readFileSync(file)
    if (random.below(3) === 0) writeFileSync(file, bytes.subarray(0, random.below(bytes.length)))
    else {
      const at = random.below(bytes.length)
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8))
      writeFileSync(file, bytes)
    }
    let damaged: TradeArchive | null = null
    try {
      damaged = await openDuckDb(copy)
      assert.equal(JSON.stringify([await allIds(damaged), await minutesOf(damaged)]), whole, `trial ${trial}`)
      outcomes.same++
    } catch (error) {
      assert.ok(error instanceof Error && 'code' in error, String(error))
      assert.equal(error.code, 'E_DAMAGED', String(error))
      outcomes.refused++
    }
    await damaged?.close()
    rmSync(copy, { recursive: true })
  }
  assert.ok(outcomes.refused > 0, JSON.stringify(outcomes))
})

test('DuckDB: a file of another version, or of something else, is refused', async t => {
  const directory = scratchDirectory(t, 'archive')
  const archive = await openDuckDb(directory)
  await archive.close()
  const instance = await DuckDBInstance.create(join(directory, 'archive.duckdb'))
  const connection = await instance.connect()
  await connection.run(`UPDATE archive_meta SET value = '99' WHERE key = 'version'`)
  connection.closeSync()
  instance.closeSync()
  await assert.rejects(openDuckDb(directory), { code: 'E_UNKNOWN_FORMAT' })
  writeFileSync(join(directory, 'archive.duckdb'), 'not a database '.repeat(1000))
  await assert.rejects(openDuckDb(directory), { code: 'E_DAMAGED' })
})

test('DuckDB: the size bound drops the oldest hours, and the file does not grow on', async t => {
  const directory = scratchDirectory(t, 'archive')
  const limits = { ...BOUNDLESS, tradesRetentionMs: 1000 * 60 * MINUTE, sizeBytesMax: 30 * 2 ** 20 }
  const archive = await DuckDbTradeArchive.open({ directory, rules: ARCHIVE_RULES, limits, nextTurn })
  t.after(() => archive.close())
  const writer = new Writer(archive)
  let largest = 0
  for (let hour = 0; hour < 60; hour++) {
    const now = START + hour * 60 * MINUTE
    const hourly = Array.from({ length: 2000 }, (_, i) => swap(`h${hour}:${i}:${'x'.repeat(60)}`, now + i))
    await writer.swaps(now + 2000, ...hourly)
    await archive.maintain(0, writer.logTime)
    largest = Math.max(largest, statSync(join(directory, 'archive.duckdb')).size)
  }
  const { tradesFrom, sizeBytes } = await archive.summary()
  assert.ok(tradesFrom > START, 'something was dropped')
  assert.ok(sizeBytes <= 31 * 2 ** 20, `${sizeBytes} bytes`)
  assert.ok(largest < 60 * 2 ** 20, `the file had ${largest} bytes`)
  const found = await archive.trades({ of: { token: 'BTC' }, ...EVER, limit: 10, after: null })
  assert.equal(found.length, 10)
})

const programs = postgresPrograms()
if (programs !== null) {
  const server = PostgresServer.start(programs)
  after(async () => (await server).stop('SIGQUIT'))
  const IMPATIENT = { connectMs: 1000, writeMs: 1500, readMs: 1500, scanMs: 5000 }
  const open = (url: string, timeouts = DEFAULT_TIMEOUTS) =>
    new PostgresTradeArchive({
      url,
      rules: ARCHIVE_RULES,
      limits: BOUNDLESS,
      clock: new SystemClock(),
      timeouts,
      nextTurn,
    })
  const isAway = { code: 'E_UNAVAILABLE' }

  test('PostgreSQL: a server that is away, crashes and hangs is unavailable, and is found again', async t => {
    const postgres = await server
    const archive = open(await postgres.newDatabase(), IMPATIENT)
    t.after(() => archive.close())
    await new Writer(archive).swaps(START, swap('a', START))

    await postgres.stop('SIGINT')
    await assert.rejects(archive.position(0), isAway)
    await assert.rejects(idsOf(archive), isAway)
    await assert.rejects(new Writer(archive, 0, 1).swaps(START, swap('b', START)), isAway)
    await postgres.run()
    await new Writer(archive, 0, 1).swaps(START, swap('b', START))

    await postgres.stop('SIGKILL')
    await assert.rejects(new Writer(archive, 0, 2).swaps(START, swap('c', START)), isAway)
    await postgres.run()
    await new Writer(archive, 0, 2).swaps(START, swap('c', START))

    postgres.signalAll('SIGSTOP')
    try {
      await assert.rejects(idsOf(archive), isAway)
      await assert.rejects(new Writer(archive, 0, 3).swaps(START, swap('d', START)), isAway)
    } finally {
      postgres.signalAll('SIGCONT')
    }
    // What the server did with it once it went on is in the position.
    for (;;) {
      const position = await archive.position(0)
      if (position?.offset === 4) break
      await new Writer(archive, 0, 3)
        .swaps(START, swap('d', START))
        .catch(error => assert.match(error.code, /E_UNAVAILABLE|E_POSITION_MOVED/))
    }
    assert.deepEqual(await idsOf(archive), ['d', 'c', 'b', 'a'])
  })

  test('PostgreSQL: killed at random moments, each batch is stored once', async t => {
    const random = randomness(t.name)
    const postgres = await server
    const archive = open(await postgres.newDatabase())
    t.after(() => archive.close())
    let stored = 0
    for (let round = 0; round < 5; round++) {
      const killing = pause(random.below(300)).then(() => postgres.stop('SIGKILL'))
      for (let tries = 0; tries < 40; tries++) {
        const end = stored + 50
        try {
          await new Writer(archive, 0, stored).swaps(START + 600 * MINUTE, ...swaps(stored, 50))
          stored = end
        } catch (error) {
          assert.ok(
            error instanceof Error && 'code' in error && error.code === 'E_UNAVAILABLE',
            String(error),
          )
          break
        }
      }
      await killing
      await postgres.run()
      const position = await archive.position(0)
      // The last commit may have been made though nobody was told.
      assert.ok(position === null || position.offset === stored || position.offset === stored + 50)
      stored = position?.offset ?? 0
    }
    assert.deepEqual(await allIds(archive), idsUpTo(stored))
    const minutes = await minutesOf(archive)
    assert.equal(
      minutes.reduce((sum, { buys }) => sum + buys, 0),
      stored,
    )
  })

  test('PostgreSQL: two writers of one partition store each batch once', async t => {
    const postgres = await server
    const url = await postgres.newDatabase()
    const archives = [open(url), open(url)]
    t.after(() => Promise.all(archives.map(archive => archive.close())))
    let moved = 0
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.allSettled(
        archives.map(archive =>
          new Writer(archive, 0, round * 10).swaps(START + 600 * MINUTE, ...swaps(round * 10, 10)),
        ),
      )
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue
        moved++
        assert.match(outcome.reason.code, /E_POSITION_MOVED|E_UNAVAILABLE/)
      }
      // A deadlock may have undone both.
      if (outcomes.every(({ status }) => status === 'rejected')) round--
    }
    assert.ok(moved > 0)
    const [archive] = archives
    assert.ok(archive !== undefined)
    assert.deepEqual(await allIds(archive), idsUpTo(200))
  })

  test('PostgreSQL: writers of several partitions name the same traders once, while names are dropped', async t => {
    const postgres = await server
    const url = await postgres.newDatabase()
    const archives = Array.from({ length: 3 }, () => open(url))
    t.after(() => Promise.all(archives.map(archive => archive.close())))
    await Promise.all(
      archives.map(async (archive, partition) => {
        const writer = new Writer(archive, partition)
        for (let round = 0; round < 15; round++) {
          const batch = Array.from({ length: 40 }, (_, i) =>
            swap(`${partition}:${round}:${i}`, START, {
              token: `T${partition}`,
              who: `w${(i * 7 + partition) % 40}`,
            }),
          )
          for (;;) {
            try {
              await new Writer(archive, partition, round * 40).swaps(START, ...batch)
              break
            } catch (error) {
              assert.ok(
                error instanceof Error && 'code' in error && error.code === 'E_UNAVAILABLE',
                String(error),
              )
            }
          }
          await archive.maintain(partition, writer.logTime)
        }
      }),
    )
    const [archive] = archives
    assert.ok(archive !== undefined)
    for (const partition of [0, 1, 2]) {
      assert.equal((await idsOf(archive, { token: `T${partition}` })).length, 600)
    }
    const database = new URL(url).pathname.slice(1)
    const [counted] = await postgres.query(
      database,
      'SELECT count(*), count(DISTINCT who) FROM volumer.traders',
    )
    assert.deepEqual(counted, ['40', '40'])
  })

  test('PostgreSQL: a wrong password, database or version is no passing trouble', async t => {
    const postgres = await server
    const missing = open(postgres.urlOf('there_is_none'))
    t.after(() => missing.close())
    await assert.rejects(missing.position(0), { code: 'E_SETTINGS_MISMATCH', message: /there_is_none/ })
    const url = await postgres.newDatabase()
    const archive = open(url)
    await archive.position(0)
    await archive.close()
    const database = new URL(url).pathname.slice(1)
    await postgres.query(database, `UPDATE volumer.archive_meta SET value = '99' WHERE key = 'version'`)
    const newer = open(url)
    t.after(() => newer.close())
    await assert.rejects(newer.position(0), { code: 'E_UNKNOWN_FORMAT' })
  })
}
