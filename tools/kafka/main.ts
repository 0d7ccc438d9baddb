/// `make kafka` and `make kafka-stop`: real brokers on this machine, with Docker where its engine runs, else from
/// Maven Central's artifacts on Java.
///
///   node dist/tools/kafka/main.js start [--brokers 1|3] [--port 9092] [--data ./data/kafka] [--with docker|java]
///   node dist/tools/kafka/main.js stop  [--data ./data/kafka]
///   node dist/tools/kafka/main.js tool configs|topics|produce|consume ARGUMENTS     Kafka's own tools
///
/// `start` returns when the brokers answer; they run on until `stop`.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dockerDown, dockerLog, dockerProblem, dockerUp } from './docker.js'
import { classPath, javaProblem, KafkaToolError } from './jars.js'
import { KafkaNode } from './node.js'
import { answers, brokersKnown } from './ready.js'

const START_MS = 90_000
const STOP_MS = 60_000

const TOOL_CLASSES: Readonly<Record<string, string>> = {
  configs: 'kafka.admin.ConfigCommand',
  topics: 'org.apache.kafka.tools.TopicCommand',
  produce: 'org.apache.kafka.tools.ConsoleProducer',
  consume: 'org.apache.kafka.tools.consumer.ConsoleConsumer',
}

/// What runs, as `start` leaves it in the data directory for `stop`.
interface Running {
  readonly how: 'docker' | 'java'
  readonly ports: readonly number[]
  readonly pids: readonly number[]
}

interface Wanted {
  readonly data: string
  readonly ports: readonly number[]
  readonly how: 'docker' | 'java'
}

const say = (line: string): void => console.log(line)
const runningFile = (data: string): string => join(data, 'running.json')
const addresses = (ports: readonly number[]): string => ports.map(port => `127.0.0.1:${port}`).join(',')

function readRunning(data: string): Running | null {
  return existsSync(runningFile(data)) ? JSON.parse(readFileSync(runningFile(data), 'utf8')) : null
}

function wanted(arguments_: readonly string[]): Wanted {
  const { values } = parseArgs({
    args: [...arguments_],
    options: {
      brokers: { type: 'string', default: '1' },
      port: { type: 'string', default: '9092' },
      data: { type: 'string', default: './data/kafka' },
      with: { type: 'string' },
    },
  })
  const first = Number(values.port)
  if (values.brokers !== '1' && values.brokers !== '3') throw new KafkaToolError('--brokers wants 1 or 3')
  if (!Number.isInteger(first) || first < 1 || first > 65_530) throw new KafkaToolError('--port wants a port')
  const ports = Array.from({ length: Number(values.brokers) }, (_, i) => first + 2 * i)
  return { data: resolve(values.data), ports, how: chooseHow(values.with) }
}

/// Docker where its engine runs, else Java; says why not, when neither will do.
function chooseHow(asked: string | undefined): 'docker' | 'java' {
  if (asked !== undefined && asked !== 'docker' && asked !== 'java') {
    throw new KafkaToolError('--with wants docker or java')
  }
  const docker = asked === 'java' ? 'it was not asked for' : dockerProblem()
  if (docker === null) return 'docker'
  if (asked === 'docker') throw new KafkaToolError(`Docker cannot be used: ${docker}.`)
  const java = javaProblem()
  if (java === null) {
    if (asked === undefined)
      say(`Without Docker (${docker}): Kafka from Maven Central, on this machine's Java.`)
    return 'java'
  }
  throw new KafkaToolError(
    `Kafka cannot be run here. With Docker: ${docker}. With Java: ${java}.\n` +
      'Start a Docker engine, or install Java 17 or newer and Maven (Debian: apt-get install openjdk-17-jre-headless maven).',
  )
}

