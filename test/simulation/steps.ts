/// A random history as a list of steps, which can be repeated, cut short, and told.

import type { FateCounts } from '../../src/core/roller/fates.js'
import type { StateStore } from '../../src/ports/state-store.js'
import { Differences } from './difference.js'
import { Model, type ModelFates } from './model.js'
import { asked } from './questions.js'
import type { RawBatch, Rules } from './raw-swap.js'
import { Rolled, withoutTime } from './rolled.js'

export type Step =
  | { readonly kind: 'append'; readonly batch: RawBatch }
  | { readonly kind: 'advance'; readonly by: number }
  | { readonly kind: 'checkpoint' }
  /// Goes on with a checkpoint by one pause; see Rolled.saveOn.
  | { readonly kind: 'save-on' }
  | { readonly kind: 'full-disk'; readonly roomForParts: number }
  /// The next process begins its view this many ticks before the last one's, and without its store when it `moved`.
  | { readonly kind: 'crash'; readonly back: number; readonly moved?: boolean }
  /// See Rolled.haunt.
  | { readonly kind: 'haunt'; readonly which: number; readonly batches: number }

export interface History {
  readonly rules: Rules
  readonly hotRangeMs: number | null
  /// False: the store keeps everything, as it may.
  readonly forgets?: boolean
  /// Several writers share a changelog; see Rolled.
  readonly changelog?: boolean
  readonly startTick: number
  readonly steps: readonly Step[]
}

/// Runs the history on the system and the model side by side, comparing every answer after every step. Returns
/// what went wrong, or null. The store is one in memory unless `openStore` opens another.
export async function firstFailure(history: History, openStore?: () => StateStore): Promise<string | null> {
  const { rules, startTick } = history
  let at = -1
  const rolled = new Rolled(openStore === undefined ? history : { ...history, openStore })
  try {
    const model = new Model(rules)
    model.advance(startTick)
    for (const step of history.steps) {
      at++
      // A question that is asked before the step and answered after it is as of before.
      const early = step.kind === 'crash' ? () => null : asked(rolled, model, at * 104_729)
      await take(step, rolled, model, startTick)
      const problem = compare(rolled, model) ?? early() ?? asked(rolled, model, at * 7919)()
      if (problem !== null) return `step ${at} (${step.kind}): ${problem}`
    }
    return null
  } catch (error) {
    return `step ${at} (${history.steps[at]?.kind}): ${error instanceof Error ? error.stack : error}`
  } finally {
    await rolled.close()
  }
}

async function take(step: Step, rolled: Rolled, model: Model, startTick: number): Promise<void> {
  switch (step.kind) {
    case 'append':
      rolled.append(step.batch)
      model.apply(step.batch)
      return
    case 'advance': {
      const to = model.viewTick + step.by
      rolled.advance(to)
      model.advance(to)
      return
    }
    case 'checkpoint':
      return rolled.checkpoint()
    case 'save-on':
      await rolled.saveOn()
      return
    case 'full-disk':
      return rolled.fillDisk(step.roomForParts)
    case 'crash':
      return rolled.crash(Math.max(startTick, model.viewTick - step.back), step.moved)
    case 'haunt':
      return rolled.haunt(step.which, step.batches)
    default:
      throw new Error(`unknown step ${JSON.stringify(step satisfies never)}`)
  }
}

function compare(rolled: Rolled, model: Model): string | null {
  const asOf = model.viewTick * model.rules.resolutionMs
  const expected = model.answers()
  const differences = new Differences()
  differences.compareAll(asOf, rolled.answers(), expected)
  if (differences.count > 0) return differences.report()
  const { invalid } = rolled.fates
  const fates = differingFates(rolled.fates, model.fates)
  if (fates !== null) return fates
  for (const [token, counts] of model.tokenFates()) {
    const ours = rolled.fatesOf(token)
    if (ours === null) return `fates of ${token}: none, expected ${JSON.stringify(counts)}`
    if (ours.since !== counts.since) return `fates of ${token}: since ${ours.since}, expected ${counts.since}`
    // What is invalid is of no token.
    const fates = differingFates({ ...ours, invalid }, { ...counts.fates, invalid })
    if (fates !== null) return `of ${token}: ${fates}`
  }
  const timeless = new Map([...expected].map(([token, text]) => [token, withoutTime(text)]))
  differences.compareAll(asOf, rolled.watched(), timeless)
  return differences.count > 0 ? `a change was not reported: ${differences.report()}` : null
}

function differingFates(ours: FateCounts, expected: ModelFates): string | null {
  const { conflictAtLeast, conflictAtMost, ...fates } = expected
  for (const [fate, count] of Object.entries(fates)) {
    const counted = Reflect.get(ours, fate)
    if (counted !== count) return `fate ${fate}: ours ${counted}, expected ${count}`
  }
  const { conflict } = ours
  if (conflict >= conflictAtLeast && conflict <= conflictAtMost) return null
  return `conflicts: ours ${conflict}, expected ${conflictAtLeast} to ${conflictAtMost}`
}

/// Cuts the history down while it still fails: whole steps first, then records of batches. Crude, and bounded by
/// `budgetMs`.
export async function shrink(history: History, budgetMs: number): Promise<History> {
  const deadline = Date.now() + budgetMs
  let best = history
  const attempt = async (steps: readonly Step[]): Promise<boolean> => {
    if (Date.now() > deadline) return false
    const candidate = { ...best, steps }
    if ((await firstFailure(candidate)) === null) return false
    best = candidate
    return true
  }
  for (let size = best.steps.length >> 1; size >= 1; size >>= 1) {
    for (let from = best.steps.length - size; from >= 0; from -= size) {
      await attempt([...best.steps.slice(0, from), ...best.steps.slice(from + size)])
    }
  }
  for (let at = 0; at < best.steps.length; at++) {
    for (let record = 0; ; record++) {
      const step = best.steps[at]
      if (step?.kind !== 'append' || step.batch.records.length < 2 || record >= step.batch.records.length)
        break
      const records = step.batch.records.filter((_, i) => i !== record)
      const cut: Step = { kind: 'append', batch: { ...step.batch, records } }
      if (await attempt([...best.steps.slice(0, at), cut, ...best.steps.slice(at + 1)])) record--
    }
  }
  return best
}

/// The history as text, for a report.
export function tell(history: History): string {
  const { rules, hotRangeMs, forgets = true, changelog = false, startTick, steps } = history
  return [
    `rules ${JSON.stringify(rules)}`,
    `hotRangeMs ${hotRangeMs}, forgets ${forgets}, changelog ${changelog}, startTick ${startTick}`,
    ...steps.map((step, at) => `${at}: ${JSON.stringify(step)}`),
  ].join('\n')
}
