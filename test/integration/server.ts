/// A real `volumer start` as a child process, on a port and a data directory of its own.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')

/// The environment without variables that would configure the program, tests' own among them.
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VOLUMER_')))
}

/// Longer than a machine with other things to do needs.
const ANSWER_MS_MAX = 30_000

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export class Server {
  readonly exited: Promise<Exit>
  /// Resolves once it listens, or has exited instead.
  readonly listening: Promise<unknown>
  #output = ''
  #url: string | null = null
  #exit: Exit | null = null
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
    let listens: () => void = () => {}
    const listening = new Promise<void>(resolve => {
      listens = resolve
    })
    const keep = (text: string): void => {
      this.#output = (this.#output + text).slice(-20_000)
      this.#url ??= /listening +(http:\S+)\n/.exec(this.#output)?.[1] ?? null
      if (this.#url !== null) listens()
    }
    child.stdout?.setEncoding('utf8').on('data', keep)
    child.stderr?.setEncoding('utf8').on('data', keep)
    this.exited = new Promise(done => {
      child.on('close', (code, signal) => {
        this.#exit = { code, signal }
        done(this.#exit)
      })
    })
    this.listening = Promise.race([listening, this.exited])
  }

  /// Resolves once it listens, or has exited instead.
  static async start(data: string, flags: readonly string[] = []): Promise<Server> {
    const server = Server.spawn(data, flags)
    await server.listening
    return server
  }

  /// Resolves at once.
  static spawn(data: string, flags: readonly string[] = []): Server {
    // Without an archive, unless the test is about it.
    const archive = flags.includes('--archive') ? [] : ['--archive', 'none']
    const child = spawn(
      process.execPath,
      [MAIN, 'start', '--data', data, '--port', '0', '--no-faketrader', ...archive, ...flags],
      { cwd: data, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    return new Server(child)
  }

  /// Where it listens. The program chooses the port, since one that a test found free may be taken by then.
  get url(): string {
    assert.ok(this.#url !== null, `it does not listen:\n${this.#output}`)
    return this.#url
  }

  /// The last 20,000 characters that it printed.
  get output(): string {
    return this.#output
  }

  get running(): boolean {
    return this.#exit === null
  }

  /// What its end was; null while it runs.
  get exit(): Exit | null {
    return this.#exit
  }

  /// It runs, and said where it listens.
  get serving(): boolean {
    return this.running && this.#url !== null
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
    const response = await fetch(`${this.url}/v1/tokens/${encodeURIComponent(name)}`, {
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    })
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

/// A data directory and a way to start servers on it that leaves none running.
export function serversOnOneDirectory(
  t: TestContext,
  flags: readonly string[],
): { readonly data: string; start: () => Promise<Server> } {
  const data = mkdtempSync(join(tmpdir(), 'volumer-server-'))
  const servers: Server[] = []
  t.after(async () => {
    await Promise.all(servers.map(server => server.kill()))
    rmSync(data, { recursive: true, force: true })
  })
  return {
    data,
    start: async () => {
      const server = await Server.start(data, flags)
      servers.push(server)
      return server
    },
  }
}
