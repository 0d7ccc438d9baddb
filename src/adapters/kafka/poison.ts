/// Records of our own topics that are none of ours: somebody else wrote them. Each is skipped and becomes a dead letter.

import type { Offset } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import type { DeadLetter } from '../../ports/dead-letters.js'

export interface TopicPoison {
  readonly topic: string
  readonly partition: number
  readonly offset: Offset
  readonly reason: string
  readonly input: Uint8Array
}

const INPUT_BYTES_MAX = 4096

export function letterOfPoison(
  { topic, partition, offset, reason, input }: TopicPoison,
  clock: Clock,
): DeadLetter {
  return {
    fate: 'invalid',
    field: null,
    reason,
    time: clock.now(),
    origin: { kind: 'topic', topic, partition, offset },
    input: input.slice(0, INPUT_BYTES_MAX),
  }
}
