/// Results of a benchmark: a table for people, and JSON with machine, versions and checksum for comparing runs.

import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'

export interface Measure {
  readonly what: string
  readonly value: number
  readonly unit: string
  /// What we aim at; `atLeast` says in which direction.
  readonly target?: { readonly value: number; readonly atLeast: boolean }
}

export interface BenchResult {
  readonly name: string
  readonly measures: readonly Measure[]
  /// Folds the results of the work that was measured: equal work, equal checksum.
  readonly checksum: string
  readonly notes: readonly string[]
}

const shown = (value: number): string =>
  value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)

export function report(result: BenchResult): void {
  console.log(`\n${result.name}`)
  for (const { what, value, unit, target } of result.measures) {
    let verdict = ''
    if (target !== undefined) {
      const met = target.atLeast ? value >= target.value : value <= target.value
      verdict = `${met ? 'met   ' : 'missed'} (target ${target.atLeast ? 'at least' : 'at most'} ${shown(target.value)})`
    }
    console.log(`  ${what.padEnd(44)} ${shown(value).padStart(12)} ${unit.padEnd(10)} ${verdict}`)
  }
  console.log(`  checksum ${result.checksum}`)
  for (const note of result.notes) console.log(`  ${note}`)
  const folder = join('bench', 'results')
  mkdirSync(folder, { recursive: true })
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    node: process.version,
    v8: process.versions.v8,
  }
  const file = join(folder, `${result.name.replaceAll(/[^a-z0-9]+/gi, '-')}.json`)
  writeFileSync(file, `${JSON.stringify({ machine, ...result }, null, 2)}\n`)
}

/// Folds numbers into 32 bits.
export class Checksum {
  #hash = 0x811c9dc5

  add(value: number): void {
    const low = value % 0x1_0000_0000
    this.#hash = Math.imul(this.#hash ^ low ^ Math.floor((value - low) / 0x1_0000_0000), 0x01000193)
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.add(text.charCodeAt(i))
  }

  toString(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0')
  }
}
