/// A roller in memory beside the naive model: both get the same swaps, so that what is asked of one can be held against
/// the other.

import { JsonDecoder } from '../../src/core/decode/json-decoder.js'
import { Roller } from '../../src/core/roller/roller.js'
import { epochMs, offset, type Tick, tick } from '../../src/core/units.js'
import type { RollerQueriesOptions } from '../../src/roles/roller-queries.js'
import { Model } from '../simulation/model.js'
import { ndjson, type RawBatch, type Rules } from '../simulation/raw-swap.js'

export class RolledTokens {
  readonly machine: Roller
  readonly model: Model
  readonly #decoder = new JsonDecoder()

  constructor(rules: Rules, startTick: number) {
    this.machine = new Roller(
      {
        partition: 0,
        windows: rules.windows.map(([name, lengthMs]) => ({ name, lengthMs })),
        resolutionMs: rules.resolutionMs,
        retentionMs: rules.retentionMs,
        admission: 'log-time',
        earlyToleranceMs: rules.earlyToleranceMs,
        dedupeHorizonMs: rules.dedupeHorizonMs,
        hotRangeMs: Number.POSITIVE_INFINITY,
      },
      tick(startTick),
    )
    this.model = new Model(rules)
    this.model.advance(startTick)
  }

  append(batch: RawBatch): void {
    const at = offset(this.model.offset)
    this.model.apply(batch)
    const { batch: rows, records } = this.#decoder.decodeLines(ndjson(batch.records))
    this.machine.apply(rows, at, records, epochMs(batch.appendTime))
  }

  advance(to: number): void {
    this.machine.advance(tick(to))
    this.model.advance(to)
  }

  /// As the roller role hands it out.
  get roller(): RollerQueriesOptions['roller'] {
    const { machine } = this
    return {
      config: machine.config,
      get viewTick(): Tick {
        return machine.viewTick
      },
      advance: () => {},
      fatesOf: token => machine.fatesOf(token),
      stats: token => machine.stats(token),
      ask: (token, question) => machine.ask(token, question),
    }
  }
}
