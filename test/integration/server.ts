/// A real `volumer start` as a child process, on a port and a data directory of its own.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')

/// The environment without variables that would configure the program, tests' own among them.
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VOLUMER_')))
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Server {
  readonly url: string
  readonly exited: Promise<Exit>
  #output = ''
  #exit: Exit | null = null
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number) {
    this.#child = child
    this.url = `http://127.0.0.1:${port}`
    const keep = (text: string): void => {
      this.#output = (this.#output + text).slice(-20_000)
    }
    child.stdout?.setEncoding('utf8').on('data', keep)
    child.stderr?.setEncoding('utf8').on('data', keep)
    this.exited = new Promise(done => {
      child.on('close', (code, signal) => {
        this.#exit = { code, signal }
        done(this.#exit)
      })
    })
  }

  static async start(data: string, flags: readonly string[] = []): Promise<Server> {
    const port = await freePort()
    const child = spawn(
      process.execPath,
      [MAIN, 'start', '--data', data, '--port', String(port), '--no-faketrader', ...flags],
      { cwd: data, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    return new Server(child, port)
  }

  /// The last 20,000 characters that it printed.
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return this.#exit === null
  }

  /// True when it answers that it is ready, false when it exited instead. Fails after `limitMs`.
  async ready(limitMs = 30_000): Promise<boolean> {
    const deadline = Date.now() + limitMs
    while (this.running) {
      if (await this.#answersReady()) return true
      assert.ok(Date.now() < deadline, `neither ready nor gone after ${limitMs} ms:\n${this.#output}`)
      await Promise.race([pause(15), this.exited])
    }
    return false
  }

  async #answersReady(): Promise<boolean> {
    try {
      const response = await fetch(`${this.url}/readyz`, { signal: AbortSignal.timeout(5000) })
      await response.arrayBuffer()
      return response.status === 200
    } catch {
      return false
    }
  }

  /// The statistics of a token as the server has them; null for 404.
  async token(name: string): Promise<unknown> {
    const response = await fetch(`${this.url}/v1/tokens/${encodeURIComponent(name)}`)
    const body: unknown = await response.json()
    if (response.status === 404) return null
    assert.equal(response.status, 200, `GET ${name}: ${JSON.stringify(body)}`)
    return body
  }

  /// Sends a signal. The promise of `exited` tells the rest.
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal)
  }

  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.exited
  }
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>(done => probe.listen(0, '127.0.0.1', done))
  const address = probe.address()
  await new Promise(done => probe.close(done))
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
