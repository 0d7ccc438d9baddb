/// Which segment of parts the next one joins. New segments begin after so many blocks: segments are dropped whole, so
/// shorter ones free disk space sooner, longer ones repeat fewer names.

const SEGMENT_BLOCKS = 64

export class Segments {
  /// 0 before the first.
  current: number
  #end = Number.NEGATIVE_INFINITY

  /// Goes on after this segment, with a new one.
  constructor(last = 0) {
    this.current = last
  }

  /// Turns to the segment of the next part, which is of this block. Returns whether it is a new one.
  turn(block: number): boolean {
    if (block < this.#end) return false
    this.current++
    this.#end = block + SEGMENT_BLOCKS
    return true
  }

  /// The next part begins a new one, whatever the current one holds.
  end(): void {
    this.#end = Number.NEGATIVE_INFINITY
  }
}
