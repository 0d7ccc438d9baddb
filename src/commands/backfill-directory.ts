/// The state of a data directory: the new one lies beside the one in use, and takes its place in one step.

import {
  beginPlan,
  finishBackfill,
  markReady,
  newStateDirectory,
  readPlan,
} from '../adapters/embedded/backfill-directory.js'
import { type EmbeddedStores, stateDirectory } from '../adapters/embedded/data-directory.js'
import { readFormat } from '../adapters/embedded/format-file.js'
import { type DirectoryLock, lockDirectory } from '../adapters/embedded/lock.js'
import { EmbeddedStateStore } from '../adapters/embedded/state-store.js'
import type { Config } from '../config.js'
import type { Clock } from '../ports/clock.js'
import type { StateStore } from '../ports/state-store.js'
import type { ArchivePosition } from '../ports/trade-archive.js'
import { logMismatch } from '../roles/archiver/same-log.js'
import type { BackfillPlace, Rebuilt } from './backfill-place.js'
import { openDataDirectory } from './start-stores.js'

const PARTITION = 0

export class DirectoryPlace implements BackfillPlace {
  readonly partitions = 1
  readonly #config: Config
  readonly #clock: Clock
  /// What is there, while the plan is made; null where nothing is.
  #stores: EmbeddedStores | null
  #lock: DirectoryLock | null = null

  private constructor(config: Config, clock: Clock, stores: EmbeddedStores | null) {
    this.#config = config
    this.#clock = clock
    this.#stores = stores
  }

  /// Rejects with LockedError while a server has the directory.
  static async open(config: Config, clock: Clock): Promise<DirectoryPlace> {
    const isThere = readFormat(config.data) !== null
    return new DirectoryPlace(config, clock, isThere ? await openDataDirectory(config, clock) : null)
  }

  async problemOf(partition: number, at: ArchivePosition): Promise<string | null> {
    if (this.#stores === null) return null
    const { log } = this.#stores
    const { first, end } = log.bounds(partition)
    if (at.offset < first) return betweenThem(at, first, end)
    return logMismatch(log, partition, at, new AbortController().signal)
  }

  plan(): string | null {
    return readPlan(this.#config.data)
  }

  beginPlan(_: number, plan: string): void {
    beginPlan(this.#config.data, plan)
  }

  async openStore(partition: number): Promise<StateStore> {
    const { data } = this.#config
    await this.#closeStores()
    this.#lock ??= await lockDirectory(data, this.#clock)
    return new EmbeddedStateStore({ directory: newStateDirectory(data), partition, clock: this.#clock })
  }

  async takePlace([rebuilt]: readonly Rebuilt[]): Promise<void> {
    const { data } = this.#config
    if (rebuilt === undefined) return
    const { position, logTime } = rebuilt.target
    markReady(data, { offset: position, logTime })
    if (readFormat(data) !== null) finishBackfill(data, stateDirectory(data, PARTITION))
    await this.#unlock()
    // Makes what a new directory lacks, and sees to it that it opens.
    await (await openDataDirectory(this.#config, this.#clock)).close()
  }

  async close(): Promise<void> {
    await this.#closeStores()
    await this.#unlock()
  }

  async #closeStores(): Promise<void> {
    const stores = this.#stores
    this.#stores = null
    await stores?.close()
  }

  async #unlock(): Promise<void> {
    const lock = this.#lock
    this.#lock = null
    await lock?.release()
  }
}

/// What lies between the archive's end and the log's beginning is lost.
export const betweenThem = ({ offset: at }: ArchivePosition, first: number, end: number): string =>
  `The archive ends at offset ${at}, and the trade log holds the offsets ${first} to ${end}: what is between them is in neither. ` +
  'Choose a later --to, or let a server archive first.'
