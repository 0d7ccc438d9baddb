/// A seeded generator (mulberry32): the same seed gives the same stream on every machine.

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /// Uniform in [0, 1).
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /// Uniform integer, 0 ≤ result < bound.
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  /// Uniform integer, both ends included.
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('pick from an empty list')
    return item
  }

  /// A shuffled copy.
  shuffled<Item>(items: readonly Item[]): Item[] {
    const keyed = items.map(item => ({ item, key: this.next() }))
    return keyed.sort((a, b) => a.key - b.key).map(entry => entry.item)
  }
}

/// The seed of a random test: VOLUMER_SEED, else a new one. Printed by the test, so that a failure can be replayed.
export function testSeed(): number {
  const given = process.env.VOLUMER_SEED
  if (given === undefined || given === '') return Math.floor(Math.random() * 2 ** 32)
  const seed = Number(given)
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new Error(`VOLUMER_SEED must be a whole number, got ${given}`)
  return seed
}
