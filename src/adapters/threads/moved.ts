/// Objects with columns, moved from one thread to another.

import { Block } from '../../core/roller/rows/block.js'

/// The memory that the objects' columns lie in, their lists' included. It is gone here once it was moved.
export function buffersIn(...values: readonly unknown[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>()
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) {
      if (value.buffer instanceof ArrayBuffer) buffers.add(value.buffer)
    } else if (typeof value === 'object' && value !== null)
      for (const each of Object.values(value)) visit(each)
  }
  for (const value of values) visit(value)
  return [...buffers]
}

/// A block as it arrives is its columns alone.
export function blockOf(columns: Block): Block {
  return Object.assign(new Block(0), columns)
}
