/// The accepted swaps of one token in a stretch of event time, block by block, oldest first: what everything is computed
/// from that the configured windows do not hold.
///
/// A scan shows one state of the machine, that of its beginning, however much is rolled between its steps: rows in
/// memory are copied at the beginning (a token's are few), and of blocks on disk it remembers how many parts they had.

import type { Ledger } from '../ledger.js'
import { Block } from '../rows/block.js'
import { chainOrder } from '../slices/block-runs.js'
import { copyToken } from '../slices/slices.js'

/// Takes rows of the token, in chain order: order[0], order[1], … of `rows`, which are used again. `begin` is the
/// relative tick of slot 0.
export type VisitRows = (rows: Block, order: readonly number[], begin: number) => void

interface ScannedBlock {
  readonly index: number
  readonly begin: number
  /// Parts on disk.
  readonly parts: number
  /// Rows that are in memory only.
  readonly inMemory: Block | null
}

export class TokenScan {
  readonly #ledger: Ledger
  readonly #token: number
  readonly #after: number
  readonly #to: number
  readonly #blocks: ScannedBlock[] = []
  readonly #rows = new Block(64)
  #next = 0

  /// The swaps with after < tick ≤ to, in relative ticks.
  constructor(ledger: Ledger, token: number, after: number, to: number) {
    this.#ledger = ledger
    this.#token = token
    this.#after = after
    this.#to = to
    const { slices } = ledger
    const { tokenBlocks } = slices
    const last = slices.blockOf(to)
    let node = to > after ? tokenBlocks.from(token, slices.blockOf(after + 1)) : -1
    for (; node >= 0 && tokenBlocks.blockOf(node) <= last; node = tokenBlocks.next(node)) {
      const entry = slices.get(tokenBlocks.blockOf(node))
      if (entry === undefined) continue
      const inMemory = entry.rows === null ? null : new Block(16)
      if (inMemory !== null) copyToken(entry.rows, token, inMemory)
      const parts = entry.onDisk ? ledger.parts.piecesOf(entry.index).length : 0
      this.#blocks.push({ index: entry.index, begin: entry.begin, parts, inMemory })
    }
  }

  /// How many blocks there are to read.
  get blocks(): number {
    return this.#blocks.length
  }

  /// Reads the next block. `done` when all have been; `expired` when one has left the retention since the beginning, and
  /// with it perhaps names: what the scan has found is then of no use.
  step(visit: VisitRows): 'more' | 'done' | 'expired' {
    const oldest = this.#blocks[0]
    if (oldest !== undefined && this.#ledger.slices.get(oldest.index) === undefined) return 'expired'
    const block = this.#blocks[this.#next++]
    if (block === undefined) return 'done'
    const rows = this.#rows
    rows.clear()
    this.#ledger.parts.readToken(block.index, this.#token, block.parts, found => rows.copyRows(found))
    if (block.inMemory !== null) rows.copyRows(block.inMemory)
    const order = chainOrder(rows) ?? this.#orderWithIds(block, rows)
    const from = this.#after - block.begin
    const to = this.#to - block.begin
    const inside = order.filter(row => (rows.slot[row] as number) > from && (rows.slot[row] as number) <= to)
    if (inside.length > 0) visit(rows, inside, block.begin)
    return 'more'
  }

  /// Fingerprints decide: never on a chain, but then exactly.
  #orderWithIds({ index, parts, inMemory }: ScannedBlock, rows: Block): readonly number[] {
    rows.clear()
    this.#ledger.parts.readWithIds(index, parts, token => token === this.#token, rows)
    if (inMemory !== null) rows.copyRows(inMemory)
    return chainOrder(rows) ?? []
  }
}
