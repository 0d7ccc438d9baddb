/// The bytes that the rows' ranges point into: the input's own memory as long as nothing has to be rewritten, else a
/// copy of it with room behind for what was rewritten. Positions in the input stay the same in either.

export class InputBytes {
  /// The input first, then what was put behind it.
  bytes: Uint8Array = new Uint8Array(0)
  /// The input as it came.
  original: Uint8Array = new Uint8Array(0)
  #used = 0
  #own = false

  /// Begins with an input. It is viewed, not copied.
  start(input: Uint8Array): void {
    // A plain view: a Buffer has another shape, and mixed shapes would slow down every access.
    this.bytes = new Uint8Array(input.buffer, input.byteOffset, input.length)
    this.original = this.bytes
    this.#used = input.length
    this.#own = false
  }

  /// Makes `bytes` a copy that may be changed.
  own(): void {
    if (this.#own) return
    // What is put behind was read from the input and is never longer there, so twice its length always suffices.
    const copy = new Uint8Array(2 * this.original.length)
    copy.set(this.bytes)
    this.bytes = copy
    this.#own = true
  }

  /// Where the next rewritten text goes; `bytes` must be owned.
  get tail(): number {
    return this.#used
  }

  /// Keeps what was written between the tail and `end`.
  keep(end: number): void {
    this.#used = end
  }
}
