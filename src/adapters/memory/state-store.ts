/// The state store in memory: what the embedded one keeps on disk, for tests and for runs that need no durability.

import { invariant } from '../../core/invariant.js'
import { type Offset, offset } from '../../core/units.js'
import type { Delta, DeltaHeader, SlicePart, StateStore, StoredPart } from '../../ports/state-store.js'

export class MemoryStateStore implements StateStore {
  #deltas: Delta[] = []
  #parts: SlicePart[] = []
  #position = offset(0)

  position(): Offset {
    return this.#position
  }

  parts(): Iterable<StoredPart> {
    return this.#parts.map(readable)
  }

  deltas(): Iterable<Delta> {
    return [...this.#deltas]
  }

  readParts(block: number): readonly StoredPart[] {
    return this.#parts.filter(part => part.block === block).map(readable)
  }

  async appendDelta(delta: Delta): Promise<void> {
    if (!addsTo(delta, this.#position)) return
    this.#deltas.push(delta)
    this.#position = delta.coversTo
  }

  async appendParts(parts: readonly SlicePart[]): Promise<void> {
    checkParts(parts, this.#parts.at(-1)?.segment ?? Number.NEGATIVE_INFINITY)
    this.#parts.push(...parts)
  }

  async forget({ partsBelowBlock, deltas }: Parameters<StateStore['forget']>[0]): Promise<void> {
    const highest = new Map<number, number>()
    for (const { segment, block } of this.#parts) {
      highest.set(segment, Math.max(highest.get(segment) ?? block, block))
    }
    this.#parts = this.#parts.filter(({ segment }) => (highest.get(segment) ?? 0) >= partsBelowBlock)
    const kept = this.#deltas.findIndex(
      delta =>
        delta.coversTo > deltas.coveredBelow ||
        delta.logTime >= deltas.logTimeBefore ||
        delta.maxBlock >= deltas.blockBelow,
    )
    this.#deltas = kept === -1 ? [] : this.#deltas.slice(kept)
  }

  sizeBytes(): number {
    const deltas = this.#deltas.reduce((sum, { payload }) => sum + payload.length, 0)
    return this.#parts.reduce((sum, part) => sum + partBytes(part), deltas)
  }

  async close(): Promise<void> {}
}

function readable({ head, pieces, ...header }: SlicePart): StoredPart {
  return {
    ...header,
    head: () => head,
    pieces: () => pieces.length,
    piece: index => {
      const piece = pieces[index]
      invariant(piece !== undefined, `a part of ${pieces.length} pieces is not asked for piece ${index}`)
      return piece
    },
  }
}

export function partBytes({ head, pieces }: SlicePart): number {
  return pieces.reduce((sum, piece) => sum + piece.length, head.length)
}

/// Whether the delta covers anything beyond the position. Refuses one that would leave offsets out.
export function addsTo({ coversFrom, coversTo }: DeltaHeader, position: number): boolean {
  invariant(coversTo >= coversFrom, 'a delta does not end before it begins')
  invariant(
    position === 0 || coversFrom <= position,
    `a delta begins at ${coversFrom}, and offsets are covered only below ${position}`,
  )
  return coversTo > position
}

/// Refuses parts whose segments do not ascend from `lastSegment` on.
export function checkParts(parts: readonly SlicePart[], lastSegment: number): void {
  let last = lastSegment
  for (const { segment } of parts) {
    invariant(segment >= last, `segments of parts ascend: ${segment} comes after ${last}`)
    last = segment
  }
}
