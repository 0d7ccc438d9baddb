/// Finds and tells where two sets of answers differ.

export interface Difference {
  readonly token: string
  /// View time of the answers.
  readonly asOf: number
  /// Path of the field, as in `txns.m5.buys`; empty when the whole answer is missing on one side.
  readonly field: string
  readonly ours: string
  readonly expected: string
}

/// Collects differences, keeps the first few and counts all.
export class Differences {
  readonly kept: Difference[] = []
  count = 0
  compared = 0
  readonly #keep: number

  constructor(keep = 10) {
    this.#keep = keep
  }

  /// Compares the JSON texts of one token's answers; null stands for no answer.
  compare(token: string, asOf: number, ours: string | null, expected: string | null): void {
    this.compared++
    if (ours === expected) return
    const found = ours === null || expected === null ? [] : fieldDifferences(ours, expected)
    if (found.length === 0)
      found.push({ field: '', ours: ours ?? 'no answer', expected: expected ?? 'no answer' })
    this.count += found.length
    for (const one of found) if (this.kept.length < this.#keep) this.kept.push({ token, asOf, ...one })
  }

  /// Compares what was answered for every token at one instant.
  compareAll(asOf: number, ours: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
    for (const [token, text] of expected) this.compare(token, asOf, ours.get(token) ?? null, text)
    for (const [token, text] of ours) if (!expected.has(token)) this.compare(token, asOf, text, null)
  }

  /// A readable table of the first differences.
  report(): string {
    if (this.count === 0) return `${this.compared} answers compared, no difference`
    const lines = [`${this.count} differences in ${this.compared} answers; the first ${this.kept.length}:`]
    for (const d of this.kept) {
      lines.push(`  token ${JSON.stringify(d.token)} at ${d.asOf} ${d.field || '(whole answer)'}`)
      lines.push(`    ours:     ${d.ours.slice(0, 400)}`)
      lines.push(`    expected: ${d.expected.slice(0, 400)}`)
    }
    return lines.join('\n')
  }
}

function fieldDifferences(ours: string, expected: string): Pick<Difference, 'field' | 'ours' | 'expected'>[] {
  const a = leaves(JSON.parse(ours), '', new Map())
  const b = leaves(JSON.parse(expected), '', new Map())
  const found = []
  for (const field of new Set([...b.keys(), ...a.keys()])) {
    const left = a.get(field) ?? 'missing'
    const right = b.get(field) ?? 'missing'
    if (left !== right) found.push({ field, ours: left, expected: right })
  }
  return found
}

function leaves(value: unknown, path: string, into: Map<string, string>): Map<string, string> {
  if (typeof value !== 'object' || value === null) return into.set(path, JSON.stringify(value))
  for (const [key, inner] of Object.entries(value)) leaves(inner, path === '' ? key : `${path}.${key}`, into)
  return into
}
