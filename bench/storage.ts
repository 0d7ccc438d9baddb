/// The embedded storage by itself: append latency, append and follow throughput of the trade log, deltas and parts of
/// the state. Prints a table and checksums of what was read; not a timed test.
///   node dist/bench/storage.js [DIRECTORY]
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { EmbeddedStateStore } from '../src/adapters/embedded/state-store.js'
import { EmbeddedTradeLog } from '../src/adapters/embedded/trade-log.js'
import { SystemClock } from '../src/adapters/system/clock.js'
import { epochMs, offset } from '../src/core/units.js'
import { append } from '../test/contract/append.js'

const RECORDS_PER_APPEND = 1000
const APPENDS = 1000
const RECORD = `{"id":"0x${'ab'.repeat(32)}:12","time":1790000000000,"who":"0x${'cd'.repeat(20)}","token":"BTC","side":"buy","amount":"0.015","usd":"1044.21"}\n`

const report = (what: string, value: string) => console.log(`${what.padEnd(64)} ${value.padStart(16)}`)
const mibPerSecond = (bytes: number, ms: number) => `${(bytes / 1048.576 / ms).toFixed(0)} MiB/s`

function percentile(sorted: readonly number[], p: number): string {
  return `${(sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))] ?? 0).toFixed(2)} ms`
}

async function latency(log: EmbeddedTradeLog, records: number): Promise<void> {
  const bytes = Buffer.from(RECORD.repeat(records))
  const times: number[] = []
  for (let i = 0; i < 1000; i++) {
    const before = performance.now()
    await append(log, 0, bytes, records)
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  for (const p of [50, 99])
    report(`append of ${records} records (${bytes.length} bytes), p${p}`, percentile(times, p))
}

async function throughput(log: EmbeddedTradeLog, bytes: Buffer): Promise<void> {
  const before = performance.now()
  for (let i = 0; i < APPENDS; i += 8) {
    await Promise.all(Array.from({ length: 8 }, () => append(log, 0, bytes, RECORDS_PER_APPEND)))
  }
  report(
    'append, 8 callers of 1,000 records each',
    mibPerSecond(bytes.length * APPENDS, performance.now() - before),
  )
}

async function follow(log: EmbeddedTradeLog): Promise<void> {
  const { first, end } = log.bounds(0)
  let read = 0
  let checksum = 0
  const before = performance.now()
  for await (const batch of log.follow(0, first, new AbortController().signal)) {
    read += batch.bytes.length
    checksum = crc32(batch.bytes.subarray(0, 16), checksum)
    if (batch.firstOffset + batch.count === end) break
  }
  report('follow from the beginning, checksums verified', mibPerSecond(read, performance.now() - before))
  report('  records, checksum', `${end - first} ${checksum.toString(16)}`)
}

async function state(directory: string): Promise<void> {
  const clock = new SystemClock()
  const store = new EmbeddedStateStore({ directory, partition: 0, clock })
  const payload = Buffer.alloc(100_000, 7)
  const times: number[] = []
  for (let i = 0; i < 500; i++) {
    const before = performance.now()
    await store.appendDelta({
      coversFrom: offset(i),
      coversTo: offset(i + 1),
      logTime: epochMs(i),
      maxBlock: i,
      payload,
    })
    times.push(performance.now() - before)
  }
  times.sort((a, b) => a - b)
  for (const p of [50, 99]) report(`appendDelta of 100,000 bytes, p${p}`, percentile(times, p))

  const pieces = Array.from({ length: 100 }, () => Buffer.alloc(10_000, 9))
  const head = Buffer.alloc(1000, 9)
  for (let block = 0; block < 1000; block++) {
    const segment = Math.floor(block / 100)
    await store.appendParts([{ block, segment, coversFrom: offset(0), coversTo: offset(1), head, pieces }])
  }
  await store.close()
  let before = performance.now()
  const again = new EmbeddedStateStore({ directory, partition: 0, clock })
  report('open a state of 1,000 parts, 1 GB', `${(performance.now() - before).toFixed(0)} ms`)
  before = performance.now()
  let bytes = 0
  for (const part of again.parts()) bytes += part.head().length
  report('heads of all parts, checksums verified', `${(performance.now() - before).toFixed(0)} ms`)
  before = performance.now()
  bytes = 0
  for (let block = 0; block < 1000; block++) {
    for (const part of again.readParts(block)) {
      for (let i = 0; i < part.pieces(); i++) bytes += part.piece(i).length
    }
  }
  report('pieces of 10,000 bytes, checksums verified', mibPerSecond(bytes, performance.now() - before))
  report('peak RSS', `${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
  await again.close()
}

const directory = mkdtempSync(join(process.argv[2] ?? tmpdir(), 'volumer-bench-'))
try {
  const log = new EmbeddedTradeLog({ directory: join(directory, 'log'), clock: new SystemClock() })
  await latency(log, 1)
  await latency(log, RECORDS_PER_APPEND)
  await throughput(log, Buffer.from(RECORD.repeat(RECORDS_PER_APPEND)))
  await follow(log)
  await log.close()
  await state(join(directory, 'state'))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
