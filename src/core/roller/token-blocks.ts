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

export class TokenBlocks {
  block = new Float64Array(256)
  /// First row of the token's first and last cell in the block; meaningful while the block is complete in memory.
  firstCell = new Int32Array(256)
  lastCell = new Int32Array(256)
  /// Event time of the token's first swap in the block.
  firstMs = new Float64Array(256)
  /// Relative tick and price of its first swap of known price (chain order); NO_TICK where there is none.
  pricedTick = new Int32Array(256)
  pricedPrice = new Float64Array(256)
  /// The token's next node, or -1: where a cursor goes on when a block has no further swap of the token.
  next = new Int32Array(256)
  #used = 0
  #free: number[] = []
  #lists: List[] = []

  /// The node of (token, block), or -1.
  find(token: number, block: number): number {
    const list = this.#lists[token]
    if (list === undefined) return -1
    const at = this.#position(list, block)
    const node = list.nodes[at]
    return node !== undefined && this.block[node] === block ? node : -1
  }

  /// The token's newest node, or -1.
  last(token: number): number {
    const list = this.#lists[token]
    if (list === undefined || list.head === list.nodes.length) return -1
    return list.nodes[list.nodes.length - 1] as number
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
    this.next[node] = nodes[at] ?? -1
    if (before >= 0) this.next[before] = node
    if (at === nodes.length) nodes.push(node)
    else nodes.splice(at, 0, node)
    return node
  }

  /// The first node after this one with a priced swap, or -1.
  nextPriced(node: number): number {
    let next = this.next[node] as number
    while (next >= 0 && this.pricedTick[next] === NO_TICK) next = this.next[next] as number
    return next
  }

  /// Drops the token's node of the block, if it has one. Blocks are dropped oldest first.
  drop(token: number, block: number): void {
    const list = this.#lists[token]
    if (list === undefined) return
    const node = list.nodes[list.head]
    if (node === undefined || this.block[node] !== block) return
    this.#free.push(node)
    list.head++
    if (list.head === list.nodes.length) {
      list.nodes.length = 0
      list.head = 0
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

  #isAfterAll(list: List, block: number): boolean {
    if (list.head === list.nodes.length) return true
    return (this.block[list.nodes[list.nodes.length - 1] as number] as number) < block
  }

  /// Index of the first node of the list at or after the block.
  #position(list: List, block: number): number {
    let low = list.head
    let high = list.nodes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.block[list.nodes[middle] as number] as number) < block) low = middle + 1
      else high = middle
    }
    return low
  }

  #allocate(block: number): number {
    const node = this.#free.pop() ?? this.#used++
    if (node >= this.block.length) {
      this.block = grownFloat64(this.block, node + 1)
      this.firstCell = grownInt32(this.firstCell, node + 1)
      this.lastCell = grownInt32(this.lastCell, node + 1)
      this.firstMs = grownFloat64(this.firstMs, node + 1)
      this.pricedTick = grownInt32(this.pricedTick, node + 1)
      this.pricedPrice = grownFloat64(this.pricedPrice, node + 1)
      this.next = grownInt32(this.next, node + 1)
    }
    this.block[node] = block
    this.firstCell[node] = -1
    this.lastCell[node] = -1
    this.firstMs[node] = Number.POSITIVE_INFINITY
    this.pricedTick[node] = NO_TICK
    this.pricedPrice[node] = Number.NaN
    return node
  }
}
