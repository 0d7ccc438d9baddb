/// Counts observations by size, for quantiles over many processes: fixed buckets, no memory per observation.

/// Seconds: from 0.1 ms to 10 s, about three a decade.
export const LATENCY_BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

export class Histogram {
  readonly bounds: readonly number[]
  /// Of each bucket alone; the last is of what exceeds every bound.
  readonly counts: Float64Array
  sum = 0
  count = 0

  constructor(bounds: readonly number[] = LATENCY_BUCKETS) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  /// `times` observations of the same value.
  observe(value: number, times = 1): void {
    let i = 0
    while (i < this.bounds.length && value > (this.bounds[i] ?? 0)) i++
    this.counts[i] = (this.counts[i] ?? 0) + times
    this.sum += value * times
    this.count += times
  }
}
