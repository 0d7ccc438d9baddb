/// Which leader epoch the records of a partition were appended in, as far as somebody has read them.
///
/// Each leader of a partition has an epoch of its own, higher than the one before. Whoever goes on reading at an offset says
/// the epoch of the record before it, and a broker whose log has another record there says so: the log was cut back and
/// written on while nobody looked. Without it the reader would go on among other records.

/// What was read last, oldest first; a leader changes seldom.
const KEPT = 64

interface Stretch {
  readonly from: number
  readonly epoch: number
}

export class LeaderEpochs {
  readonly #stretches = new Map<number, Stretch[]>()

  /// Records from `from` on are of the epoch, as far as no higher one is noted.
  note(partition: number, from: number, epoch: number): void {
    if (epoch < 0) return
    const known = this.#stretches.get(partition) ?? []
    if (known.some(stretch => stretch.epoch === epoch && stretch.from <= from)) return
    const others = known.filter(stretch => stretch.epoch !== epoch)
    const all = [...others, { from, epoch }].sort((a, b) => a.epoch - b.epoch)
    this.#stretches.set(partition, all.slice(-KEPT))
  }

  /// The epoch of the record below `offset`; −1 where it is not known.
  below(partition: number, offset: number): number {
    return this.#stretches.get(partition)?.findLast(({ from }) => from < offset)?.epoch ?? -1
  }
}
