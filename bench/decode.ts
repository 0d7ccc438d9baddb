/// How fast JSON lines become rows: bytes → validated columns with fingerprint and price, on one core.
/// Prints a table line per run and a checksum of the rows, which depends on the input alone.
///
///   node dist/bench/decode.js [swaps]

import { JsonDecoder } from '../src/core/decode/json-decoder.js'
import type { SwapBatch } from '../src/core/swap-batch.js'
import { seeded } from '../test/random/randomness.js'

const BATCH = 1000
const RUNS = 7

/// Typical lines of about 260 bytes; the same for the same seed.
function lines(count: number): Uint8Array[] {
  const random = seeded(42)
  const hex = (length: number) => {
    let text = '0x'
    while (text.length < length + 2) text += random.below(16).toString(16)
    return text
  }
  const tokens = Array.from({ length: 500 }, () => hex(40))
  const traders = Array.from({ length: 3000 }, () => hex(40))
  const digits = (length: number) => String(random.below(10 ** length)).padStart(length, '0')
  const batches: Uint8Array[] = []
  for (let i = 0; i < count; i += BATCH) {
    let text = ''
    for (let j = 0; j < BATCH; j++) {
      const swap = {
        id: `${hex(64)}:${random.below(100)}`,
        time: 1_790_000_000_000 + i + j,
        who: traders[random.below(traders.length)],
        token: tokens[random.below(tokens.length)],
        side: random.below(2) === 0 ? 'buy' : 'sell',
        amount: `${random.below(100_000)}.${digits(9)}${digits(9)}`,
        usd: `${random.below(10_000)}.${digits(6)}`,
        block: 18_259_481 + i,
        txIndex: random.below(200),
        logIndex: random.below(400),
      }
      text += `${JSON.stringify(swap)}\n`
    }
    batches.push(new TextEncoder().encode(text))
  }
  return batches
}

/// Folds every column that decoding computes into 32 bits.
function checksum(hash: number, batch: SwapBatch): number {
  let h = hash
  for (let i = 0; i < batch.size; i++) {
    h = Math.imul(h ^ (batch.id0[i] ?? 0), 0x01000193) ^ (batch.id1[i] ?? 0) ^ (batch.id2[i] ?? 0)
    h = Math.imul(h ^ (batch.amount0[i] ?? 0), 0x01000193) ^ (batch.amount1[i] ?? 0) ^ (batch.amount2[i] ?? 0)
    h = Math.imul(h ^ (batch.usd[i] ?? 0), 0x01000193) ^ ((batch.price[i] ?? 0) * 1e6)
    h = Math.imul(h ^ (batch.side[i] ?? 0), 0x01000193) ^ (batch.timeMs[i] ?? 0) ^ (batch.logIndex[i] ?? 0)
  }
  return h
}

const count = Number(process.argv[2] ?? 200_000)
const input = lines(count)
const bytes = input.reduce((sum, batch) => sum + batch.length, 0)
const decoder = new JsonDecoder()
const swaps = input.length * BATCH
console.log(
  `decode: ${swaps} swaps of ${(bytes / swaps).toFixed(0)} bytes, batches of ${BATCH}, ${process.version}`,
)
console.log('run |   swaps/s | ns/swap | MB/s | checksum')
for (let run = 1; run <= RUNS; run++) {
  let sum = 0
  let ms = 0
  for (const batch of input) {
    const begin = performance.now()
    const result = decoder.decodeLines(batch)
    ms += performance.now() - begin
    if (result.rejects.length > 0) throw new Error(result.rejects[0]?.reason)
    sum = checksum(sum, result.batch)
  }
  const rate = (swaps / ms) * 1000
  const columns = [
    String(run).padStart(3),
    Math.round(rate).toString().padStart(9),
    (1e9 / rate).toFixed(0).padStart(7),
    ((bytes / ms) * 1e-3).toFixed(0).padStart(4),
    (sum >>> 0).toString(16).padStart(8, '0'),
  ]
  console.log(columns.join(' | '))
}
