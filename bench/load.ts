/// What benchmarks are loaded with: 10,000 tokens, 300,000 traders, 5 % duplicates, 5 % late; and the rules that a roller has by
/// default.

import type { RollerConfig } from '../src/core/roller/config.js'
import { epochMs, offset } from '../src/core/units.js'
import { DEFAULT_WINDOWS, parseWindows } from '../src/core/windows.js'
import type { LogBatch } from '../src/ports/trade-log.js'
import {
  type GeneratedLines,
  type GeneratorOptions,
  SwapGenerator,
} from '../src/roles/faketrader/generator.js'

const HOUR_MS = 3_600_000

export function swapsOf(seed: number, more: Partial<GeneratorOptions> = {}): SwapGenerator {
  return new SwapGenerator({ seed, tokens: 10_000, traders: 300_000, duplicates: 0.05, late: 0.05, ...more })
}

/// The lines as a batch of the log.
export function logBatch({ bytes, size }: GeneratedLines, position: number, nowMs: number): LogBatch {
  return {
    ...{ partition: 0, firstOffset: offset(position), count: size, appendTime: epochMs(nowMs) },
    ...{ bytes, ranges: null, broken: null },
  }
}

export function rollerConfig(hotRangeMs: number): RollerConfig {
  const parsed = parseWindows(DEFAULT_WINDOWS)
  if ('wrong' in parsed) throw new Error('the default windows are windows')
  return {
    partition: 0,
    windows: parsed.windows,
    resolutionMs: 1000,
    retentionMs: 24 * HOUR_MS,
    admission: 'log-time',
    earlyToleranceMs: 60_000,
    dedupeHorizonMs: HOUR_MS,
    hotRangeMs,
  }
}
