/// Which partitions of the trade log this process rolls, where several share them.
///
/// Contract, for every adapter:
/// - Every partition is assigned to one of the processes that take part, and moves when one joins, leaves or dies. While it
///   moves, and while a process is taken for dead, two may hold it: whoever holds a partition must do no harm then.
/// - `assigned` gets the whole assignment whenever it changes, from `join` until `leave` on. A process that was taken for
///   dead and is not gets an empty one, and then joins again.
/// - `leave` resolves when the others know, or when nobody can be told.

export interface PartitionGroup {
  join(assigned: (partitions: readonly number[]) => void): void
  leave(): Promise<void>
  /// Whether there is anybody else to take over. False where nobody can be asked.
  hasOthers(): Promise<boolean>
}
