/// Keys and the admin port of a real `volumer start`, with the command line that an operator uses.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { scratchDirectory } from '../contract/scratch.js'
import { cleanEnvironment, Server } from './server.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')

interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

function volumer(cwd: string, ...argv: string[]): Promise<Outcome> {
  return new Promise(done => {
    execFile(process.execPath, [MAIN, ...argv], { cwd, env: cleanEnvironment() }, (error, out, err) => {
      done({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

async function eventually(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await condition())) {
    assert.ok(Date.now() < deadline, `in time: ${what}`)
    await pause(50)
  }
}

test('an address that others can reach needs keys: made, listed, revoked while the server runs', async t => {
  const folder = scratchDirectory(t, 'server')
  mkdirSync(folder)
  const without = await volumer(
    folder,
    'start',
    '--data',
    folder,
    '--host',
    '0.0.0.0',
    '--port',
    '0',
    '--no-faketrader',
  )
  assert.equal(without.code, 2)
  assert.match(without.err, /API keys are needed, and there is none in \.\/volumer-keys\.json/)
  const adminOpen = ['--admin-host', '0.0.0.0', '--admin-port', '0']
  assert.equal((await volumer(folder, 'start', '--data', folder, '--port', '0', ...adminOpen)).code, 2)

  const made = await volumer(folder, 'keys', 'create', '--name', 'me', '--scope', 'read,ingest')
  assert.equal(made.code, 0)
  const key = made.out.trim()
  assert.match(key, /^volumer_[\w-]{43}$/)
  const id = /^Key (\w+) \(read, ingest\)/.exec(made.err)?.[1] ?? ''
  const listed = await volumer(folder, 'keys', 'list')
  assert.match(listed.out, new RegExp(`^${id} +me +read,ingest +\\S+Z +-$`, 'm'))
  assert.equal((await volumer(folder, 'keys', 'create', '--name', 'x', '--scope', 'root')).code, 2)
  assert.equal((await volumer(folder, 'keys', 'revoke', 'nope')).code, 1)

  const server = await Server.start(folder, ['--host', '0.0.0.0'])
  t.after(() => server.kill())
  await server.ready()
  const ask = async (init: RequestInit = {}) => (await fetch(`${server.url}/v1/totals`, init)).status
  const headers = { authorization: `Bearer ${key}` }
  assert.deepEqual([await ask(), await ask({ headers })], [401, 200])

  // The other commands take the key.
  const swap = `{"id":"1","time":${Date.now()},"who":"w","token":"T","side":"buy","amount":1,"usd":2}\n`
  const file = join(folder, 'swaps.ndjson')
  writeFileSync(file, swap)
  assert.equal((await volumer(folder, 'send', file, '--speed', 'max', '--url', server.url)).code, 1)
  assert.equal(
    (await volumer(folder, 'send', file, '--speed', 'max', '--url', server.url, '--key', key)).code,
    0,
  )
  await eventually(
    async () => (await volumer(folder, 'stats', 'T', '--url', server.url, '--key', key)).code === 0,
    'it counts',
  )
  assert.match((await volumer(folder, 'stats', 'T', '--url', server.url)).err, /401.*API key/s)

  assert.equal((await volumer(folder, 'keys', 'revoke', id)).code, 0)
  await eventually(async () => (await ask({ headers })) === 401, 'the server has noticed')
  server.signal('SIGTERM')
  assert.equal((await server.exited).code, 0)
})

test('the admin port has metrics of the running server', async t => {
  const folder = scratchDirectory(t, 'server')
  mkdirSync(folder)
  const server = await Server.start(folder, ['--admin-port', '0', '--checkpoint-interval', '100ms'])
  t.after(() => server.kill())
  await server.ready()
  await eventually(async () => /http:\S+\/metrics/.test(server.output), 'it says where')
  const url = /(http:\S+)\/metrics/.exec(server.output)?.[1] ?? ''
  const body =
    `{"id":"1","time":${Date.now()},"who":"w","token":"T","side":"buy","amount":1,"usd":2}\n`.repeat(2)
  const posted = await fetch(`${server.url}/v1/trades`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  })
  assert.equal(posted.status, 200)
  const metrics = async () => (await fetch(`${url}/metrics`)).text()
  await eventually(
    async () => /^volumer_checkpoint_duration_seconds_count [1-9]/m.test(await metrics()),
    'a checkpoint',
  )
  const text = await metrics()
  assert.match(text, /^volumer_swaps_total\{fate="accepted"\} 1$/m)
  assert.match(text, /^volumer_swaps_total\{fate="duplicate"\} 1$/m)
  assert.match(text, /^volumer_roll_duration_seconds_count [1-9]/m)
  assert.match(text, /^volumer_http_requests_total\{operation="postTrades",code="200"\} 1$/m)
  assert.match(text, /^volumer_log_lag_records\{partition="0"\} 0$/m)
  assert.equal((await fetch(`${server.url}/metrics`)).status, 404, 'not on the port of the API')
  assert.equal((await fetch(`${url}/v1/totals`)).status, 404, 'nor the API on this one')
  server.signal('SIGTERM')
  assert.equal((await server.exited).code, 0)
})
