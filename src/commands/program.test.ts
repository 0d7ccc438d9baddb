import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { ManualClock } from '../adapters/memory/clock.js'
import { DamagedError, LockedError } from '../ports/errors.js'
import { runProgram } from './program.js'
import { VERSION } from './version.js'

const directory = mkdtempSync(join(tmpdir(), 'volumer-program-'))
after(() => rmSync(directory, { recursive: true }))

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/// Runs the command line; `start` does what the test says.
async function run(argv: readonly string[], started: () => number = () => 0): Promise<Outcome> {
  let out = ''
  let err = ''
  const keep = (take: (text: string) => void) => ({
    write(text: string, written?: () => void) {
      take(text)
      written?.()
    },
  })
  // VOLUMER_SEED belongs to the tests themselves.
  const code = await runProgram(
    argv,
    {
      async start() {
        return started() === 0 ? 0 : 5
      },
      exportParquet: async () => {},
      backfill: async () => {},
      repair: async () => 0,
      keys: async () => 0,
      interruption: () => new AbortController().signal,
    },
    {
      clock: new ManualClock(0),
      stdout: keep(text => {
        out += text
      }),
      stderr: keep(text => {
        err += text
      }),
    },
  )
  return { code, out, err }
}

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

const swap = (id: string, time: number, token: string, usd: string, more: object = {}) =>
  JSON.stringify({ id, time, who: 'w', token, side: 'buy', amount: '1', usd, ...more })

test('every command explains itself with examples and exit codes', async () => {
  for (const command of ['start', 'replay', 'send', 'watch', 'stats', 'export', 'config', 'repair']) {
    const { code, out } = await run([command, '--help'])
    assert.equal(code, 0, command)
    assert.match(out, new RegExp(`Usage: volumer ${command}`))
    assert.match(out, /Examples:\n {2}(VOLUMER_\w+=\S+ )?volumer /)
    assert.match(out, /Exit codes: 0 done/)
  }
})

test('unknown commands, flags and arguments are wrong usage', async () => {
  for (const argv of [
    [],
    ['sned'],
    ['start', '--prot', '1'],
    ['start', 'now'],
    ['send'],
    ['config', '--port', 'x'],
  ]) {
    const { code, err } = await run(argv)
    assert.equal(code, 2, argv.join(' '))
    assert.notEqual(err, '', argv.join(' '))
  }
  assert.match((await run(['sned'])).err, /Did you mean send\?/)
  assert.match((await run(['start', '--prot', '1'])).err, /Did you mean --port\?/)
})

test('the version is the package’s', async () => {
  const pack: unknown = JSON.parse(readFileSync('package.json', 'utf8'))
  assert.ok(typeof pack === 'object' && pack !== null && 'version' in pack)
  assert.equal(VERSION, pack.version)
  assert.equal((await run(['--version'])).out, `${VERSION}\n`)
})

test('errors of a start have their exit codes, one message and no stack trace', async () => {
  const failing = (error: Error) =>
    run(['start'], () => {
      throw error
    })
  const locked = await failing(new LockedError('The directory is in use.'))
  assert.deepEqual([locked.code, locked.err], [3, 'volumer: The directory is in use.\n'])
  const damaged = await failing(new DamagedError('A segment fails its checksum.', 'Run repair.'))
  assert.equal(damaged.code, 4)
  assert.match(damaged.err, /checksum\.\nNothing was changed.*\nRun repair\.\n$/s)
  const bug = await failing(new TypeError('x is not a function'))
  assert.deepEqual([bug.code, bug.err], [5, 'volumer: x is not a function\n'])
})

test('config prints each value with its source', async () => {
  const { code, out } = await run(['config', '--port', '8080', '--no-faketrader', '--format', 'json'])
  assert.equal(code, 0)
  const config = JSON.parse(out)
  assert.deepEqual(config.port, { value: '8080', source: '--port' })
  assert.deepEqual(config.faketrader, { value: 'false', source: '--faketrader' })
  assert.deepEqual(config.retention, { value: '24h', source: 'default' })
  assert.match((await run(['config'])).out, /^port +4242 +default +port of HTTP/m)
})

