/// Writes a state that was rebuilt elsewhere to its partition of topic `rolls`, where it takes the place of the one that is there:
///
///   began   from here on records of the former state are void, and a roller that opens the partition refuses to
///   gap     where the archive lacks what windows reach back to
///   parts   of the blocks that left the hot range, as one stream of bytes (rolls-parts.ts)
///   deltas  as a roller writes them
///   ended   the state is whole
///
/// All of them but the first say which state they are of, by the offset of the first; so what a former roller, or a former backfill that was
/// taken for dead, goes on to write is void, too.

import { deleteRecordsV2 } from '@platformatic/kafka'
import { invariant } from '../../core/invariant.js'
import { type EpochMs, type Offset, offset } from '../../core/units.js'
import { UnfinishedStateError } from '../../ports/errors.js'
import type { StateStore } from '../../ports/state-store.js'
import { Code } from './codes.js'
import { type BrokerConnection, KafkaFault } from './connection.js'
import { lookUpBounds } from './offsets.js'
import type { RollsContext } from './rolls.js'
import { appendRoll, type Roll } from './rolls-append.js'
import { RollsFold } from './rolls-fold.js'
import { piecesOf } from './rolls-parts.js'
import { RollsReader } from './rolls-reader.js'

/// Below a broker's default limit of a batch.
const PIECE_BYTES = 900_000
/// That are not confirmed yet.
const UNDER_WAY_BYTES_MAX = 16 * 1024 * 1024
const DELETE_MS_MAX = 30_000
const NO_BYTES = new Uint8Array(0)

export interface RebuiltEnd {
  /// Offsets of the trade log below it are covered.
  readonly position: Offset
  readonly logTime: EpochMs
  /// Of how many partitions all have carried their swaps (ports/state-store.ts); 0: not known.
  readonly spread: number
  /// Until then windows reach back to swaps that are not in it; null where they do not.
  readonly incompleteUntil: EpochMs | null
}

export class RebuiltState {
  readonly #context: RollsContext
  readonly #partition: number
  readonly #store: StateStore
  readonly #end: RebuiltEnd
  /// 1 and the offset of the record that began it; 0 before that.
  #state = 0
  #partsBytes = 0

  /// `store` has it: parts, and deltas up to the end.
  constructor(context: RollsContext, partition: number, store: StateStore, end: RebuiltEnd) {
    this.#context = context
    this.#partition = partition
    this.#store = store
    this.#end = end
  }

