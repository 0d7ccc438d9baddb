/// A group whose assignment is decided beforehand: a process that rolls everything, or what the operator has said.

import type { PartitionGroup } from '../../ports/partition-group.js'

export class FixedGroup implements PartitionGroup {
  readonly #partitions: readonly number[]

  constructor(partitions: readonly number[]) {
    this.#partitions = partitions
  }

  join(assigned: (partitions: readonly number[]) => void): void {
    assigned(this.#partitions)
  }

  async leave(): Promise<void> {}

  async hasOthers(): Promise<boolean> {
    return false
  }
}
