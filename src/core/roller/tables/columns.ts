/// Growing typed arrays: a copy with room for at least `needed` elements, at least twice as long.

const grownLength = (length: number, needed: number): number => Math.max(needed, length * 2, 16)

export function grownFloat64(column: Float64Array, needed: number): Float64Array<ArrayBuffer> {
  const grown = new Float64Array(grownLength(column.length, needed))
  grown.set(column)
  return grown
}

export function grownInt32(column: Int32Array, needed: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(grownLength(column.length, needed))
  grown.set(column)
  return grown
}

export function grownUint32(column: Uint32Array, needed: number): Uint32Array<ArrayBuffer> {
  const grown = new Uint32Array(grownLength(column.length, needed))
  grown.set(column)
  return grown
}

export function grownUint8(column: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(grownLength(column.length, needed))
  grown.set(column)
  return grown
}
