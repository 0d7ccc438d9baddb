/// `volumer replay` on real swaps against the oracle: the program as users run it, a child process, on the files as
/// they are and on the same swaps shuffled, sent more than once, and split over files of other formats. Every
/// statistic of every token at every instant must equal the oracle's, byte for byte.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import {
  createReadStream,
  createWriteStream,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { cleanEnvironment } from '../integration/server.js'
import { Differences } from '../simulation/difference.js'
import { Random, testSeed } from '../simulation/random.js'
import { DEFAULT_RULES, isSwap, ndjson, type RawRecord } from '../simulation/raw-swap.js'
import { ODD_TOKENS, SwapStream } from '../simulation/streams.js'
import { Oracle } from './oracle.js'
import { realSwaps } from './real-swaps.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')
const HEADER = 'id,block,time,who,token,side,amount,usd'

const folder = mkdtempSync(join(tmpdir(), 'volumer-oracle-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const seed = testSeed()
const swaps = realSwaps()
if (swaps.sample) {
  console.log(
    '*** ONLY THE SAMPLE IS CHECKED: the full files of real swaps were not found (set VOLUMER_SHARED to their folder). ***',
  )
}

for (const path of swaps.csvPaths) {
  test(`replay of ${basename(path)} equals the oracle at every instant`, async t => {
    t.diagnostic(`VOLUMER_SEED=${seed}`)
    const random = new Random(seed)
    const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'files', csvPaths: [path] })
    t.after(() => oracle.close())
    const instants = await interestingInstants(oracle, random)
    t.diagnostic(`${oracle.fates.accepted} swaps, ${instants.length} instants: ${instants.join(' ')}`)

    const expected = (tick: number) => oracle.answers(tick, Number.MAX_SAFE_INTEGER, 'any')
    await t.test('as it is', async t => t.diagnostic(await compare([path], instants, expected)))
    await t.test('shuffled, partly repeated, split over CSV, NDJSON and gzip', async t => {
      t.diagnostic(await compare(rearranged(path, random), instants, expected))
    })
  })
}

test('replay of generated swaps equals the oracle at every instant, in any order of lines', async t => {
  t.diagnostic(`VOLUMER_SEED=${seed}`)
  const random = new Random(seed)
  const stream = new SwapStream(random, {
    tokens: ODD_TOKENS,
    traders: Array.from({ length: 50 }, (_, i) => `trader ${i}`),
    startMs: 1_700_000_000_123,
    rules: DEFAULT_RULES,
    batchMost: 20,
    pauseMsMost: 60_000,
    idAlphabet: null,
    duplicateChance: 0.15,
    invalidChance: 0.01,
  })
  const records = Array.from({ length: 2000 }, () => stream.batch().records).flat()
  const batches = [{ appendTime: 0, records: withoutRivals(records) }]
  const oracle = await Oracle.open(DEFAULT_RULES, { kind: 'replayed', batches })
  t.after(() => oracle.close())
  const instants = await interestingInstants(oracle, random)
  const expected = (tick: number) => oracle.answers(tick, Number.MAX_SAFE_INTEGER, 'any')
  for (const order of ['as sent', 'shuffled']) {
    const lines = batches.flatMap(batch => batch.records)
    const ordered = order === 'shuffled' ? random.shuffled(lines) : lines
    const files = [ordered.slice(0, 5000), ordered.slice(5000)].map((part, i) => {
      const file = join(folder, `${order}-${i}.ndjson`)
      writeFileSync(file, ndjson(part))
      return file
    })
    await t.test(order, async t => t.diagnostic(await compare(files, instants, expected)))
  }
})

/// Leaves out swaps with the id and the place in the chain of one before, but other content: which of them counts is
/// not a matter of chain order.
function withoutRivals(records: readonly RawRecord[]): RawRecord[] {
  const contents = new Map<string, string>()
  return records.filter(record => {
    if (!isSwap(record)) return true
    const { id, time, block, txIndex, logIndex } = record
    const place = JSON.stringify([id, time, block, txIndex, logIndex])
    const content = JSON.stringify(record)
    if (contents.has(place)) return contents.get(place) === content
    contents.set(place, content)
    return true
  })
}

/// Ticks at which something leaves or has just left a window, at which everything is gone, and some between.
async function interestingInstants(oracle: Oracle, random: Random): Promise<number[]> {
  const first = await oracle.number('SELECT min(tick) FROM accepted')
  const last = await oracle.number('SELECT max(tick) FROM accepted')
  const day = 86_400
  const instants = new Set([first - 1, first, last, last + day - 1, last + day])
  for (const length of [60, 300, 3600, 14_400, day]) {
    const place = random.next()
    const edge = await oracle.number(`SELECT quantile_disc(tick, ${place}) FROM accepted`)
    instants.add(edge + length - 1)
    instants.add(edge + length)
  }
  return [...instants].sort((a, b) => a - b)
}

