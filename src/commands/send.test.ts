import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { SystemClock } from '../adapters/system/clock.js'
import { parseSpeed, type SendOptions, send } from './send.js'

const HEADER = 'id,time,who,token,side,amount,usd'

/// A server that answers as the test says; `answer` gets the lines of each body.
async function harness(
  t: TestContext,
  answer: (lines: string[], response: ServerResponse, request: IncomingMessage) => void,
) {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', text => {
      body += text
    })
    request.on('end', () => answer(body.trimEnd().split('\n'), response, request))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const directory = mkdtempSync(join(tmpdir(), 'volumer-send-'))
  t.after(() => {
    server.closeAllConnections()
    server.close()
    rmSync(directory, { recursive: true })
  })
  let err = ''
  const stream = {
    write(text: string) {
      err += text
    },
  }
  return {
    err: () => err,
    send(rows: readonly string[], options: Partial<SendOptions> = {}) {
      const path = join(directory, 'swaps.csv')
      writeFileSync(path, `${[HEADER, ...rows].join('\n')}\n`)
      return send(
        path,
        {
          url: new URL(`http://127.0.0.1:${address.port}`),
          speed: Number.POSITIVE_INFINITY,
          shiftToNow: false,
          ...options,
        },
        { clock: new SystemClock(), stdout: stream, stderr: stream },
      )
    },
  }
}

const row = (id: string, time: number) => `${id},${time},w,T,buy,1,2`
const ok = (response: ServerResponse, appended: number, invalid: object[] = []) =>
  response.end(JSON.stringify({ appended, invalid }))

test('429 and 503 are repeated after Retry-After, a broken connection too; nothing is left out', async t => {
  const taken: string[] = []
  let requests = 0
  const { send } = await harness(t, (lines, response) => {
    requests++
    if (requests === 1) response.writeHead(429, { 'retry-after': '0' }).end('{"detail":"too many"}')
    else if (requests === 2) response.writeHead(503, { 'retry-after': '0' }).end()
    else if (requests === 3) response.destroy()
    else {
      taken.push(...lines)
      ok(response, lines.length)
    }
  })
  const rows = Array.from({ length: 4500 }, (_, i) => row(`s${i}`, 1000 + i))
  assert.deepEqual(await send(rows), { appended: 4500, invalid: 0 })
  assert.deepEqual(
    taken.map(line => JSON.parse(line).id),
    rows.map((_, i) => `s${i}`),
  )
})

test('a batch that is too large is halved', async t => {
  let appended = 0
  const { send } = await harness(t, (lines, response) => {
    if (lines.length > 3) response.writeHead(413).end()
    else {
      appended += lines.length
      ok(response, lines.length)
    }
  })
  assert.deepEqual(await send(Array.from({ length: 10 }, (_, i) => row(`s${i}`, i + 1))), {
    appended: 10,
    invalid: 0,
  })
  assert.equal(appended, 10)
})

test('invalid lines are reported with the line of the file', async t => {
  const { send, err } = await harness(t, (lines, response) =>
    ok(response, lines.length - 1, [{ line: 2, field: 'usd', reason: 'wanted a decimal' }]),
  )
  assert.deepEqual(await send([row('a', 1), '', row('b', 2)]), { appended: 1, invalid: 1 })
  assert.match(err(), /^line 4: usd: wanted a decimal$/m)
})

test('a refusal ends with the reason and with what is safe', async t => {
  const { send } = await harness(t, (_, response) =>
    response
      .writeHead(400, { 'content-type': 'application/problem+json' })
      .end('{"detail":"no swaps at all"}'),
  )
  await assert.rejects(
    send([row('a', 1)]),
    /does not take the swaps: 400: no swaps at all\n0 swaps were appended/,
  )
})

test('paced by the times of the file, the newest shifted to now', async t => {
  const arrivals: number[] = []
  const times: number[] = []
  const { send } = await harness(t, (lines, response) => {
    for (const line of lines) {
      arrivals.push(Date.now())
      times.push(JSON.parse(line).time)
    }
    ok(response, lines.length)
  })
  const began = Date.now()
  await send([row('a', 1000), row('b', 3000), row('c', 2000)], { speed: 10, shiftToNow: true })
  const [a = 0, b = 0, c = 0] = times
  assert.deepEqual([b - a, c - a], [2000, 1000])
  assert.ok(b >= began && b <= Date.now(), 'the newest is now')
  // Two seconds of the file at ten times the speed.
  assert.ok((arrivals[1] ?? 0) - (arrivals[0] ?? 0) >= 150, `${arrivals}`)
})

test('speeds are factors or max', () => {
  assert.equal(parseSpeed('max'), Number.POSITIVE_INFINITY)
  assert.equal(parseSpeed('0.5'), 0.5)
  for (const text of ['0', '-1', 'fast', '1x', ''])
    assert.throws(() => parseSpeed(text), /wants a factor/, text)
})
