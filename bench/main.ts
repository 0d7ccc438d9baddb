/// Runs the benchmarks one after the other, each in a process of its own, and sums up what their results say.
///
///   node dist/bench/main.js [decode storage roller latency gets feeds queries dashboard kafka cluster archive day]     all of them; the day takes long
///   node dist/bench/main.js --quick                                  short forms

import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchResult } from './report.js'

interface Bench {
  readonly name: string
  readonly full: readonly string[]
  readonly quick: readonly string[]
}

const BENCHES: readonly Bench[] = [
  { name: 'decode', full: [], quick: ['50000'] },
  { name: 'storage', full: [], quick: [] },
  { name: 'roller', full: [], quick: ['10', '200000'] },
  { name: 'latency', full: [], quick: ['5'] },
  { name: 'latency', full: ['20', 'kafka'], quick: ['5', 'kafka'] },
  { name: 'gets', full: [], quick: ['4000'] },
  { name: 'feeds', full: [], quick: ['1000', '4'] },
  { name: 'dashboard', full: [], quick: ['5', '20000'] },
  { name: 'queries', full: [], quick: ['4', '20'] },
  { name: 'cluster', full: [], quick: ['50000'] },
  { name: 'kafka', full: [], quick: ['100000'] },
  { name: 'archive', full: ['duckdb'], quick: ['duckdb', '300000'] },
  { name: 'archive', full: ['postgres'], quick: ['postgres', '300000'] },
  { name: 'day', full: [], quick: ['0.2'] },
]

const words = process.argv.slice(2)
const quick = words.includes('--quick')
const wanted = words.filter(word => word !== '--quick')
const unknown = wanted.filter(word => !BENCHES.some(({ name }) => name === word))
if (unknown.length > 0) {
  console.error(
    `Unknown: ${unknown.join(', ')}. There are ${[...new Set(BENCHES.map(({ name }) => name))].join(', ')}.`,
  )
  process.exit(2)
}

const here = dirname(fileURLToPath(import.meta.url))
const failed: string[] = []
for (const { name, full, quick: short } of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  const { status } = spawnSync(process.execPath, [join(here, `${name}.js`), ...(quick ? short : full)], {
    stdio: 'inherit',
  })
  if (status !== 0) failed.push(name)
}

console.log('\nAll results with a target:')
const folder = join('bench', 'results')
for (const file of readdirSync(folder).filter(each => each.endsWith('.json'))) {
  const result: BenchResult = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  for (const { what, value, unit, target } of result.measures) {
    if (target === undefined) continue
    const met = target.atLeast ? value >= target.value : value <= target.value
    const shown = value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
    console.log(`  ${met ? 'met   ' : 'missed'} ${result.name}: ${what}: ${shown} ${unit}`)
  }
}
if (failed.length > 0) {
  console.error(`These did not end well: ${failed.join(', ')}`)
  process.exitCode = 1
}
