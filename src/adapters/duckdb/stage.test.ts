import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { epochMs, microUsd, offset } from '../../core/units.js'
import { UnavailableError } from '../../ports/errors.js'
import type { AdmittedSwap } from '../../ports/trade-archive.js'
import { portError } from './errors.js'
import { CREATE_STAGE, stage } from './stage.js'

function swap(at: number): AdmittedSwap {
  return {
    ...{ id: `t${at}`, time: epochMs(1000), who: 'alice', token: 'BTC', side: 'buy', amount: '1.5' },
    ...{
      usd: microUsd(2_000_000),
      price: 2,
      block: null,
      txIndex: null,
      logIndex: null,
      tx: null,
      chain: null,
    },
    ...{ offset: offset(at), logTime: epochMs(1000), fingerprint: [at, 0, 0], place: new Uint8Array(1) },
  }
}

test('DuckDB plans with the rows of one batch, however many came before', async () => {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    await connection.run(CREATE_STAGE)
    for (let batch = 0; batch < 5; batch++) {
      const swaps = Array.from({ length: 10 }, (_, i) => swap(batch * 10 + i))
      await stage(connection, swaps, async () => {})
    }
    const read = await connection.runAndReadAll(`SELECT estimated_size,
      (SELECT min(log_offset) FROM staged) FROM duckdb_tables() WHERE table_name = 'stage'`)
    assert.deepEqual(read.getRows(), [[10n, 40n]])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
})

test('a statement that finds no memory can be tried again', () => {
  const error = portError(
    new Error('Out of Memory Error: failed to pin block of size 256.0 KiB\n\nPossible solutions:'),
    'archive.duckdb',
  )
  assert.ok(error instanceof UnavailableError)
  assert.equal(
    error.message,
    'The archive archive.duckdb found no memory: Out of Memory Error: failed to pin block of size 256.0 KiB',
  )
})
