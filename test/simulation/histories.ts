/// Random histories: small alphabets and short windows, so that collisions, ties, expiry, late joins, cold slices and
/// crashes meet each other often.

import type { Random } from './random.js'
import type { Rules } from './raw-swap.js'
import type { History, Step } from './steps.js'
import { ODD_TOKENS, SwapStream } from './streams.js'

const SECOND = 1000

export function randomHistory(random: Random, stepCount: number): History {
  // Many swaps of few tokens make runs of blocks on disk long.
  const dense = random.chance(0.12)
  const rules = random.pick(dense ? DENSE_RULES : RULES)
  const startMs = random.pick([1_700_000_000_000, 1_700_000_000_123, 5_000_000])
  const startTick = Math.floor(startMs / rules.resolutionMs)
  // Many names at a time make tables grow, and are freed and given anew as retention passes.
  const wide = !dense && random.chance(0.08)
  const stream = new SwapStream(random, {
    tokens: wide ? names('token', 200) : ODD_TOKENS.slice(0, random.between(1, dense ? 2 : 6)),
    traders: wide
      ? names('trader', 3000)
      : dense
        ? names('trader', 300)
        : ['a', 'b', 'c', 'd', '__proto__'].slice(0, random.between(1, 5)),
    startMs,
    rules,
    batchMost: wide ? 300 : dense ? 60 : random.pick([1, 3, 10, 40]),
    pauseMsMost: dense
      ? 30 * rules.resolutionMs
      : random.pick([rules.resolutionMs, 3 * rules.resolutionMs, rules.retentionMs / 5]),
    idAlphabet: dense ? null : random.pick([null, null, 10, 200]),
    duplicateChance: random.pick([0, 0.1, 0.4]),
    invalidChance: 0.02,
  })
  const soon = [0, rules.resolutionMs * 10]
  const hotRangeMs = random.pick(
    dense ? soon : [...soon, null, rules.retentionMs / 4, Number.POSITIVE_INFINITY],
  )
  const steps: Step[] = []
  let viewTick = startTick
  const advanceTo = (tick: number): void => {
    const by = Math.max(0, tick - viewTick)
    viewTick += by
    steps.push({ kind: 'advance', by })
  }
  const [checkpoints, pauses, crashes] = dense ? DENSE_CHANCES : random.pick(CHANCES)
  while (steps.length < (wide ? 30 : dense ? 120 : stepCount)) {
    let way = random.next()
    const logTick = Math.floor(stream.logTime / rules.resolutionMs)
    if (way < checkpoints) steps.push({ kind: 'checkpoint' })
    else if (way < checkpoints + pauses) steps.push({ kind: 'save-on' })
    else if (way < checkpoints + pauses + 0.01) {
      steps.push({ kind: 'full-disk', roomForParts: random.below(3) })
    } else if (way < checkpoints + pauses + 0.01 + crashes) {
      const back = random.chance(0.5) ? 0 : random.below(rules.retentionMs / rules.resolutionMs)
      steps.push({ kind: 'crash', back })
    } else {
      way = random.next()
      if (way < 0.6) steps.push({ kind: 'append', batch: stream.batch() })
      else if (way < 0.9) advanceTo(logTick)
      else if (way < 0.95) advanceTo(viewTick + random.between(1, 3))
      else if (way < 0.98) advanceTo(logTick + random.below(200))
      else advanceTo(viewTick + random.below(Math.ceil((rules.retentionMs / rules.resolutionMs) * 0.3)))
    }
  }
  return { rules, hotRangeMs, forgets: random.chance(0.7), startTick, steps }
}

/// The same with a changelog that crashed processes go on writing to, and with stores that are lost.
export function haunted(history: History, random: Random): History {
  const steps = history.steps.flatMap((step): Step[] => {
    const again: Step = step.kind === 'crash' ? { ...step, moved: random.chance(0.6) } : step
    if (!random.chance(0.15)) return [again]
    return [{ kind: 'haunt', which: random.below(100), batches: random.below(4) }, again]
  })
  return { ...history, hotRangeMs: history.hotRangeMs ?? 0, changelog: true, steps }
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix} ${i}`)

const named = (...lengths: readonly string[]): Rules['windows'] =>
  lengths.map(name => {
    const unit = { ms: 1, s: SECOND, m: 60 * SECOND, h: 3600 * SECOND }[name.replace(/\d+/, '')]
    return [name, Number(name.replace(/\D+/, '')) * (unit ?? Number.NaN)]
  })

const RULES: readonly Rules[] = [
  {
    windows: named('s1', 's2', 's7', 'm1'),
    resolutionMs: SECOND,
    retentionMs: 60 * SECOND,
    earlyToleranceMs: 10 * SECOND,
    dedupeHorizonMs: 20 * SECOND,
  },
  {
    windows: named('s1', 's5', 's90', 'm10'),
    resolutionMs: SECOND,
    retentionMs: 900 * SECOND,
    earlyToleranceMs: 60 * SECOND,
    dedupeHorizonMs: 120 * SECOND,
  },
  {
    windows: named('ms100', 'ms700', 's30'),
    resolutionMs: 100,
    retentionMs: 60 * SECOND,
    earlyToleranceMs: 500,
    dedupeHorizonMs: 5 * SECOND,
  },
  {
    windows: named('m1', 'm5', 'm15', 'h1'),
    resolutionMs: 60 * SECOND,
    retentionMs: 3600 * SECOND * 6,
    earlyToleranceMs: 60 * SECOND,
    dedupeHorizonMs: 600 * SECOND,
  },
  {
    windows: named('m1', 'm5', 'm15', 'm30', 'h1', 'h2', 'h4', 'h6', 'h8', 'h12', 'h24'),
    resolutionMs: SECOND,
    retentionMs: 86_400 * SECOND,
    earlyToleranceMs: 60 * SECOND,
    dedupeHorizonMs: 3600 * SECOND,
  },
]

/// Whose blocks lie whole between the beginnings of two windows.
const DENSE_RULES = RULES.filter(({ retentionMs, resolutionMs }) => retentionMs >= 360 * resolutionMs)

/// Of a checkpoint, of a checkpoint in steps, of a crash.
const CHANCES = [
  [0.2, 0, 0.05],
  [0.02, 0, 0.05],
  [0.2, 0, 0],
  [0, 0, 0.1],
  [0.01, 0.3, 0.05],
  [0, 0.4, 0.02],
] as const
const DENSE_CHANCES = [0.1, 0.1, 0.1] as const
