/// Per token, the blocks in which it has swaps, in order: the coarse half of "which is the token's next swap
/// after this slice" (the fine half are the cell links inside a block, see block.ts).
///
/// A node is a (token, block); nodes live in columns and are reused. Each token has a sorted list of its nodes:
/// appending at the end and dropping at the front cost O(1), a late swap that opens a new block in the middle
/// costs a binary search and a short move.

import { invariant } from '../invariant.js'
import { grownFloat64, grownInt32 } from './columns.js'

/// No priced swap in the block: later than every tick.
export const NO_TICK = 0x7fff_ffff

interface List {
  nodes: number[]
  /// Nodes before it have been dropped.
  head: number
}

/// A node's record, one cache line.
const NODE = 8
const BLOCK = 0
const FIRST_MS = 1
const PRICED_TICK = 2
const PRICED_PRICE = 3
const NEXT = 4
const FIRST_CELL = 5
const LAST_CELL = 6

export class TokenBlocks {
  #records = new Float64Array(256 * NODE)
  #used = 0
  #free: number[] = []
  #lists: List[] = []
  /// The newest node by token, or -1: what nearly every arrival asks for.
  #newest = new Int32Array(64).fill(-1)

  blockOf(node: number): number {
    return this.#records[node * NODE + BLOCK] as number
  }

  /// Event time of the token's first swap in the block.
  firstMs(node: number): number {
    return this.#records[node * NODE + FIRST_MS] as number
  }

  noteFirst(node: number, timeMs: number): void {
    const at = node * NODE + FIRST_MS
    if (timeMs < (this.#records[at] as number)) this.#records[at] = timeMs
  }

  /// Relative tick of the token's first swap of known price in the block (chain order); NO_TICK without one.
  pricedTick(node: number): number {
    return this.#records[node * NODE + PRICED_TICK] as number
  }

  pricedPrice(node: number): number {
    return this.#records[node * NODE + PRICED_PRICE] as number
  }

  setPriced(node: number, relativeTick: number, price: number): void {
    this.#records[node * NODE + PRICED_TICK] = relativeTick
    this.#records[node * NODE + PRICED_PRICE] = price
  }

  /// The token's next node, or -1: where a cursor goes on when a block has no further swap of the token.
  next(node: number): number {
    return this.#records[node * NODE + NEXT] as number
  }

  /// First row of the token's first and last cell in the block, -1 while the block is not complete in memory.
  firstCell(node: number): number {
    return this.#records[node * NODE + FIRST_CELL] as number
  }

  lastCell(node: number): number {
    return this.#records[node * NODE + LAST_CELL] as number
  }

  setFirstCell(node: number, row: number): void {
    this.#records[node * NODE + FIRST_CELL] = row
  }

  setLastCell(node: number, row: number): void {
    this.#records[node * NODE + LAST_CELL] = row
  }

  /// The node of (token, block), or -1.
  find(token: number, block: number): number {
    const list = this.#lists[token]
    if (list === undefined) return -1
    const at = this.#position(list, block)
    const node = list.nodes[at]
    return node !== undefined && this.blockOf(node) === block ? node : -1
  }

  /// The token's newest node, or -1.
  last(token: number): number {
    return token < this.#newest.length ? (this.#newest[token] as number) : -1
  }

  /// Makes the node of (token, block), which must not exist.
  add(token: number, block: number): number {
    const node = this.#allocate(block)
    let list = this.#lists[token]
    if (list === undefined) {
      list = { nodes: [], head: 0 }
      this.#lists[token] = list
    }
    const { nodes } = list
    const at = this.#isAfterAll(list, block) ? nodes.length : this.#position(list, block)
    const before = at > list.head ? (nodes[at - 1] as number) : -1
    this.#records[node * NODE + NEXT] = nodes[at] ?? -1
    if (before >= 0) this.#records[before * NODE + NEXT] = node
    if (at === nodes.length) {
      nodes.push(node)
      this.#noteNewest(token, node)
    } else nodes.splice(at, 0, node)
    return node
  }

  /// The first node after this one with a priced swap, or -1.
  nextPriced(node: number): number {
    let next = this.next(node)
    while (next >= 0 && this.pricedTick(next) === NO_TICK) next = this.next(next)
    return next
  }

  /// Drops the token's node of the block, if it has one. Blocks are dropped oldest first.
  drop(token: number, block: number): void {
    const list = this.#lists[token]
    if (list === undefined) return
    const node = list.nodes[list.head]
    if (node === undefined || this.blockOf(node) !== block) return
    this.#free.push(node)
    list.head++
    if (list.head === list.nodes.length) {
      list.nodes.length = 0
      list.head = 0
      this.#newest[token] = -1
    } else if (list.head > 32 && list.head * 2 > list.nodes.length) {
      list.nodes.splice(0, list.head)
      list.head = 0
    }
  }

  /// Forgets a token that is freed; its blocks have been dropped.
  forget(token: number): void {
    const list = this.#lists[token]
    if (list === undefined) return
    invariant(list.head === list.nodes.length, 'a freed token has no blocks')
    list.nodes.length = 0
    list.head = 0
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

  #allocate(block: number): number {
    const node = this.#free.pop() ?? this.#used++
    const at = node * NODE
    if (at >= this.#records.length) this.#records = grownFloat64(this.#records, at + NODE)
    const records = this.#records
    records[at + BLOCK] = block
    records[at + FIRST_MS] = Number.POSITIVE_INFINITY
    records[at + PRICED_TICK] = NO_TICK
    records[at + PRICED_PRICE] = Number.NaN
    records[at + NEXT] = -1
    records[at + FIRST_CELL] = -1
    records[at + LAST_CELL] = -1
    return node
  }
}
