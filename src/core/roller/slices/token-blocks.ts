/// Per token, the blocks in which it has swaps, in order: the coarse half of "which is the token's next swap after
/// this slice" (the fine half are the cells of a block, see cells.ts).
///
/// A node is a (token, block). There are millions of them, so they lie in pages, which never move, and are reused. Each
/// token has a sorted list of its nodes: appending at the end costs O(1), a late swap that opens a new block in the
/// middle costs a binary search and a short move. Nodes of blocks that are gone are dropped from the front by `trim`.

import { grownInt32 } from '../tables/columns.js'

/// No priced swap in the block.
const NO_SLOT = -1

interface List {
  nodes: number[]
  /// Nodes before it have been dropped.
  head: number
}

/// A node's record in binary64 values: half a cache line. Its last value is two integers.
const NODE = 4
const PRICE = 0
const BLOCK = 1
const FIRST_MS = 2
/// In 32-bit integers.
const INTS = 8
const NEXT = 6
const PRICED_SLOT = 7
const PAGE_BITS = 12
const PAGE_NODES = 1 << PAGE_BITS
const PAGE_MASK = PAGE_NODES - 1

export class TokenBlocks {
  readonly #pages: Float64Array[] = []
  readonly #intPages: Int32Array[] = []
  #used = 0
  readonly #free: number[] = []
  readonly #lists: List[] = []
  /// The newest node by token, or -1: what nearly every arrival asks for.
  #newest = new Int32Array(64).fill(-1)

  blockOf(node: number): number {
    return this.#page(node)[(node & PAGE_MASK) * NODE + BLOCK] as number
  }

  /// Event time of the token's first swap in the block.
  firstMs(node: number): number {
    return this.#page(node)[(node & PAGE_MASK) * NODE + FIRST_MS] as number
  }

  noteFirst(node: number, timeMs: number): void {
    const page = this.#page(node)
    const at = (node & PAGE_MASK) * NODE + FIRST_MS
    if (timeMs < (page[at] as number)) page[at] = timeMs
  }

  /// Slice within the block of the token's first swap of known price in chain order; -1 without one.
  pricedSlot(node: number): number {
    return this.#ints(node)[(node & PAGE_MASK) * INTS + PRICED_SLOT] as number
  }

  /// Its price.
  pricedPrice(node: number): number {
    return this.#page(node)[(node & PAGE_MASK) * NODE + PRICE] as number
  }

  /// Tells the price of the first priced swap of a slice; slices after the one that is known do not matter.
  notePriced(node: number, slot: number, price: number): void {
    const ints = this.#ints(node)
    const at = (node & PAGE_MASK) * INTS + PRICED_SLOT
    const known = ints[at] as number
    if (known !== NO_SLOT && known < slot) return
    ints[at] = slot
    this.#page(node)[(node & PAGE_MASK) * NODE + PRICE] = price
  }

  /// The token's next node, or -1: where a cursor goes on when a block has no further swap of the token.
  next(node: number): number {
    return this.#ints(node)[(node & PAGE_MASK) * INTS + NEXT] as number
  }

  /// The node of (token, block), or -1.
  find(token: number, block: number): number {
    const node = this.from(token, block)
    return node >= 0 && this.blockOf(node) === block ? node : -1
  }

