/// The sizes of a token's swaps in a stretch of event time: the median, exact, in bounded memory.
///
/// Up to KEPT sizes are kept and sorted. Of more, the first pass only counts them by magnitude: then it is known between
/// which bounds the middle lies, and how many swaps lie there. Another pass keeps these, or, if they are too many still,
/// counts them in finer steps; each step divides the bounds by thousands, so three passes do for sizes up to a million
/// dollars, and sizes that are many and equal need no room.

const KEPT = 1 << 15
/// A step between magnitudes is 1/256 of a power of two.
const MANTISSA_BITS = 8
/// Of zero, then of each power of two up to 2^53.
const MAGNITUDES = (54 << MANTISSA_BITS) + 1
const STEPS = 1 << 14

const FLOAT = new DataView(new ArrayBuffer(8))

function magnitudeOf(usd: number): number {
  if (usd === 0) return 0
  FLOAT.setFloat64(0, usd)
  return (FLOAT.getUint32(0) >>> (20 - MANTISSA_BITS)) - (1023 << MANTISSA_BITS) + 1
}

/// The least size of a magnitude.
function leastOf(magnitude: number): number {
  if (magnitude === 0) return 0
  FLOAT.setUint32(0, (magnitude - 1 + (1023 << MANTISSA_BITS)) << (20 - MANTISSA_BITS))
  FLOAT.setUint32(4, 0)
  return Math.ceil(FLOAT.getFloat64(0))
}

export class TradeSizes {
  #kept: Float64Array | null = new Float64Array(256)
  #count = 0
  /// Sizes from `from` to below `to` matter; of those below there are `below`.
  #from = 0
  #to = Number.POSITIVE_INFINITY
  #below = 0
  /// Sizes between the bounds in this pass.
  #inside = 0
  /// Width of a step; 0 in the first pass: magnitudes.
  #step = 0
  #counts: Uint32Array | null = null
  /// When the two in the middle lie in different steps: the greatest below a bound, the least from it on.
  #split = Number.NaN
  #lower = 0
  #upper = Number.POSITIVE_INFINITY
  #passes = 0

  /// Micro-dollars. All of them, in each pass.
  add(usd: number): void {
    if (this.#passes === 0) this.#count++
    if (!Number.isNaN(this.#split)) {
      if (usd < this.#split) this.#lower = Math.max(this.#lower, usd)
      else this.#upper = Math.min(this.#upper, usd)
      return
    }
    if (usd < this.#from || usd >= this.#to) return
    if (this.#kept === null) this.#tally(usd)
    else this.#keep(this.#kept, usd)
    this.#inside++
  }

  /// Ends a pass. True when all sizes have to be added again.
  endPass(): boolean {
    this.#passes++
    if (this.#kept !== null || !Number.isNaN(this.#split)) return false
    const counts = this.#counts ?? new Uint32Array(0)
    let step = 0
    let below = this.#below
    const lower = (this.#count - 1) >> 1
    const upper = this.#count >> 1
    while (below + (counts[step] ?? 0) <= lower) below += counts[step++] ?? 0
    const inside = counts[step] ?? 0
    const from = this.#leastIn(step)
    const to = this.#leastIn(step + 1)
    if (below + inside <= upper) this.#split = to
    else this.#narrow(from, to, below, inside)
    return true
  }

  /// The two sizes in the middle, in micro-dollars, of which the median is the mean: one and the same when their number is
  /// odd; null without swaps. Example: of 1, 2, 4, 8 they are 2 and 4, and the median is 3. After the last pass.
  middle(): readonly [lower: number, upper: number] | null {
    if (this.#count === 0) return null
    if (!Number.isNaN(this.#split)) return [this.#lower, this.#upper]
    // One value is left.
    if (this.#to - this.#from === 1) return [this.#from, this.#from]
    const sizes = this.#kept?.subarray(0, this.#inside).sort() ?? new Float64Array(0)
    const at = (rank: number): number => sizes[rank - this.#below] as number
    return [at((this.#count - 1) >> 1), at(this.#count >> 1)]
  }

  #narrow(from: number, to: number, below: number, inside: number): void {
    this.#from = from
    this.#to = to
    this.#below = below
    this.#inside = 0
    this.#counts = null
    if (inside <= KEPT || to - from === 1) {
      // Of one value nothing need be kept.
      this.#kept = new Float64Array(to - from === 1 ? 0 : inside)
      return
    }
    this.#step = Math.ceil((to - from) / STEPS)
    this.#counts = new Uint32Array(STEPS)
  }

  #leastIn(step: number): number {
    return this.#step === 0 ? leastOf(step) : Math.min(this.#to, this.#from + step * this.#step)
  }

  #tally(usd: number): void {
    this.#counts ??= new Uint32Array(MAGNITUDES)
    const step = this.#step === 0 ? magnitudeOf(usd) : Math.floor((usd - this.#from) / this.#step)
    this.#counts[step] = (this.#counts[step] as number) + 1
  }

  #keep(kept: Float64Array, usd: number): void {
    if (this.#inside < kept.length) {
      kept[this.#inside] = usd
      return
    }
    if (this.#passes > 0) return
    if (kept.length < KEPT) {
      this.#kept = new Float64Array(Math.min(KEPT, kept.length * 2))
      this.#kept.set(kept)
      this.#kept[this.#inside] = usd
      return
    }
    this.#kept = null
    for (const size of kept) this.#tally(size)
    this.#tally(usd)
  }
}