async function start({ data, ports, how }: Wanted): Promise<void> {
  const before = readRunning(data)
  if (before !== null && (await brokersKnown(before.ports[0] ?? 0)) > 0) {
    say(`Kafka runs already at ${addresses(before.ports)} (${data}). \`make kafka-stop\` stops it.`)
    return
  }
  for (const port of ports) {
    if ((await brokersKnown(port)) > 0) {
      throw new KafkaToolError(
        `A Kafka broker that was not started from ${data} answers at 127.0.0.1:${port} already.`,
      )
    }
  }
  mkdirSync(data, { recursive: true })
  const began = Date.now()
  const { running, alive, log } = how === 'docker' ? startDocker(ports) : await startJava(data, ports)
  writeFileSync(runningFile(data), JSON.stringify(running))
  for (const port of ports) {
    if (await answers(port, ports.length, START_MS, alive)) continue
    await stop(data)
    throw new KafkaToolError(`The broker at 127.0.0.1:${port} does not answer. The end of its log:\n${log()}`)
  }
  const many = ports.length === 1 ? 'Kafka answers' : `${ports.length} brokers answer`
  say(`${many} at ${addresses(ports)} after ${((Date.now() - began) / 1000).toFixed(1)} s.`)
  say(how === 'docker' ? 'Data: Docker volumes of volumer-kafka.' : `Data and log: ${data}`)
  say(`Use it:  VOLUMER_KAFKA_BROKERS=${addresses(ports)} make run`)
  say('Stop it: make kafka-stop')
}

interface Started {
  readonly running: Running
  alive(): boolean
  log(): string
}

function startDocker(ports: readonly number[]): Started {
  dockerUp(ports)
  return {
    running: { how: 'docker', ports, pids: [] },
    alive: () => true,
    log: () => dockerLog(ports.length),
  }
}

async function startJava(data: string, ports: readonly number[]): Promise<Started> {
  const everyPort = ports.map(broker => ({ broker, controller: broker + 1, secure: [] }))
  const nodes = ports.map((_, i) => {
    // A node's settings name all nodes, so a cluster of another size has directories of its own.
    const directory = join(data, `${ports.length}-brokers`, `node-${i + 1}`)
    const dataDirectory = join(directory, 'data')
    return new KafkaNode(directory, { id: i + 1, ports: everyPort, dataDirectory, security: null })
  })
  classPath(say)
  await Promise.all(nodes.map(node => node.prepare(say)))
  const pids = nodes.map(node => node.start('detached', say))
  return {
    running: { how: 'java', ports, pids },
    alive: () => nodes.every(node => node.running),
    log: () => nodes.map(node => node.logTail()).join('\n'),
  }
}

async function stop(data: string): Promise<void> {
  const running = readRunning(data)
  if (running === null) {
    say(`No Kafka was started from ${data}.`)
    return
  }
  if (running.how === 'docker') dockerDown(running.ports.length)
  else await stopJava(running)
  rmSync(runningFile(data))
  say(`Stopped Kafka at ${addresses(running.ports)}. Its data stay.`)
}

async function stopJava({ pids }: Running): Promise<void> {
  for (const pid of pids) if (isBroker(pid)) process.kill(pid, 'SIGTERM')
  const deadline = Date.now() + STOP_MS
  while (pids.some(isBroker)) {
    if (Date.now() > deadline) {
      const left = pids.filter(isBroker)
      say(`Brokers ${left.join(', ')} did not stop within ${STOP_MS / 1000} s, so they are killed.`)
      for (const pid of left) process.kill(pid, 'SIGKILL')
    }
    await pause(50)
  }
}

/// Whether the process is one of our brokers: its id may be another's by now.
function isBroker(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
  return / kafka\.Kafka \S+server\.properties\s*$/.test(stdout ?? '')
}

/// Runs one of Kafka's own tools with this terminal.
function tool([name = '', ...rest]: readonly string[]): number {
  const mainClass = TOOL_CLASSES[name]
  if (mainClass === undefined) {
    throw new KafkaToolError(`There is no tool "${name}"; there are ${Object.keys(TOOL_CLASSES).join(', ')}.`)
  }
  return spawnSync('java', ['-cp', classPath(say), mainClass, ...rest], { stdio: 'inherit' }).status ?? 1
}

async function main([command, ...rest]: readonly string[]): Promise<number> {
  switch (command) {
    case 'start':
      await start(wanted(rest))
      return 0
    case 'stop':
      await stop(
        resolve(
          parseArgs({ args: [...rest], options: { data: { type: 'string', default: './data/kafka' } } })
            .values.data,
        ),
      )
      return 0
    case 'tool':
      return tool(rest)
    default:
      console.error('usage: kafka start|stop|tool; see the top of tools/kafka/main.ts')
      return 2
  }
}

main(process.argv.slice(2)).then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof KafkaToolError ? error.message : error)
    process.exit(1)
  },
)
