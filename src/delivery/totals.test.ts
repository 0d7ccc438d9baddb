import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomStats } from '../../test/delivery/random-stats.js'
import { THREE_WINDOWS } from '../../test/delivery/token-stats.js'
import { Random, testSeed } from '../../test/simulation/random.js'
import { FIELDS_PER_WINDOW, Field, type TokenStats } from '../core/stats.js'
import { TokenTable } from './token-table.js'
import { TotalsTable } from './totals.js'
import { placeWindows } from './wire/metrics.js'

const WINDOWS = placeWindows(THREE_WINDOWS)

/// In plain BigInt, from all tokens at once.
function usd(tokens: readonly TokenStats[], window: number, fields: readonly [number, bigint][]): bigint {
  const at = window * FIELDS_PER_WINDOW
  return tokens
    .flatMap(({ cells }) => fields.map(([field, factor]) => BigInt(cells[at + field] ?? 0) * factor))
    .reduce((sum, part) => sum + part, 0n)
}

function decimal(micro: bigint): string {
  const digits = String(micro < 0n ? -micro : micro).padStart(7, '0')
  const text = `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '')
  return micro < 0n ? `-${text}` : text
}

test('totals are the sums of what is in the table, after any history of changes', t => {
  const seed = testSeed()
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const totals = new TotalsTable(WINDOWS)
  const table = new TokenTable([totals.change])
  for (let version = 1; version <= 2000; version++) {
    const stats = randomStats(random, `t${random.below(30)}`, version)
    table.take(random.chance(0.15) ? { ...stats, cells: null } : stats)
    if (version % 20 > 0) continue
    const tokens = [...table.values()]
    const read = totals.read()
    assert.equal(read.tokens, tokens.length)
    for (const [w, { name }] of WINDOWS.entries()) {
      const high = 10n ** 12n
      const buy = usd(tokens, w, [
        [Field.BUY_USD, 1n],
        [Field.BUY_USD_HIGH, high],
      ])
      const sell = usd(tokens, w, [
        [Field.SELL_USD, 1n],
        [Field.SELL_USD_HIGH, high],
      ])
      const trades = Number(
        usd(tokens, w, [
          [Field.BUYS, 1n],
          [Field.SELLS, 1n],
        ]),
      )
      assert.equal(read.buyVolume[name], decimal(buy))
      assert.equal(read.sellVolume[name], decimal(sell))
      assert.equal(read.volume[name], decimal(buy + sell))
      assert.equal(read.netVolume[name], decimal(buy - sell))
      assert.equal(read.txns[name]?.total, trades)
      const sum = buy + sell
      const by = BigInt(Math.max(1, trades))
      const twice = 2n * (sum % by)
      const up = twice > by || (twice === by && (sum / by) % 2n === 1n) ? 1n : 0n
      assert.equal(read.averageTrade[name], trades === 0 ? null : decimal(sum / by + up))
      const active = tokens.filter(({ cells }) => {
        const at = w * FIELDS_PER_WINDOW
        return (cells[at + Field.BUYS] ?? 0) + (cells[at + Field.SELLS] ?? 0) > 0
      })
      assert.equal(read.active[name], active.length)
    }
  }
})

test('without tokens everything is zero or unknown', () => {
  const read = new TotalsTable(WINDOWS).read(WINDOWS.slice(0, 1))
  assert.deepEqual(read, {
    asOf: null,
    tokens: 0,
    active: { m1: 0 },
    volume: { m1: '0' },
    buyVolume: { m1: '0' },
    sellVolume: { m1: '0' },
    netVolume: { m1: '0' },
    averageTrade: { m1: null },
    txns: { m1: { buys: 0, sells: 0, total: 0 } },
  })
})
