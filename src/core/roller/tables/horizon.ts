/// The ids accepted within the last stretch of log time: a swap whose id is here is a duplicate, whatever event
/// time it carries.
///
/// Fingerprints in the order of acceptance, in pages, under a table of hashes. At 1,000 swaps a second an hour holds
/// 3.6 million; 96-bit fingerprints make the chance that two different ids of a day collide within the hour about
/// 86.4e6 × 3.6e6 / 2^96 = 4e-15.

import { invariant } from '../../invariant.js'
import { HashIndex } from './hash-index.js'

/// An entry: three words of the fingerprint, the digest of the content, and log time in milliseconds modulo 2^32; the
/// horizon is far shorter than the 49 days that this spans.
const ENTRY = 5
const DIGEST = 3
const LOG_TIME = 4
const PAGE_BITS = 14
const PAGE_ENTRIES = 1 << PAGE_BITS
/// Entries are numbered in a circle, which bounds how many there can be.
const NUMBERS = 1 << 30

export class Horizon {
  readonly #index = new HashIndex(1024)
  readonly #pages: (Int32Array | undefined)[] = []
  /// Pages that were let go, for reuse.
  readonly #spare: Int32Array[] = []
  #first = 0
  #end = 0
  /// Log time of the last id added, in full.
  #newest = 0

  get size(): number {
    return (this.#end - this.#first + NUMBERS) & (NUMBERS - 1)
  }

  /// The entry of an id, or -1.
  find(id0: number, id1: number, id2: number): number {
    const index = this.#index
    for (let entry = index.first(id0); entry >= 0; entry = index.next()) {
      const page = this.#page(entry)
      const at = (entry & (PAGE_ENTRIES - 1)) * ENTRY
      if (page[at + 1] === id1 && page[at + 2] === id2) return entry
    }
    return -1
  }

  /// As Names.glance.
  glance(id0: number): number {
    return this.#index.first(id0)
  }

  digestAt(entry: number): number {
    return this.#page(entry)[(entry & (PAGE_ENTRIES - 1)) * ENTRY + DIGEST] as number
  }

  /// Adds an id that is not here. Log times must not decrease.
  add(id0: number, id1: number, id2: number, digest: number, logTimeMs: number): void {
    const entry = this.#end
    const place = entry & (PAGE_ENTRIES - 1)
    if (place === 0) this.#beginPage(entry >>> PAGE_BITS)
    const page = this.#page(entry)
    const at = place * ENTRY
    page[at] = id0
    page[at + 1] = id1
    page[at + 2] = id2
    page[at + DIGEST] = digest
    page[at + LOG_TIME] = logTimeMs
    this.#end = (entry + 1) & (NUMBERS - 1)
    invariant(this.#end !== this.#first, 'the dedupe horizon holds fewer than 2^30 ids')
    this.#newest = logTimeMs
    this.#index.add(id0, entry)
  }

  /// Lets go of ids whose log time is `horizonMs` or more before `logTimeMs`.
  expire(logTimeMs: number, horizonMs: number): void {
    // Also when the log was idle for longer than the stored times can tell.
    const all = logTimeMs - this.#newest >= horizonMs
    const now = logTimeMs >>> 0
    let first = this.#first
    while (first !== this.#end) {
      const page = this.#page(first)
      const at = (first & (PAGE_ENTRIES - 1)) * ENTRY
      if (!all && (now - (page[at + LOG_TIME] as number)) >>> 0 < horizonMs) break
      this.#index.remove(page[at] as number, first)
      if ((first & (PAGE_ENTRIES - 1)) === PAGE_ENTRIES - 1) this.#endPage(first >>> PAGE_BITS)
      first = (first + 1) & (NUMBERS - 1)
    }
    this.#first = first
  }

  #page(entry: number): Int32Array {
    return this.#pages[entry >>> PAGE_BITS] as Int32Array
  }

  #beginPage(number: number): void {
    this.#pages[number] = this.#spare.pop() ?? new Int32Array(PAGE_ENTRIES * ENTRY)
  }

  #endPage(number: number): void {
    const page = this.#pages[number]
    this.#pages[number] = undefined
    if (page !== undefined && this.#spare.length < 2) this.#spare.push(page)
  }
}
