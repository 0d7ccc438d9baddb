import type { StatsUpdate, TokenStats } from '../stats.js'
import type { SwapBatch } from '../swap-batch.js'
import type { EpochMs, Offset, Tick } from '../units.js'
import type { RollerConfig } from './config.js'

/// What became of a swap. Every record of the log has exactly one.
export type Fate = 'accepted' | 'duplicate' | 'late' | 'early' | 'invalid'

export interface FateCounts {
  accepted: number
  duplicate: number
  late: number
  early: number
  invalid: number
  /// Duplicates whose content differs from the first one's; they are counted in `duplicate` too.
  conflict: number
}

/// A row that was not taken and belongs in the dead letters.
export interface Rejected {
  /// Row of the batch that was applied.
  readonly row: number
  readonly fate: 'late' | 'early'
  readonly reason: string
}

export class Roller {
  readonly config: RollerConfig

  constructor(config: RollerConfig) {
    this.config = config
  }

  /// Rolls a batch of the log: `count` records from `firstOffset` on, of which `batch` holds the valid ones.
  apply(_batch: SwapBatch, _firstOffset: Offset, _count: number, _appendTime: EpochMs): readonly Rejected[] {
    throw new Error('not built yet')
  }

  /// Moves view time; earlier ticks than the current one are ignored.
  advance(_tick: Tick): void {
    throw new Error('not built yet')
  }

  /// Totals since the beginning of the log.
  get fates(): Readonly<FateCounts> {
    throw new Error('not built yet')
  }

  /// The tokens whose statistics changed since the last call, each once.
  takeChanged(): string[] {
    throw new Error('not built yet')
  }

  /// The token's statistics as of now, or that it is gone.
  update(_token: string): StatsUpdate {
    throw new Error('not built yet')
  }

  stats(_token: string): TokenStats | null {
    throw new Error('not built yet')
  }

  /// Tokens with an accepted swap within retention at the view time.
  tokens(): string[] {
    throw new Error('not built yet')
  }
}
