/// Dead letters in memory, for tests and for runs that need no durability.

import type { DeadLetter, DeadLetters, LetterOrigin } from '../../ports/dead-letters.js'

/// Inputs are cut at this length.
export const INPUT_BYTES_MAX = 4096

const MIB = 1024 * 1024

export class MemoryDeadLetters implements DeadLetters {
  readonly #sizeBytesMax: number
  /// Highest offset of each partition that was ever stored.
  readonly #highest = new Map<string, number>()
  #letters: DeadLetter[] = []
  #bytes = 0
  #dropped = 0

  constructor(options: { readonly sizeBytesMax?: number } = {}) {
    this.#sizeBytesMax = options.sizeBytesMax ?? 16 * MIB
  }

  async append(letters: readonly DeadLetter[]): Promise<void> {
    for (const letter of letters) {
      if (!this.#isNew(letter.origin)) continue
      this.#letters.push({ ...letter, input: letter.input.slice(0, INPUT_BYTES_MAX) })
      this.#bytes += weight(letter)
    }
    if (this.#bytes > this.#sizeBytesMax) this.#dropOldest()
  }

  async *read(): AsyncGenerator<DeadLetter> {
    yield* this.#letters
  }

  counts(): { readonly stored: number; readonly dropped: number } {
    return { stored: this.#dropped + this.#letters.length, dropped: this.#dropped }
  }

  sizeBytes(): number {
    return this.#bytes
  }

  async close(): Promise<void> {}

  #isNew(origin: LetterOrigin): boolean {
    if (origin.kind === 'http') return true
    const place = placeOf(origin)
    if (origin.offset <= (this.#highest.get(place) ?? -1)) return false
    this.#highest.set(place, origin.offset)
    return true
  }

  /// Drops an eighth at once, as the embedded store drops whole files.
  #dropOldest(): void {
    const want = this.#sizeBytesMax - this.#sizeBytesMax / 8
    let dropped = 0
    for (const letter of this.#letters) {
      if (this.#bytes <= want) break
      this.#bytes -= weight(letter)
      dropped++
    }
    this.#letters = this.#letters.slice(dropped)
    this.#dropped += dropped
  }
}

/// Names the partition that the letter is about a record of.
export function placeOf(origin: Exclude<LetterOrigin, { readonly kind: 'http' }>): string {
  return origin.kind === 'log' ? String(origin.partition) : `${origin.topic} ${origin.partition}`
}

function weight({ input, reason }: DeadLetter): number {
  return Math.min(input.length, INPUT_BYTES_MAX) + reason.length + 64
}
