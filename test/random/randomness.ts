/// Seeded randomness of this folder's tests: a seed that is printed, and taken from VOLUMER_SEED to replay.

export interface Random {
  readonly seed: number
  /// An integer of 0 … bound − 1, bound ≤ 2^53.
  below(bound: number): number
  pick<T>(values: readonly [T, ...T[]]): T
}

/// mulberry32: small and good enough to choose test cases.
export function seeded(seed: number): Random {
  let state = seed | 0
  const next = () => {
    state = (state + 0x6d2b_79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
  const below = (bound: number) => Math.floor(((next() * 2 ** 21 + (next() >>> 11)) / 2 ** 53) * bound)
  return {
    seed,
    below,
    pick: values => values[below(values.length)] ?? values[0],
  }
}

/// Prints the seed under the test's name.
export function randomness(name: string): Random {
  const given = process.env.VOLUMER_SEED
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given)
  console.log(`${name}: VOLUMER_SEED=${seed}`)
  return seeded(seed)
}

/// How much longer than usual a property test runs, from VOLUMER_FUZZ_SECONDS.
export function fuzzSeconds(): number {
  return Number(process.env.VOLUMER_FUZZ_SECONDS ?? 0)
}
