/// Kill -9 at random moments: what was acknowledged is there after reopening, and nothing else than what was
/// appended.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { randomness } from '../random/randomness.js'
import { openLog, openState } from './embedded-stores.js'
import { scratchDirectory } from './scratch.js'
import { delta, part, plainDeltas, plainParts, readBack } from './state-store.js'
import { readTo, records } from './trade-log.js'

const ROUNDS = 20

/// Runs the appender until it has acknowledged `lineCount` times and kills it after `turns` turns of this process's
/// event loop. Returns the highest acknowledgement of each kind.
async function runUntilKilled(directory: string, lineCount: number): Promise<Map<string, number>> {
  const script = fileURLToPath(new URL('append-until-killed.js', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  const acknowledged = new Map<string, number>()
  let seen = 0
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const found = (rest + text).split('\n')
    rest = found.pop() ?? ''
    for (const line of found) {
      const [kind = '', value] = line.split(' ')
      acknowledged.set(kind, Math.max(acknowledged.get(kind) ?? 0, Number(value)))
    }
    seen += found.length
    if (seen >= lineCount) child.kill('SIGKILL')
  })
  const [code, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL', `the appender ended by itself with ${code}`)
  return acknowledged
}

test('what was acknowledged survives kill -9 at random moments', async t => {
  const random = randomness(t.name)
  const directory = scratchDirectory(t)
  let rounds = 0
  for (; rounds < ROUNDS; rounds++) {
    const acknowledged = await runUntilKilled(directory, 1 + random.below(600))

    const log = openLog(join(directory, 'log'), { create: false })
    const { first, end } = log.bounds(0)
    assert.ok(end >= (acknowledged.get('log') ?? 0), `the log ends at ${end}`)
    const read = (await readTo(log, 0, first, end)).flatMap(records)
    assert.deepEqual(
      read,
      Array.from({ length: end - first }, (_, i) => first + i),
    )
    await log.close()

    const store = openState(join(directory, 'state'))
    assert.ok(store.position() >= (acknowledged.get('delta') ?? 0), `the state ends at ${store.position()}`)
    const deltas = plainDeltas(store.deltas())
    const oldest = deltas[0]?.coversFrom ?? store.position()
    const expected = Array.from({ length: (store.position() - oldest) / 10 }, (_, i) =>
      delta(oldest + i * 10, oldest + i * 10 + 10),
    )
    assert.deepEqual(deltas, plainDeltas(expected))
    const parts = readBack(store.parts())
    const newest = parts.at(-1)?.segment ?? 0
    assert.ok(newest >= (acknowledged.get('part') ?? 0), `the parts end with segment ${newest}`)
    // Of the last call, a part may be missing: it was not acknowledged.
    const segments = [...new Set(parts.map(({ segment }) => segment))].slice(0, -1)
    const whole = segments.flatMap(n => [part(n, n, n), part(n, n + 1, n)])
    assert.deepEqual(
      parts.filter(({ segment }) => segment !== newest),
      plainParts(whole),
    )
    await store.close()
  }
  assert.equal(rounds, ROUNDS)
})
