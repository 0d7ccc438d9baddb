/// Dead letters on Kafka: topic `trades.dead`, one partition, so that letters are read in the order in which they were
/// written. The topic's retention bounds it.
///
/// Once. Rolling the same records again after a crash writes their letters again, and so does a process that does not
/// know yet that another has taken its partition. Both write a partition's letters in the order of their offsets, so the
/// reader keeps each letter of the log whose offset is above all before it, and drops the others.

import type { DeadLetter, DeadLetters, LetterOrigin } from '../../ports/dead-letters.js'
import { LogRefusedError } from '../../ports/errors.js'
import { placeOf } from '../memory/dead-letters.js'
import type { KafkaCluster } from './cluster.js'
import { Fetcher } from './fetcher.js'
import { letterRecord, readLetter } from './letter-record.js'
import { lookUpBounds } from './offsets.js'
import { KafkaProducer } from './producer.js'
import { BrokenBatchError, type RecordBatch, type RecordColumns, readRecords } from './record-batch.js'
import { checkWhole } from './whole-batch.js'

const PARTITION = 0
/// What a letter's headers take besides its texts.
const HEADER_BYTES = 256
const BUFFER_BYTES_MAX = 16 * 1024 * 1024

export interface KafkaDeadLettersOptions {
  readonly cluster: KafkaCluster
  /// Of the letters.
  readonly topic: string
  /// Of the swaps that letters are about.
  readonly tradesTopic: string
}

export class KafkaDeadLetters implements DeadLetters {
  readonly #options: KafkaDeadLettersOptions
  readonly #producer: KafkaProducer
  readonly #fetcher: Fetcher
  /// Highest offset of each partition whose letter is stored, as far as this process knows.
  readonly #highest = new Map<string, number>()
  #stored = 0

  private constructor(options: KafkaDeadLettersOptions) {
    this.#options = options
    this.#producer = new KafkaProducer({ cluster: options.cluster, bufferBytesMax: BUFFER_BYTES_MAX })
    this.#fetcher = new Fetcher(options.cluster)
  }

  /// The topic must be there (topics.ts).
  static async open(options: KafkaDeadLettersOptions): Promise<KafkaDeadLetters> {
    await options.cluster.watch(options.topic)
    return new KafkaDeadLetters(options)
  }

  async append(letters: readonly DeadLetter[]): Promise<void> {
    const highest = new Map(this.#highest)
    const fresh = letters.filter(({ origin }) => isNew(origin, highest))
    if (fresh.length === 0) return
    const { cluster, topic, tradesTopic } = this.#options
    const append = this.#producer.begin(
      fresh.length,
      fresh.reduce((sum, letter) => sum + weight(letter), 0),
    )
    const now = cluster.clock.now()
    for (const letter of fresh) append.addParts(topic, PARTITION, letterRecord(letter, tradesTopic, now))
    await append.done()
    this.#stored += fresh.length
    for (const { origin } of fresh) isNew(origin, this.#highest)
  }

  async *read(): AsyncGenerator<DeadLetter> {
    const { cluster, topic } = this.#options
    const bounds = (await lookUpBounds(cluster, topic, [PARTITION])).get(PARTITION) ?? { first: 0, end: 0 }
    if (bounds.first === bounds.end) return
    const reader = this.#fetcher.read(topic, PARTITION, bounds.first)
    const highest = new Map<string, number>()
    try {
      for (let next = bounds.first; next < bounds.end; ) {
        const fetched = await reader.read()
        if (fetched === null) {
          if (reader.fault === null) return
          throw new LogRefusedError(`Topic ${topic} cannot be read: ${reader.fault.kind}`)
        }
        next = fetched.next
        if (fetched.batch === null) continue
        checkWhole(topic, PARTITION, fetched.batch)
        yield* lettersOf(fetched.batch, this.#options.tradesTopic, highest)
      }
    } finally {
      reader.end()
    }
  }

  /// Of this process; what the topic's retention drops is not counted.
  counts(): { readonly stored: number; readonly dropped: number } {
    return { stored: this.#stored, dropped: 0 }
  }

  /// The letters lie with the brokers.
  sizeBytes(): number {
    return 0
  }

  async close(): Promise<void> {
    await this.#producer.close()
    await this.#fetcher.close()
  }
}

/// Letters of ours; what others wrote to the topic is not a letter.
function* lettersOf(
  batch: RecordBatch,
  tradesTopic: string,
  highest: Map<string, number>,
): Iterable<DeadLetter> {
  let columns: RecordColumns
  try {
    columns = readRecords(batch)
  } catch (error) {
    if (error instanceof BrokenBatchError) return
    throw error
  }
  for (let i = 0; i < columns.count; i++) {
    const letter = readLetter(columns, i, tradesTopic)
    if (letter !== null && isNew(letter.origin, highest)) yield letter
  }
}

/// Notes the origin; false when a letter of it or of a later one is there.
function isNew(origin: LetterOrigin, highest: Map<string, number>): boolean {
  if (origin.kind === 'http') return true
  const place = placeOf(origin)
  if (origin.offset <= (highest.get(place) ?? -1)) return false
  highest.set(place, origin.offset)
  return true
}

function weight({ input, reason, field }: DeadLetter): number {
  return input.length + 3 * reason.length + 3 * (field?.length ?? 0) + HEADER_BYTES
}
