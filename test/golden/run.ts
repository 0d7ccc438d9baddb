/// Runs a golden script against a subject, in one of several ways of delivering the same swaps.

import type { Answer } from '../simulation/answer.js'
import type { Random } from '../simulation/random.js'
import type { RawBatch } from '../simulation/raw-swap.js'
import type { Script, Statement } from './script.js'

/// What rolls: the system, or the naive model.
export interface Subject {
  append(batch: RawBatch): Promise<void>
  advance(tick: number): void
  /// JSON text of every listed token's statistics.
  answers(): ReadonlyMap<string, string>
  fates(): ReadonlyMap<string, number>
  /// Ends a statement: the place to crash and restore.
  afterStatement(): Promise<void>
}

export interface Delivery {
  /// One for each partition; tokens are spread over them.
  readonly subjects: readonly Subject[]
  /// The swaps between two other statements come in another order, in batches of another size.
  readonly shuffle: Random | null
  /// Every swap is sent this many times.
  readonly copies: number
}

export interface Outcome {
  /// Expectations that did not hold, with line numbers.
  readonly failures: readonly string[]
  /// All answers after each statement that is not a swap, versions left out: equal whatever the delivery.
  readonly transcript: string
}

export async function runScript(script: Script, delivery: Delivery): Promise<Outcome> {
  const failures: string[] = []
  const transcript: string[] = []
  for (const step of steps(script, delivery)) {
    if (step.kind === 'append') {
      await routeBatch(step.batch, delivery.subjects)
      for (const subject of delivery.subjects) await subject.afterStatement()
      continue
    }
    const { statement } = step
    if (statement.kind === 'advance') {
      for (const subject of delivery.subjects) subject.advance(statement.tick)
      for (const subject of delivery.subjects) await subject.afterStatement()
    }
    const answers = allAnswers(delivery.subjects)
    failures.push(...check(statement, answers, delivery))
    transcript.push(`line ${statement.line}`, ...[...answers.values()].map(withoutVersion).sort())
  }
  return { failures, transcript: transcript.join('\n') }
}

type Step =
  | { readonly kind: 'append'; readonly batch: RawBatch }
  | { readonly kind: 'other'; readonly statement: Exclude<Statement, { kind: 'swap' }> }

function steps(script: Script, delivery: Delivery): Step[] {
  const result: Step[] = []
  let waiting: Extract<Statement, { kind: 'swap' }>[] = []
  const flush = (): void => {
    const copied = waiting.flatMap(one => Array.from({ length: delivery.copies }, () => one))
    const batches = delivery.shuffle === null ? copied.map(single) : shuffled(copied, delivery.shuffle)
    for (const batch of batches) result.push({ kind: 'append', batch })
    waiting = []
  }
  for (const statement of script.statements) {
    if (statement.kind === 'swap') {
      waiting.push(statement)
      continue
    }
    flush()
    result.push({ kind: 'other', statement })
  }
  flush()
  return result
}

const single = (one: Extract<Statement, { kind: 'swap' }>): RawBatch => ({
  appendTime: one.appendTime,
  records: [one.swap],
})

function shuffled(swaps: readonly Extract<Statement, { kind: 'swap' }>[], random: Random): RawBatch[] {
  const appendTime = Math.max(...swaps.map(one => one.appendTime))
  const rest = random.shuffled(swaps).map(one => one.swap)
  const batches: RawBatch[] = []
  while (rest.length > 0) batches.push({ appendTime, records: rest.splice(0, random.between(1, 4)) })
  return batches
}

/// Tokens in the order of their first letters, more or less: any fixed assignment does.
async function routeBatch(batch: RawBatch, subjects: readonly Subject[]): Promise<void> {
  for (const [partition, subject] of subjects.entries()) {
    const records = batch.records.filter(
      record => 'token' in record && partitionOf(record.token, subjects) === partition,
    )
    if (records.length > 0) await subject.append({ appendTime: batch.appendTime, records })
  }
}

const partitionOf = (token: string, subjects: readonly Subject[]): number =>
  [...token].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0) % subjects.length

function allAnswers(subjects: readonly Subject[]): Map<string, string> {
  return new Map(subjects.flatMap(subject => [...subject.answers()]))
}

const withoutVersion = (text: string): string => text.replace(/"version":"[^"]*"/, '"version":""')

function check(
  statement: Exclude<Statement, { kind: 'swap' }>,
  answers: ReadonlyMap<string, string>,
  delivery: Delivery,
): string[] {
  switch (statement.kind) {
    case 'advance':
      return []
    case 'gone':
      return answers.has(statement.token)
        ? [`line ${statement.line}: ${statement.token} is still listed`]
        : []
    case 'fates':
      return checkFates(statement, delivery)
    case 'expect':
      return checkFields(statement, answers.get(statement.token))
    default:
      throw new Error(`unknown statement ${JSON.stringify(statement satisfies never)}`)
  }
}

function checkFates(statement: Extract<Statement, { kind: 'fates' }>, delivery: Delivery): string[] {
  return statement.fates.flatMap(([fate, count]) => {
    // Copies add to every fate but this one.
    if (delivery.copies > 1 && fate !== 'accepted') return []
    const actual = delivery.subjects.reduce((sum, subject) => sum + (subject.fates().get(fate) ?? 0), 0)
    return actual === count ? [] : [`line ${statement.line}: ${fate} is ${actual}, expected ${count}`]
  })
}

function checkFields(statement: Extract<Statement, { kind: 'expect' }>, text: string | undefined): string[] {
  const { line, token, window } = statement
  if (text === undefined) return [`line ${line}: ${token} is not listed`]
  const answer: Answer = JSON.parse(text)
  return statement.fields.flatMap(([field, expected]) => {
    const actual = fieldIn(answer, field, window)
    if (actual === expected) return []
    return [
      `line ${line}: ${token} ${window ?? ''} ${field} is ${JSON.stringify(actual)}, expected ${expected}`,
    ]
  })
}

function fieldIn(answer: Answer, field: string, window: string | null): unknown {
  if (window === null) return Reflect.get(answer, field)
  const txns = answer.txns[window]
  if (txns !== undefined && field in txns) return Reflect.get(txns, field)
  const perWindow: unknown = Reflect.get(answer, field)
  return typeof perWindow === 'object' && perWindow !== null ? Reflect.get(perWindow, window) : undefined
}