test('replay prints every token within retention, sorted by bytes, in the shape of the API', async () => {
  const path = file(
    'swaps.ndjson',
    [
      swap('1', 1_000_000, 'Z', '1.5'),
      swap('2', 1_002_000, '🐸', '2'),
      swap('3', 1_002_500, '\uffee', '3'),
      'not a swap',
      swap('4', 1_002_999, 'Z', '0.25'),
      '',
    ].join('\n'),
  )
  const { code, out, err } = await run(['replay', path, '--window', '5m'])
  assert.equal(code, 0)
  const lines = out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    lines.map(({ token, asOf, volume, txns }) => [token, asOf, volume, txns.m5.total]),
    [
      ['Z', 1_002_000, { m5: '1.75' }, 2],
      ['\uffee', 1_002_000, { m5: '3' }, 1],
      ['🐸', 1_002_000, { m5: '2' }, 1],
    ],
  )
  assert.match(err, /swaps\.ndjson:4: /)
  assert.match(err, /4 accepted, 0 duplicate, 0 late, 0 early, 1 invalid/)
})

test('replay: the order of lines changes nothing, also among duplicates that differ', async () => {
  const lines = [
    swap('a', 5000, 'T', '1', { block: 2 }),
    swap('a', 5000, 'T', '2', { block: 1 }),
    swap('a', 5000, 'T', '4', { block: 1, who: 'other' }),
    swap('b', 90_000_000, 'T', '8'),
    swap('b', 90_000_000, 'T', '8'),
    swap('c', 1000, 'U', '16'),
  ]
  const instants = ['--as-of', '90000000', '--as-of', '6999', '--as-of', '4999']
  const forward = await run(['replay', file('forward', lines.join('\n')), ...instants])
  const backward = await run([
    'replay',
    file('backward.gz', gzipSync(lines.toReversed().join('\n'))),
    ...instants,
  ])
  assert.equal(forward.out, backward.out)
  assert.equal(forward.err, backward.err)
  assert.match(forward.err, /3 accepted, 3 duplicate \(2 of them differ from the one that counts\)/)
  const shown = forward.out
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line))
  assert.deepEqual(
    shown.map(({ token, asOf, volume }) => [asOf, token, volume.m1]),
    [
      [4000, 'U', '16'],
      [6000, 'T', '4'],
      [6000, 'U', '16'],
      [90_000_000, 'T', '8'],
    ],
    'of one id the first in chain order counts, then by its other fields: other < w',
  )
})

test('replay as CSV has one column a value', async () => {
  const path = file('one.csv', 'id,time,who,token,side,amount,usd\n1,1000,w,"a,b",buy,2,3\n')
  const { out } = await run(['replay', path, '--format', 'csv', '--window', '1m'])
  const [head = '', row = ''] = out.split('\n')
  assert.match(head, /^token,priceUsd,asOf,version,.*volume\.m1,.*txns\.m1\.buys/)
  assert.match(row, /^"a,b",1\.5,1000,/)
  assert.equal(head.split(',').length, row.replace('"a,b"', 'ab').split(',').length)
})

test('replay refuses what it cannot answer', async () => {
  const path = file('x.ndjson', swap('1', 1, 'T', '1'))
  assert.equal((await run(['replay', join(directory, 'none')])).code, 1)
  assert.equal((await run(['replay', path, '--window', '7m'])).code, 2)
  assert.equal((await run(['replay', path, '--as-of', 'noon'])).code, 2)
  assert.equal((await run(['replay', path, '--windows', '48h'])).code, 2)
  assert.equal((await run(['replay', path, '--windows', '48h', '--retention', '48h'])).code, 0)
})
