/// The sizes of some swaps in ascending order, in two or three bytes each: how many are at most so large is found by looking
/// at samples and reading a few sizes after one of them.

import { ByteWriter } from '../storage/bytes.js'
import { lastAtMost } from '../tables/sorted.js'

/// Every so many sizes one is kept as it is.
export const STEP = 64
const WRITER = new ByteWriter(1 << 15)
const READ = new Float64Array(STEP)

export class SortedSizes {
  readonly #samples: Float64Array
  /// Where the differences after each sample begin.
  readonly #starts: Uint32Array
  readonly #differences: Uint8Array
  readonly size: number

  /// Of micro-dollars in ascending order.
  constructor(sorted: Float64Array) {
    this.size = sorted.length
    const samples = Math.ceil(sorted.length / STEP)
    this.#samples = new Float64Array(samples)
    this.#starts = new Uint32Array(samples)
    const out = WRITER
    out.clear()
    for (let i = 0; i < sorted.length; i++) {
      const size = sorted[i] as number
      if (i % STEP === 0) {
        this.#samples[i / STEP] = size
        this.#starts[i / STEP] = out.length
      } else out.varint(size - (sorted[i - 1] as number))
    }
    this.#differences = out.take()
  }

  get bytes(): number {
    return this.#samples.byteLength + this.#starts.byteLength + this.#differences.length
  }

  /// The same from samples alone: at most so many, and at least STEP − 1 fewer, if not none.
  countUpToMost(usd: number): number {
    return Math.min(this.size, (lastAtMost(this.#samples, usd) + 1) * STEP)
  }

  /// Writes those of above < size ≤ upTo to `into` from `at` on, where there is room for `countUpToMost(upTo) −
  /// countUpToMost(above) + STEP`. Returns where they end.
  copyBetween(above: number, upTo: number, into: Float64Array, at: number): number {
    let end = at
    const last = lastAtMost(this.#samples, upTo)
    for (let sample = Math.max(0, lastAtMost(this.#samples, above)); sample <= last; sample++) {
      const sizes = this.#read(sample)
      for (let i = 0; i < sizes; i++) {
        const size = READ[i] as number
        if (size > above && size <= upTo) into[end++] = size
      }
    }
    return end
  }

  /// How many sizes are at most so large.
  countUpTo(usd: number): number {
    const sample = lastAtMost(this.#samples, usd)
    if (sample < 0) return 0
    const sizes = this.#read(sample)
    let count = 1
    while (count < sizes && (READ[count] as number) <= usd) count++
    return sample * STEP + count
  }

  /// The least size above, or Infinity.
  leastAbove(usd: number): number {
    const sample = lastAtMost(this.#samples, usd)
    if (sample >= 0) {
      const sizes = this.#read(sample)
      for (let i = 1; i < sizes; i++) if ((READ[i] as number) > usd) return READ[i] as number
    }
    return this.#samples[sample + 1] ?? Number.POSITIVE_INFINITY
  }

  /// The greatest size; 0 without any.
  get most(): number {
    return this.size === 0 ? 0 : (READ[this.#read(this.#samples.length - 1) - 1] as number)
  }

  /// Writes all of them to `into` from `at` on.
  copyTo(into: Float64Array, at: number): void {
    for (let sample = 0; sample < this.#samples.length; sample++) {
      into.set(READ.subarray(0, this.#read(sample)), at + sample * STEP)
    }
  }

  /// Reads a sample and the sizes after it, up to the next one, into READ; returns how many.
  #read(sample: number): number {
    const bytes = this.#differences
    const sizes = Math.min(STEP, this.size - sample * STEP)
    let at = this.#starts[sample] as number
    let size = this.#samples[sample] as number
    READ[0] = size
    for (let i = 1; i < sizes; i++) {
      let byte = bytes[at++] as number
      let difference = byte & 0x7f
      for (let scale = 128; byte >= 0x80; scale *= 128) {
        byte = bytes[at++] as number
        difference += (byte & 0x7f) * scale
      }
      size += difference
      READ[i] = size
    }
    return sizes
  }
}
