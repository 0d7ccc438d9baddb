import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Schedule } from './send.js'
import { SwapFile } from './swap-file.js'
import { type SwapLine, shifted, swapLines, timeOf } from './swap-lines.js'

async function linesOf(content: string | Uint8Array): Promise<SwapLine[]> {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-lines-'))
  try {
    const path = join(directory, 'swaps')
    writeFileSync(path, content)
    const lines: SwapLine[] = []
    for await (const line of swapLines(new SwapFile(path))) lines.push(line)
    return lines
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const HEADER = 'id,block,time,who,token,side,amount,usd'

test('CSV becomes JSON: whole numbers bare, decimals as strings, absent fields left out', async () => {
  assert.deepEqual(await linesOf(`${HEADER}\na,7,1000,w,T,buy,1.50,2\nb,,2000,w,T,sell,1,2`), [
    {
      line: 2,
      json: '{"id":"a","block":7,"time":1000,"who":"w","token":"T","side":"buy","amount":"1.50","usd":"2"}',
    },
    { line: 3, json: '{"id":"b","time":2000,"who":"w","token":"T","side":"sell","amount":"1","usd":"2"}' },
  ])
})

test('quoted fields hold commas, quotes and line breaks, and lines are counted through them', async () => {
  const lines = await linesOf(`${HEADER}\r\n"a,""b""",1,1,"w\nx",T,buy,1,2\r\n\r\nc,1,2,w,T,buy,1,2\r\n`)
  assert.deepEqual(
    lines.map(({ line, json }) => [line, JSON.parse(json).id, JSON.parse(json).who]),
    [
      [2, 'a,"b"', 'w\nx'],
      [5, 'c', 'w'],
    ],
  )
})

test('a value that is no number stays what it is, for the server to refuse', async () => {
  const [line] = await linesOf(`${HEADER}\na,x,yesterday,w,T,buy,NaN,2\n`)
  assert.deepEqual(JSON.parse(line?.json ?? ''), {
    id: 'a',
    block: 'x',
    time: 'yesterday',
    who: 'w',
    token: 'T',
    side: 'buy',
    amount: 'NaN',
    usd: '2',
  })
})

test('NDJSON passes as it is, gzipped or not, blank lines counted and left out', async () => {
  const text = '{"a":1}\n\n{"b":2}\r\n{"c":3}'
  const expected = [
    { line: 1, json: '{"a":1}' },
    { line: 3, json: '{"b":2}' },
    { line: 4, json: '{"c":3}' },
  ]
  assert.deepEqual(await linesOf(text), expected)
  assert.deepEqual(await linesOf(gzipSync(text)), expected)
})

test('a file longer than a piece is read whole', async () => {
  const swap = '{"id":"0123456789","time":1}'
  const lines = await linesOf(`${swap}\n`.repeat(40_000))
  assert.equal(lines.length, 40_000)
  assert.deepEqual(lines.at(-1), { line: 40_000, json: swap })
})

test('what is no file of swaps is refused with what is wanted', async () => {
  await assert.rejects(linesOf('[{"id":1}]'), /JSON array; wanted is one JSON document per line/)
  await assert.rejects(linesOf('id,time,who\n1,2,3\n'), /lacks token, side, amount, usd/)
  await assert.rejects(
    linesOf(gzipSync('{"a":1}\n'.repeat(100_000)).subarray(0, 200)),
    /cannot be read: unexpected end/,
  )
  assert.throws(() => new SwapFile('/no/such/file'), /cannot be read: ENOENT/)
  assert.deepEqual(await linesOf(''), [])
})

test('shifting changes the digits of the time and nothing else', () => {
  const line = { line: 1, json: '{"who":"\\"time\\":5,","usd":1.10, "time" : 1000 ,"amount":0.10}' }
  assert.equal(timeOf(line), 1000)
  assert.equal(shifted(line, 500).json, '{"who":"\\"time\\":5,","usd":1.10, "time" : 1500 ,"amount":0.10}')
  assert.equal(timeOf({ line: 1, json: '{"time":"soon"}' }), null)
})

test('swaps are due by the running maximum of their times, ÷ speed', () => {
  const schedule = new Schedule(10, 50_000)
  assert.deepEqual(
    [null, 1000, 3000, 2000, null, 11_000].map(time => schedule.at(time)),
    [50_000, 50_000, 50_200, 50_200, 50_200, 51_000],
  )
})
