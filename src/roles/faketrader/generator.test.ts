import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { type GeneratorOptions, SwapGenerator } from './generator.js'

const START_MS = 1_790_000_000_000
const OPTIONS: GeneratorOptions = { seed: 7, tokens: 1000, traders: 5000, duplicates: 0.05, late: 0.05 }

interface Swap {
  id: string
  time: number
  who: string
  token: string
  side: string
  amount: string
  usd: string
  block: number
  txIndex: number
  logIndex: number
}

/// `ticks` calls, 10 ms apart, of ten lines each.
function generate(
  options: GeneratorOptions,
  ticks: number,
): { text: string; rows: { now: number; swap: Swap }[] } {
  const generator = new SwapGenerator(options)
  const rows: { now: number; swap: Swap }[] = []
  let text = ''
  for (let i = 0; i < ticks; i++) {
    const now = START_MS + 10 * i
    const { bytes, size: count } = generator.next(now, 10)
    const lines = new TextDecoder().decode(bytes)
    assert.equal(count, 10)
    assert.ok(lines.endsWith('\n'))
    text += lines
    for (const line of lines.trimEnd().split('\n')) rows.push({ now, swap: JSON.parse(line) })
  }
  assert.equal(rows.length, 10 * ticks)
  return { text, rows }
}

test('the same seed and clock give the same bytes, another seed other ones', () => {
  const first = generate(OPTIONS, 500).text
  assert.equal(generate(OPTIONS, 500).text, first)
  assert.notEqual(generate({ ...OPTIONS, seed: 8 }, 500).text, first)
})

test('the bytes are the same on every Node.js and machine', () => {
  const digest = createHash('sha256').update(generate(OPTIONS, 2000).text).digest('hex')
  assert.equal(digest, '6bf6b03f0bfe2a28baabeccbb62f61bef2dc8b61f8daea3bc00d3f1a95852eb3')
})

test('every line is a whole swap in the shape of the wire', () => {
  for (const { now, swap } of generate(OPTIONS, 2000).rows) {
    assert.match(swap.id, /^0x[0-9a-f]{64}:\d+$/)
    assert.equal(swap.id.split(':')[1], String(swap.logIndex))
    assert.match(swap.who, /^0x[0-9a-f]{40}$/)
    assert.match(swap.token, /^([A-Z]{2,5}|0x[0-9a-f]{40})$/)
    assert.match(swap.side, /^(buy|sell)$/)
    assert.match(swap.amount, /^(0|[1-9]\d{0,17})\.\d{18}$/)
    assert.match(swap.usd, /^(0|[1-9]\d*)\.\d{6}$/)
    assert.ok(Number(swap.usd) > 0 && Number(swap.amount) > 0)
    assert.ok(Number.isInteger(swap.time) && swap.time <= now)
    assert.equal(swap.block, 66_000_000 + Math.floor((swap.time - START_MS) / 2000))
    assert.ok(swap.txIndex >= 0 && swap.logIndex >= 0)
  }
})

test('BTC and ETH are the two most traded, buys and sells balance, traders keep to few tokens', () => {
  const swaps = generate(OPTIONS, 5000).rows.map(row => row.swap)
  const counts = new Map<string, number>()
  const tokensOf = new Map<string, Set<string>>()
  for (const { token, who } of swaps) {
    counts.set(token, (counts.get(token) ?? 0) + 1)
    tokensOf.set(who, (tokensOf.get(who) ?? new Set()).add(token))
  }
  const ranked = [...counts].sort((a, b) => b[1] - a[1]).map(([token]) => token)
  assert.deepEqual(ranked.slice(0, 2), ['BTC', 'ETH'])
  assert.ok(counts.size > 900)
  const buys = swaps.filter(swap => swap.side === 'buy').length / swaps.length
  assert.ok(buys > 0.48 && buys < 0.53, `share of buys ${buys}`)
  const few = [...tokensOf.values()].filter(tokens => tokens.size <= 8).length / tokensOf.size
  assert.ok(few > 0.9, `share of traders with at most 8 tokens ${few}`)
})

test('the shares of duplicates and of late swaps are those asked for', () => {
  const seen = new Map<string, string>()
  let repeated = 0
  let late = 0
  const { rows } = generate({ ...OPTIONS, duplicates: 0.1, late: 0.2 }, 20_000)
  for (const { now, swap } of rows) {
    const content = JSON.stringify(swap)
    const first = seen.get(swap.id)
    if (first === undefined) {
      seen.set(swap.id, content)
      if (now - swap.time > 10) late++
    } else {
      assert.equal(content, first, 'a repetition has the content of the first')
      repeated++
    }
  }
  const duplicates = repeated / rows.length
  assert.ok(duplicates > 0.08 && duplicates < 0.11, `share of duplicates ${duplicates}`)
  const lateShare = late / seen.size
  assert.ok(lateShare > 0.18 && lateShare < 0.22, `share of late ${lateShare}`)
})

test('without duplicates and late swaps, ids are unique and chain order is the order of the lines', () => {
  const swaps = generate({ ...OPTIONS, duplicates: 0, late: 0 }, 2000).rows.map(row => row.swap)
  assert.equal(new Set(swaps.map(swap => swap.id)).size, swaps.length)
  for (let i = 1; i < swaps.length; i++) {
    const [a, b] = [swaps[i - 1], swaps[i]]
    assert.ok(a && b)
    const order = a.time - b.time || a.block - b.block || a.txIndex - b.txIndex || a.logIndex - b.logIndex
    assert.ok(order <= 0, `${JSON.stringify(a)} before ${JSON.stringify(b)}`)
  }
})

test('one token and one trader are enough', () => {
  const { rows } = generate({ ...OPTIONS, tokens: 1, traders: 1 }, 10)
  assert.deepEqual([...new Set(rows.map(row => row.swap.token))], ['BTC'])
  assert.equal(new Set(rows.map(row => row.swap.who)).size, 1)
})

test('pending repetitions are bounded when the generator outruns its clock', () => {
  const generator = new SwapGenerator({ ...OPTIONS, duplicates: 0.5 })
  const { bytes } = generator.next(START_MS, 100_000)
  const ids = new Set(new TextDecoder().decode(bytes).match(/"id":"[^"]+/g))
  assert.ok(ids.size < 65_000, `${ids.size} different ids of 100,000 lines`)
})
