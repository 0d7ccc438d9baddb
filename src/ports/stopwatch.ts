/// Measures how long things take. No time of day: it only ever goes forward, with fractions of a millisecond.
export interface Stopwatch {
  elapsedMs(): number
}
