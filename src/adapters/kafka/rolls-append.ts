/// Appends records to topic `rolls`.

import type { Appended } from '../../ports/trade-log.js'
import type { RollsContext } from './rolls.js'
import { type RollRecord, rollRecord } from './rolls-record.js'

/// What a record says, but for what all of a process say.
export type Roll = Omit<RollRecord, 'leaderEpoch' | 'rules' | 'tradesId' | 'writer'>

/// Resolves when the record is durable. Rejects as the producer does.
export function appendRoll(context: RollsContext, roll: Roll): Promise<readonly Appended[]> {
  const { producer, topic, cluster, tradesId, writer, rules, epochs } = context
  const leaderEpoch = epochs.below(roll.partition, roll.coversTo)
  const record = rollRecord({ ...roll, tradesId, writer, rules, leaderEpoch }, cluster.clock.now())
  const append = producer.begin(1, record.value?.length ?? 0)
  append.addParts(topic, roll.partition, record)
  return append.done()
}
