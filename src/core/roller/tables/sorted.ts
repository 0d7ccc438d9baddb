/// Looking things up in sorted columns.

/// Index of the last value that is at most `value`, of values that ascend; -1 where none is. Example: of 2, 5, 5, 9 and 5 it is 2.
export function lastAtMost(sorted: Float64Array | Uint32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) <= value) low = middle + 1
    else high = middle
  }
  return low - 1
}
