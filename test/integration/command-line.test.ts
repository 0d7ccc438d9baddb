/// The program as a user runs it: a server as a child process, and the other commands against it.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment, Server } from './server.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')
const directory = mkdtempSync(join(tmpdir(), 'volumer-cli-'))
after(() => rmSync(directory, { recursive: true, force: true }))

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/// Runs the program to its end, or until `until` finds what it waits for in the output; then it gets SIGINT.
async function run(argv: readonly string[], until?: (out: string) => boolean): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...argv], {
    cwd: directory,
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  let interrupted = false
  child.stderr.setEncoding('utf8').on('data', text => {
    err += text
  })
  child.stdout.setEncoding('utf8').on('data', text => {
    out += text
    // Once: a second one means not to wait for anything.
    if (!interrupted && until?.(out)) interrupted = child.kill('SIGINT')
  })
  const [code] = await once(child, 'close')
  return { code, out, err }
}

const dataDirectory = (): string => mkdtempSync(join(directory, 'data-'))

function swapFile(now: number): string {
  const rows = Array.from({ length: 500 }, (_, i) => `s${i},${now - i},w${i % 7},T${i % 3},buy,2,1.5`)
  const path = join(directory, `swaps-${now}.csv`)
  writeFileSync(path, `id,time,who,token,side,amount,usd\n${rows.join('\n')}\nbad,${now},w,T0,hold,1,1\n`)
  return path
}

test('send, stats and watch against a running server; SIGTERM drains, and the numbers are there again', async () => {
  const data = dataDirectory()
  const server = await Server.start(data)
  assert.ok(await server.ready(), server.output)
  const path = swapFile(Date.now())

  const sent = await run(['send', path, '--speed', 'max', '--url', server.url])
  assert.equal(sent.code, 0, sent.err)
  assert.match(sent.err, /line 502: side: .*\n500 swaps appended, 1 invalid/)
  // Sending again is harmless.
  assert.equal((await run(['send', path, '--speed', 'max', '--url', server.url])).code, 0)

  const watched = await run(['watch', 'T0', '--json', '--url', server.url], out =>
    /"type":"snapshot".*"total":167/.test(out),
  )
  assert.equal(watched.code, 0, watched.err)

  const shown = await run(['stats', 'T0', '--json', '--window', '24h', '--url', server.url])
  assert.equal(shown.code, 0, shown.err)
  assert.equal(JSON.parse(shown.out).volume.h24, '250.5')
  const none = await run(['stats', 'NONE', '--url', server.url])
  assert.equal(none.code, 1)
  assert.match(none.err, /NONE: 404/)

  server.signal('SIGTERM')
  assert.deepEqual(await server.exited, { code: 0, signal: null }, server.output)
  assert.match(server.output, /SIGTERM: stopping.*Everything is saved/s)

  const again = await Server.start(data)
  assert.ok(await again.ready(), again.output)
  const stats = await run(['stats', 'T0', '--json', '--url', again.url])
  assert.equal(JSON.parse(stats.out).volume.h24, '250.5')
  assert.equal(JSON.parse(stats.out).txns.h24.traders, 7)
  again.signal('SIGINT')
  assert.deepEqual(await again.exited, { code: 0, signal: null }, again.output)
})

test('a second process on the directory is refused with 3, a taken port with 1, other settings with 2', async () => {
  const data = dataDirectory()
  const server = await Server.start(data)
  assert.ok(await server.ready(), server.output)
  const port = new URL(server.url).port

  const second = await run(['start', '--data', data, '--port', '0'])
  assert.equal(second.code, 3, second.err)
  assert.match(second.err, /in use by process \d+/)

  const taken = await run(['start', '--data', dataDirectory(), '--port', port, '--no-faketrader'])
  assert.equal(taken.code, 1, taken.err)
  assert.match(taken.err, /EADDRINUSE.*\nAnother program listens there/)
  await server.kill()

  const other = await run([
    'start',
    '--data',
    data,
    '--port',
    '0',
    '--resolution',
    '500ms',
    '--no-faketrader',
  ])
  assert.equal(other.code, 2, other.err)
})

test('without a server, send, watch and stats say so and fail', async () => {
  const server = await Server.start(dataDirectory())
  assert.ok(await server.ready(), server.output)
  await server.kill()
  for (const argv of [
    ['stats', 'BTC'],
    ['watch', 'BTC'],
    ['send', swapFile(Date.now())],
  ]) {
    const { code, err } = await run([...argv, '--url', server.url])
    assert.equal(code, 1, argv[0])
    assert.match(err, /cannot be reached: .*\nStart the server/, argv[0])
  }
})

test('faketrader’s swaps are served as they come, memory storage leaves nothing behind', async () => {
  const started = await Server.start(dataDirectory(), [
    '--storage',
    'memory',
    '--faketrader',
    '--seed',
    '7',
    '--trades-per-second',
    '2000',
  ])
  assert.ok(await started.ready(), started.output)
  assert.match(started.output, /--seed 7/)
  let updates = 0
  const watched = await run(['watch', 'BTC', 'ETH', '--url', started.url], out => {
    updates = out.split('\n').filter(line => /^(BTC|ETH) +\d/.test(line)).length
    return updates >= 20
  })
  assert.equal(watched.code, 0, watched.err)
  assert.ok(updates >= 20)
  // The swaps themselves, under their head, and of nothing else.
  const swap =
    /^\d{4}-\d\d-\d\dT[\d:.]+Z +(BTC|ETH) +(buy|sell) +[\d,]+\.\d\d+ +[\d.]+ +0x[0-9a-f]{40} +(-|\d+ ms)$/
  let swaps: string[] = []
  const traded = await run(['watch', 'BTC', 'ETH', '--trades', '--url', started.url], out => {
    swaps = out.split('\n').slice(0, -1)
    return swaps.length >= 120
  })
  assert.equal(traded.code, 0, traded.err)
  for (const line of swaps) assert.match(line, /^time +token +side/.test(line) ? /^time/ : swap)
  assert.equal(swaps.filter(line => line.startsWith('time')).length, Math.ceil(swaps.length / 41))
  for (const token of ['BTC', 'ETH']) assert.ok(swaps.some(line => line.includes(` ${token} `)))
  started.signal('SIGTERM')
  assert.deepEqual(await started.exited, { code: 0, signal: null }, started.output)
})
