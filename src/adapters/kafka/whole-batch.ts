/// What the broker hands out must be what it took.

import { DamagedError } from '../../ports/errors.js'
import { isWhole, type RecordBatch } from './record-batch.js'

/// Throws DamagedError when the batch fails its checksum.
export function checkWhole(topic: string, partition: number, batch: RecordBatch): void {
  if (isWhole(batch)) return
  throw new DamagedError(
    `Partition ${partition} of topic ${topic}: the record batch at offsets ${batch.baseOffset} to ${batch.endOffset - 1} fails its checksum.`,
    'Start again: the network or a broker may have changed it on its way. If it comes back, the leader’s disk is damaged: move the partition to another replica.',
  )
}
