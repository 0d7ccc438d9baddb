/// One broker process: formats its directory the first time, runs, can be stopped, killed, frozen and started again.

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { classPath, KafkaToolError, TOOLS } from './jars.js'
import { type NodeSettings, nodeProperties, type Security } from './node-properties.js'

/// Any 16 bytes in base64, the same for every node.
const CLUSTER_ID = 'dm9sdW1lcmx1bWVydm9sdQ'

/// Small and quick to start: a test's broker or a laptop's, not a data centre's.
const JVM = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto']

/// Runs the command after `-c` and kills it once this process's standard input ends: it ends with the process that
/// holds its other end, however that one dies.
const WATCHED = `"$@" </dev/null & java=$!; { read -r _; kill -9 $java; } <&3 & watch=$!
trap 'kill -TERM $java' TERM; wait $java; code=$?; while kill -0 $java 2>/dev/null; do wait $java; code=$?; done
kill $watch 2>/dev/null; exit $code`

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
    const java = ['java', ...brokerArguments(say), this.#properties]
    const [command = '', ...rest] =
      whose === 'tied' ? ['/bin/sh', '-c', `exec 3<&0; ${WATCHED}`, 'sh', ...java] : java
    const child = spawn(command, rest, {
      detached: true,
      stdio: [whose === 'tied' ? 'pipe' : 'ignore', log, log],
    })
    child.stdin?.on('error', () => {})
    // Neither the process nor its pipe keeps this one alive.
    if (child.stdin instanceof Socket) child.stdin.unref()
    this.#child = child
    this.#exited = new Promise(resolve => {
      child.once('close', () => {
        this.#child = null
        resolve()
      })
      child.once('error', () => {
        this.#child = null
        resolve()
      })
    })
    child.unref()
    if (child.pid === undefined) throw new KafkaToolError(`\`${command}\` cannot be started`)
    return child.pid
  }

  get running(): boolean {
    return this.#child !== null
  }

  /// A clean shutdown: leaders move, logs are closed.
  async stop(): Promise<void> {
    this.#signal('SIGTERM')
    await this.#exited
  }

  /// SIGKILL, to every process of the node. Resolves when all are gone: the broker may go a moment after its shell.
  async kill(): Promise<void> {
    const group = this.#child?.pid
    this.#signal('SIGKILL', 'group')
    await this.#exited
    while (group !== undefined && isAlive(-group)) await pause(5)
  }

  /// Stands still, as in a long pause, until `thaw`.
  freeze(): void {
    this.#signal('SIGSTOP', 'group')
  }

  thaw(): void {
    this.#signal('SIGCONT', 'group')
  }

  /// The end of the broker's log, for messages.
  logTail(): string {
    return existsSync(this.logFile) ? readFileSync(this.logFile, 'utf8').slice(-3000) : ''
  }

  #signal(signal: NodeJS.Signals, to: 'process' | 'group' = 'process'): void {
    const pid = this.#child?.pid
    if (pid === undefined) return
    try {
      process.kill(to === 'group' ? -pid : pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}

/// Whether there is such a process, or, for a negative number, a process of such a group.
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
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