  /// From now on the former state is void.
  async begin(): Promise<void> {
    const { position } = this.#end
    invariant(this.#store.position() === position, 'a state is whole before it is written')
    const [first] = this.#store.deltas()
    this.#state = await this.#append({ kind: 'began', coversFrom: first?.coversFrom ?? position })
  }

  /// All but that it is whole. `progress` gets 0 … 1.
  async write(progress: (share: number) => void): Promise<void> {
    const window = new Window()
    const total = Math.max(1, this.#store.sizeBytes())
    let written = 0
    const add = async (roll: Partial<Roll> & Pick<Roll, 'kind' | 'payload'>): Promise<void> => {
      await window.room(roll.payload.length)
      window.add(this.#append(roll), roll.payload.length)
      written += roll.payload.length
      progress(Math.min(1, written / total))
    }
    const { incompleteUntil, position } = this.#end
    if (incompleteUntil !== null && position > 0) {
      await add({ kind: 'gap', coversFrom: offset(0), logTime: incompleteUntil, payload: NO_BYTES })
    }
    for (const { at, bytes: payload } of piecesOf(this.#store.parts(), PIECE_BYTES)) {
      this.#partsBytes = at + payload.length
      await add({ kind: 'parts', coversFrom: offset(at), coversTo: offset(this.#partsBytes), payload })
    }
    for (const delta of this.#store.deltas()) await add({ kind: 'delta', ...delta })
    await window.empty()
  }

  /// The state is whole.
  async end(): Promise<void> {
    await this.#append({ kind: 'ended', coversFrom: offset(this.#partsBytes) })
  }

  /// Reads what was written as whoever opens the partition does. Rejects with UnfinishedStateError where it is not whole: somebody else has
  /// begun another one, or a record is damaged.
  async verify(progress: (share: number) => void): Promise<void> {
    const { cluster, topic } = this.#context
    const first = this.#state - 1
    const bounds = (await lookUpBounds(cluster, topic, [this.#partition])).get(this.#partition)
    const end = bounds?.end ?? this.#state
    const fold = new RollsFold({ position: 0, state: 0, first, from: first })
    const reader = new RollsReader(this.#context, this.#partition)
    for await (const { roll, next } of reader.follow(first, cluster.signal, end)) {
      if (fold.enter(roll, next - 1) === 'void') continue
      if (roll.kind === 'parts') fold.takesParts(roll)
      else if (roll.kind === 'delta') fold.judge(roll)
      else if (roll.kind === 'ended') fold.end(roll)
      progress((next - first) / (end - first))
    }
    if (fold.state === this.#state && !fold.isUnfinished && fold.damage === null) return
    const where = `The state that was written to partition ${this.#partition} of topic ${topic}`
    throw new UnfinishedStateError(
      fold.state === this.#state
        ? `${where} lacks ${fold.damage ?? 'its end'}. Run \`volumer backfill\` again.`
        : `${where} is void, since another \`volumer backfill\` has begun to write it anew. Run one at a time, to its end.`,
    )
  }

  /// Drops the records of former states, which nobody needs. False where Kafka refuses that: they go with the topic's retention.
  async dropFormer(): Promise<boolean> {
    const { cluster, topic } = this.#context
    const leader = cluster.leader(topic, this.#partition)
    if (leader === null) return false
    let connection: BrokerConnection | null = null
    try {
      connection = await cluster.connect(leader.node)
      const partitions = [{ partitionIndex: this.#partition, offset: BigInt(this.#state - 1) }]
      const { topics } = await connection.call(
        deleteRecordsV2.api,
        [{ name: topic, partitions }],
        DELETE_MS_MAX,
      )
      return topics.flatMap(one => one.partitions).every(({ errorCode }) => errorCode === Code.none)
    } catch (error) {
      if (error instanceof KafkaFault) return false
      throw error
    } finally {
      await connection?.close()
    }
  }

  /// Resolves with the offset behind the record.
  async #append(roll: Partial<Roll> & Pick<Roll, 'kind'>): Promise<number> {
    const { position, logTime, spread } = this.#end
    const [appended] = await appendRoll(this.#context, {
      ...{ coversFrom: position, coversTo: position, logTime, maxBlock: -1, payload: NO_BYTES },
      ...{ partition: this.#partition, state: this.#state, spread },
      ...roll,
    })
    invariant(appended !== undefined, 'what was appended is somewhere')
    return appended.end
  }
}

/// Appends that are under way, up to a bound of bytes.
class Window {
  readonly #appends: { readonly done: Promise<unknown>; readonly bytes: number }[] = []
  #bytes = 0

  add(done: Promise<unknown>, bytes: number): void {
    // It is waited for later.
    done.catch(() => {})
    this.#appends.push({ done, bytes })
    this.#bytes += bytes
  }

  /// Resolves when so many bytes may be added. Rejects with what became of an append.
  async room(bytes: number): Promise<void> {
    while (this.#appends.length > 0 && this.#bytes + bytes > UNDER_WAY_BYTES_MAX) await this.#oldest()
  }

  async empty(): Promise<void> {
    while (this.#appends.length > 0) await this.#oldest()
  }

  async #oldest(): Promise<void> {
    const oldest = this.#appends.shift()
    this.#bytes -= oldest?.bytes ?? 0
    await oldest?.done
  }
}
