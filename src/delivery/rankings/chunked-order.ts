/// Entries in an order, in chunks that are never changed once they are made: a change copies the chunk that it falls into. So
/// whoever holds an older version of the order holds it for nothing, and a change touches some hundred entries, not all
/// of them: at 100,000 tokens each is somewhere else in memory, and looking at all takes milliseconds.

import { compareEntries, type Entry } from './rank.js'
import type { Order } from './sort.js'

const CHUNK = 512
const CHUNK_MAX = 2 * CHUNK

export type Chunk = readonly Entry[]

export class ChunkedOrder {
  readonly #order: Order
  #chunks: Chunk[] = []
  #size = 0

  constructor(order: Order) {
    this.#order = order
  }

  get size(): number {
    return this.#size
  }

  /// `limit` of them from place `offset` on, or all there are.
  slice(offset: number, limit: number): Entry[] {
    const entries: Entry[] = []
    let skip = offset
    for (const chunk of this.#chunks) {
      const room = limit - entries.length
      if (room <= 0) break
      if (skip < chunk.length) for (const entry of chunk.slice(skip, skip + room)) entries.push(entry)
      skip = Math.max(0, skip - chunk.length)
    }
    return entries
  }

  /// Takes out and puts in. `gone` must be in it, `fresh` must not.
  change(gone: Iterable<Entry>, fresh: Iterable<Entry>): void {
    const copies = new Map<number, Entry[]>()
    const copyOf = (index: number): Entry[] => {
      let copy = copies.get(index)
      if (copy === undefined) {
        copy = this.#chunks[index]?.slice() ?? []
        copies.set(index, copy)
      }
      return copy
    }
    for (const entry of gone) {
      const chunk = copyOf(this.#chunkOf(entry))
      const at = chunk.indexOf(entry)
      if (at < 0) throw new Error('an entry that is taken out is in the order')
      chunk.splice(at, 1)
      this.#size--
    }
    for (const entry of fresh) {
      const chunk = copyOf(this.#chunkOf(entry))
      chunk.splice(firstAfter(chunk, entry, this.#order), 0, entry)
      this.#size++
    }
    if (copies.size > 0) this.#replace(copies)
  }

  /// The chunk that holds the entry, or would: the first whose last entry does not come before it.
  #chunkOf(entry: Entry): number {
    let from = 0
    let to = Math.max(0, this.#chunks.length - 1)
    while (from < to) {
      const middle = (from + to) >> 1
      const last = this.#chunks[middle]?.at(-1)
      if (last !== undefined && compareEntries(last, entry, this.#order) < 0) from = middle + 1
      else to = middle
    }
    return from
  }

  #replace(copies: ReadonlyMap<number, Entry[]>): void {
    const chunks: Chunk[] = []
    for (let i = 0; i < Math.max(1, this.#chunks.length); i++) {
      const chunk = copies.get(i) ?? this.#chunks[i] ?? []
      if (chunk.length <= CHUNK_MAX) {
        if (chunk.length > 0) chunks.push(chunk)
      } else for (let at = 0; at < chunk.length; at += CHUNK) chunks.push(chunk.slice(at, at + CHUNK))
    }
    // Chunks that have become small are put together when there are too many of them.
    const most = 4 * Math.ceil(this.#size / CHUNK) + 8
    this.#chunks = chunks.length <= most ? chunks : rechunked(chunks)
  }
}

function rechunked(chunks: readonly Chunk[]): Chunk[] {
  const all = chunks.flat()
  const result: Chunk[] = []
  for (let at = 0; at < all.length; at += CHUNK) result.push(all.slice(at, at + CHUNK))
  return result
}

/// The first index whose entry comes after the given one.
function firstAfter(chunk: Chunk, entry: Entry, order: Order): number {
  let from = 0
  let to = chunk.length
  while (from < to) {
    const middle = (from + to) >> 1
    const other = chunk[middle]
    if (other === undefined || compareEntries(other, entry, order) > 0) to = middle
    else from = middle + 1
  }
  return from
}