  /// The token's first node at or after the block, or -1.
  from(token: number, block: number): number {
    const list = this.#lists[token]
    if (list === undefined) return -1
    return list.nodes[this.#position(list, block)] ?? -1
  }

  /// The node of (token, block), made if it is new.
  open(token: number, block: number): number {
    const newest = token < this.#newest.length ? (this.#newest[token] as number) : -1
    if (newest < 0) return this.#add(token, block)
    const last = this.blockOf(newest)
    if (last === block) return newest
    if (last > block) {
      const known = this.find(token, block)
      if (known >= 0) return known
    }
    return this.#add(token, block)
  }

  /// Drops the token's nodes of blocks below this one.
  trim(token: number, below: number): void {
    const list = this.#lists[token]
    if (list === undefined) return
    const { nodes } = list
    while (list.head < nodes.length) {
      const node = nodes[list.head] as number
      if (this.blockOf(node) >= below) break
      this.#free.push(node)
      list.head++
    }
    if (list.head === nodes.length) {
      nodes.length = 0
      list.head = 0
      this.#newest[token] = -1
    } else if (list.head > 32 && list.head * 2 > nodes.length) {
      nodes.splice(0, list.head)
      list.head = 0
    }
  }

  /// Puts nodes that were made in descending order of blocks, all of them older than those that are there, in front:
  /// how a restart makes them (restoring.ts).
  prepend(token: number, descending: readonly number[]): void {
    if (descending.length === 0) return
    const list = this.#listOf(token)
    const nodes = [...descending].reverse()
    const rest = list.nodes.slice(list.head)
    for (const [i, node] of nodes.entries()) this.#setNext(node, nodes[i + 1] ?? rest[0] ?? -1)
    list.nodes = rest.length === 0 ? nodes : nodes.concat(rest)
    list.head = 0
    this.#noteNewest(token, list.nodes.at(-1) ?? -1)
  }

  /// A node that is in no list yet, for `prepend`.
  make(block: number): number {
    const node = this.#free.pop() ?? this.#used++
    if (node >>> PAGE_BITS === this.#pages.length) {
      const page = new Float64Array(PAGE_NODES * NODE)
      this.#pages.push(page)
      this.#intPages.push(new Int32Array(page.buffer))
    }
    const page = this.#page(node)
    const at = (node & PAGE_MASK) * NODE
    page[at + PRICE] = Number.NaN
    page[at + BLOCK] = block
    page[at + FIRST_MS] = Number.POSITIVE_INFINITY
    const ints = this.#ints(node)
    ints[(node & PAGE_MASK) * INTS + NEXT] = -1
    ints[(node & PAGE_MASK) * INTS + PRICED_SLOT] = NO_SLOT
    return node
  }

  #add(token: number, block: number): number {
    const node = this.make(block)
    const list = this.#listOf(token)
    const { nodes } = list
    const at = this.#isAfterAll(list, block) ? nodes.length : this.#position(list, block)
    this.#setNext(node, nodes[at] ?? -1)
    if (at > list.head) this.#setNext(nodes[at - 1] as number, node)
    if (at === nodes.length) {
      nodes.push(node)
      this.#noteNewest(token, node)
    } else nodes.splice(at, 0, node)
    return node
  }

  #listOf(token: number): List {
    let list = this.#lists[token]
    if (list === undefined) {
      list = { nodes: [], head: 0 }
      this.#lists[token] = list
    }
    return list
  }

  #setNext(node: number, next: number): void {
    this.#ints(node)[(node & PAGE_MASK) * INTS + NEXT] = next
  }

  #noteNewest(token: number, node: number): void {
    if (token >= this.#newest.length) {
      const newest = grownInt32(this.#newest, token + 1)
      newest.fill(-1, this.#newest.length)
      this.#newest = newest
    }
    this.#newest[token] = node
  }

  #isAfterAll(list: List, block: number): boolean {
    if (list.head === list.nodes.length) return true
    return this.blockOf(list.nodes[list.nodes.length - 1] as number) < block
  }

  /// Index of the first node of the list at or after the block.
  #position(list: List, block: number): number {
    let low = list.head
    let high = list.nodes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.blockOf(list.nodes[middle] as number) < block) low = middle + 1
      else high = middle
    }
    return low
  }

  #page(node: number): Float64Array {
    return this.#pages[node >>> PAGE_BITS] as Float64Array
  }

  #ints(node: number): Int32Array {
    return this.#intPages[node >>> PAGE_BITS] as Int32Array
  }
}
