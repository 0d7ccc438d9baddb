/// One broker process: formats its directory the first time, runs, can be stopped, killed, frozen and started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { classPath, KafkaToolError, TOOLS } from './jars.js'
import { type NodeSettings, nodeProperties, type Security } from './node-properties.js'

/// Any 16 bytes in base64, the same for every node.
const CLUSTER_ID = 'dm9sdW1lcmx1bWVydm9sdQ'

/// Small and quick to start: a test's broker or a laptop's, not a data centre's.
const JVM = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

const STOP_MS_MAX = 30_000

/// Kills the process once its standard input ends: that is when the process at the other end dies, however it does.
const WATCH = 'read -r _; kill -9 "$1"'

export class KafkaNode {
  readonly directory: string
  readonly #settings: NodeSettings
  #child: ChildProcess | null = null
  #exited: Promise<void> = Promise.resolve()

  /// `directory` holds settings, log and data.
  constructor(directory: string, settings: NodeSettings) {
    this.directory = directory
    this.#settings = settings
  }

  get logFile(): string {
    return join(this.directory, 'broker.log')
  }

  get #properties(): string {
    return join(this.directory, 'server.properties')
  }

  /// Writes the settings, and formats the data directory unless it is formatted.
  async prepare(say: (line: string) => void): Promise<void> {
    mkdirSync(this.directory, { recursive: true })
    writeFileSync(this.#properties, nodeProperties(this.#settings))
    if (existsSync(join(this.#settings.dataDirectory, 'meta.properties'))) return
    const users = this.#settings.security === null ? [] : scramUsers(this.#settings.security)
    await runJava(
      'kafka.tools.StorageTool',
      ['format', '-t', CLUSTER_ID, '-c', this.#properties, ...users],
      say,
    )
  }

  /// Begins to run; `whose` says whether the broker ends with this process or outlives it. Returns the process id.
  start(whose: 'tied' | 'detached', say: (line: string) => void): number {
    if (this.#child !== null) throw new Error(`node ${this.#settings.id} runs already`)
    const log = openSync(this.logFile, 'a')
    const child = spawn('java', [...brokerArguments(say), this.#properties], {
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    // That it cannot be started is seen below.
    child.on('error', () => {})
    if (child.pid === undefined) throw new KafkaToolError('`java` cannot be started')
    const unwatch = whose === 'tied' ? watch(child.pid) : () => {}
    this.#child = child
    this.#exited = new Promise(resolve => {
      child.once('exit', () => {
        unwatch()
        this.#child = null
        resolve()
      })
    })
    child.unref()
    return child.pid
  }

  get running(): boolean {
    return this.#child !== null
  }

  /// A clean shutdown: leaders move, logs are closed. One that does not come to an end is killed.
  async stop(): Promise<void> {
    const child = this.#child
    child?.kill('SIGTERM')
    const limit = setTimeout(() => child?.kill('SIGKILL'), STOP_MS_MAX)
    await this.#ended()
    clearTimeout(limit)
  }

  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#ended()
  }

  /// Stands still, as in a long pause, until `thaw`.
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /// The end of the broker's log, for messages.
  logTail(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').slice(-3000) : ''
  }

  /// While somebody waits for its end, the broker does keep this process alive.
  async #ended(): Promise<void> {
    this.#child?.ref()
    await this.#exited
  }
}

/// Ties a process to this one. Returns the function that lets go of it.
function watch(pid: number): () => void {
  const watcher = spawn('/bin/sh', ['-c', WATCH, 'sh', String(pid)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Neither it nor its pipe keeps this process alive.
  watcher.unref()
  if (watcher.stdin instanceof Socket) watcher.stdin.unref()
  watcher.stdin?.on('error', () => {})
  return () => watcher.kill('SIGKILL')
}

function brokerArguments(say: (line: string) => void): string[] {
  const log4j = `-Dlog4j2.configurationFile=${join(TOOLS, 'log4j2.yaml')}`
  return [...JVM, log4j, '-cp', classPath(say), 'kafka.Kafka']
}

function scramUsers({ user, password }: Security): string[] {
  return ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
    '--add-scram',
    `${mechanism}=[name=${user},password=${password}]`,
  ])
}

/// Runs one of Kafka's own command line tools with `input` as its standard input. Resolves with what it printed;
/// rejects when it fails.
export async function runJava(
  mainClass: string,
  arguments_: readonly string[],
  say: (line: string) => void,
  input: string | Buffer = '',
): Promise<string> {
  const child = spawn('java', [...JVM, '-cp', classPath(say), mainClass, ...arguments_], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const code = await new Promise<number | null>(resolve => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  if (code !== 0) throw new KafkaToolError(`${mainClass} failed:\n${(output + errors).slice(-4000)}`)
  return output
}
