/// A real PostgreSQL for tests: the system's own server, started in a scratch directory on a free port of 127.0.0.1, as a
/// user that is not root, which PostgreSQL refuses to be. It goes with the process.

import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'

const DEBIAN = '/usr/lib/postgresql'
const MAJOR_MIN = 15
const NOBODY = 65_534
const START_MS_MAX = 60_000
const SETTINGS = {
  // Crashes of the machine are not tested; those of the server leave what it wrote to the system.
  fsync: 'off',
  full_page_writes: 'off',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '40',
  shared_buffers: '64MB',
  log_min_messages: 'fatal',
  // In the data directory, so that a kill leaves nothing elsewhere.
  dynamic_shared_memory_type: 'mmap',
}

/// The directory with the newest server's programs; null where there is none that is new enough.
function findPrograms(): string | null {
  const majors = existsSync(DEBIAN)
    ? readdirSync(DEBIAN)
        .map(Number)
        .filter(major => major >= MAJOR_MIN && existsSync(`${DEBIAN}/${major}/bin/initdb`))
        .sort((a, b) => b - a)
    : []
  if (majors[0] !== undefined) return `${DEBIAN}/${majors[0]}/bin`
  try {
    const directory = execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim()
    const version = execFileSync(join(directory, 'postgres'), ['--version'], { encoding: 'utf8' })
    return Number(/(\d+)/.exec(version)?.[1]) >= MAJOR_MIN ? directory : null
  } catch {
    return null
  }
}

/// Where there is no server, nothing is tested with it: a failure in CI, one loud line elsewhere.
export function postgresPrograms(): string | null {
  const programs = findPrograms()
  if (programs !== null) return programs
  const message = `there is no PostgreSQL of version ${MAJOR_MIN} or newer on this machine (Debian: apt-get install postgresql)`
  assert.ok(process.env.CI === undefined, message)
  console.log(`NOT CHECKED: PostgreSQL: ${message}`)
  return null
}

export class PostgresServer {
  readonly #programs: string
  readonly #directory: string
  readonly port: number
  #child: ChildProcess | null = null
  #output = ''

  readonly #settings: Readonly<Record<string, string>>

  private constructor(
    programs: string,
    directory: string,
    port: number,
    settings: Readonly<Record<string, string>>,
  ) {
    this.#settings = settings
    this.#programs = programs
    this.#directory = directory
    this.port = port
  }

  /// In memory where the system has a place for that, and with SETTINGS, unless said.
  static async start(
    programs: string,
    settings: Readonly<Record<string, string>> = {},
    parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir(),
  ): Promise<PostgresServer> {
    const directory = mkdtempSync(join(parent, 'volumer-postgres-'))
    if (process.getuid?.() === 0) chownSync(directory, NOBODY, NOBODY)
    const data = join(directory, 'data')
    execFileSync(
      join(programs, 'initdb'),
      [
        '--pgdata',
        data,
        '--username',
        'volumer',
        '--auth',
        'trust',
        '--no-sync',
        '--encoding',
        'UTF8',
        '--locale',
        'C',
      ],
      { ...asNobody(), cwd: directory, stdio: 'pipe' },
    )
    const server = new PostgresServer(programs, data, await freePort(), { ...SETTINGS, ...settings })
    process.once('exit', () => {
      server.#child?.kill('SIGQUIT')
      rmSync(directory, { recursive: true, force: true })
    })
    await server.run()
    return server
  }

  /// Starts it again after `kill` or `stop`, on the same data and port.
  async run(): Promise<void> {
    const deadline = Date.now() + START_MS_MAX
    let child = this.#spawn()
    while (!(await this.#answers())) {
      // A process that was forked while the others were killed ends by itself, a moment later.
      const isAwaited = child.exitCode !== null && this.#output.includes('is still in use')
      assert.ok(child.exitCode === null || isAwaited, `PostgreSQL exited:\n${this.#output}`)
      assert.ok(Date.now() < deadline, `PostgreSQL does not answer:\n${this.#output}`)
      await pause(20)
      if (isAwaited) child = this.#spawn()
    }
  }

  #spawn(): ChildProcess {
    const settings = Object.entries(this.#settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(
      join(this.#programs, 'postgres'),
      ['-D', this.#directory, '-p', String(this.port), ...settings],
      { ...asNobody(), cwd: this.#directory, stdio: ['ignore', 'pipe', 'pipe'] },
    )
    this.#child = child
    this.#output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', text => {
        this.#output = (this.#output + text).slice(-4000)
      })
    }
    return child
  }

  /// Of a new, empty database.
  async newDatabase(): Promise<string> {
    const name = `test_${Math.random().toString(36).slice(2)}`
    await this.query('postgres', `CREATE DATABASE ${name}`)
    return this.urlOf(name)
  }

  urlOf(database: string): string {
    return `postgres://volumer@127.0.0.1:${this.port}/${database}`
  }

  async query(database: string, sql: string): Promise<unknown[][]> {
    const client = new Client({ connectionString: this.urlOf(database) })
    await client.connect()
    try {
      const result = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
      // Of several statements the last one's rows.
      return Array.isArray(result) ? result.at(-1).rows : result.rows
    } finally {
      await client.end()
    }
  }

  /// SIGINT ends it in order, SIGQUIT and SIGKILL as a crash does. Resolves when it is gone.
  async stop(signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL' = 'SIGINT'): Promise<void> {
    const child = this.#child
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    // A backend whose postmaster was killed may answer one more question: a crash of the machine takes all of them.
    if (signal === 'SIGKILL') this.signalAll(signal)
    else child.kill(signal)
    await gone
  }

  /// Halts every process of it, as a machine that hangs does, lets them go on, or ends them.
  signalAll(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    const children = execFileSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
    for (const each of [pid, ...children.trim().split(/\s+/).map(Number)]) {
      try {
        process.kill(each, signal)
      } catch (error) {
        // Gone since it was listed.
        assert.equal(Object(error).code, 'ESRCH')
      }
    }
  }

  async #answers(): Promise<boolean> {
    try {
      await this.query('postgres', 'SELECT 1')
      return true
    } catch {
      return false
    }
  }
}

const asNobody = () => (process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {})

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}