/// The same swaps in another order, one in twenty sent again, in four files of different formats.
function rearranged(path: string, random: Random): string[] {
  const [header, ...lines] = gunzipSync(readFileSync(path)).toString('utf8').trimEnd().split('\n')
  assert.equal(header, HEADER)
  const all = random.shuffled([...lines, ...lines.filter(() => random.chance(0.05))])
  const quarter = Math.ceil(all.length / 4)
  const csv = (from: number) => `${HEADER}\n${all.slice(from * quarter, (from + 1) * quarter).join('\n')}\n`
  const json = (from: number) =>
    all
      .slice(from * quarter, (from + 1) * quarter)
      .map(csvLineAsJson)
      .join('')
  const files: [string, Uint8Array][] = [
    ['0.csv', Buffer.from(csv(0))],
    ['1.csv.gz', gzipSync(csv(1))],
    ['2.ndjson', Buffer.from(json(2))],
    ['3.ndjson.gz', gzipSync(json(3))],
  ]
  return files.map(([name, bytes]) => {
    const file = join(folder, `${basename(path)}-${name}`)
    writeFileSync(file, bytes)
    return file
  })
}

function csvLineAsJson(line: string): string {
  const [id, block, time, who, token, side, amount, usd] = line.split(',')
  const given = block === '' ? {} : { block: Number(block) }
  return `${JSON.stringify({ id, time: Number(time), who, token, side, amount, usd, ...given })}\n`
}

/// Runs `volumer replay` and compares its answers with the expected ones, instant by instant.
async function compare(
  files: readonly string[],
  ticks: readonly number[],
  expected: (tick: number) => Promise<ReadonlyMap<string, string>>,
): Promise<string> {
  const output = join(folder, 'answers.ndjson')
  await replay(files, ticks, output)
  const differences = new Differences()
  const pending = new Set(ticks)
  for await (const { asOf, answers } of answersByInstant(output)) {
    const tick = asOf / DEFAULT_RULES.resolutionMs
    assert.ok(pending.delete(tick), `answers as of ${asOf}, which was not asked for, or not together`)
    differences.compareAll(asOf, answers, await expected(tick))
  }
  for (const tick of pending) differences.compareAll(tick * 1000, new Map(), await expected(tick))
  assert.equal(differences.count, 0, differences.report())
  assert.ok(differences.compared > 0, 'nothing was compared')
  return differences.report()
}

async function replay(files: readonly string[], ticks: readonly number[], output: string): Promise<void> {
  const asOf = ticks.flatMap(tick => ['--as-of', String(tick * DEFAULT_RULES.resolutionMs)])
  const child = spawn(process.execPath, [MAIN, 'replay', ...files, ...asOf, '--format', 'ndjson'], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    errors = (errors + text).slice(-4000)
  })
  const written = new Promise<void>((done, fail) => {
    child.stdout.pipe(createWriteStream(output)).on('finish', done).on('error', fail)
  })
  const code = await new Promise(done => child.on('close', done))
  await written
  assert.equal(code, 0, `volumer replay exited with ${code}:\n${errors}`)
}

/// Reads the output instant by instant; also checks that tokens come sorted and each once.
async function* answersByInstant(
  path: string,
): AsyncGenerator<{ readonly asOf: number; readonly answers: Map<string, string> }> {
  let asOf = Number.NaN
  let answers = new Map<string, string>()
  let before = ''
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    const head = /^\{"token":("(?:[^"\\]|\\.)*"),.*?"asOf":(\d+),"version":"(\d+:\d+:(\d+))"/.exec(line)
    assert.ok(head, `not an answer: ${line.slice(0, 200)}`)
    const [, token = '', time = '', version = '', tick = ''] = head
    assert.equal(Number(tick) * DEFAULT_RULES.resolutionMs, Number(time), 'the version names the instant')
    if (Number(time) !== asOf) {
      if (answers.size > 0) yield { asOf, answers }
      asOf = Number(time)
      answers = new Map()
      before = ''
    }
    const name: string = JSON.parse(token)
    assert.ok(before < name, `tokens are sorted: ${before} before ${name}`)
    before = name
    answers.set(name, line.replace(`"version":"${version}"`, '"version":"any"'))
  }
  if (answers.size > 0) yield { asOf, answers }
}
