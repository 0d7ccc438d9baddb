/// A cluster of one or three brokers on this machine, for tests: on free ports, in a directory that the caller gives,
/// gone with the process that started it.

import { join } from 'node:path'
import { KafkaToolError } from './jars.js'
import { KafkaNode } from './node.js'
import type { NodePorts, Security } from './node-properties.js'
import { freePorts } from './ports.js'
import { answers } from './ready.js'

const READY_MS = 60_000

export interface ClusterOptions {
  readonly directory: string
  readonly brokers: 1 | 3
  /// Opens listeners with TLS, with SASL, and with both, besides the plain one.
  readonly security?: Security | null
  /// Gives each broker a listener whose clients come by way of a port where the test listens (`ports`).
  readonly proxied?: boolean
  readonly say?: (line: string) => void
}

export class TestCluster {
  readonly nodes: readonly KafkaNode[]
  readonly ports: readonly NodePorts[]
  readonly #say: (line: string) => void

  private constructor(nodes: readonly KafkaNode[], ports: readonly NodePorts[], say: (line: string) => void) {
    this.nodes = nodes
    this.ports = ports
    this.#say = say
  }

  /// Resolves when every broker answers.
  static async start(options: ClusterOptions): Promise<TestCluster> {
    const { directory, brokers, security = null, proxied = false, say = () => {} } = options
    const secure = security === null ? [] : (['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const)
    const perNode = 2 + secure.length + (proxied ? 2 : 0)
    const free = await freePorts(brokers * perNode)
    const ports = Array.from({ length: brokers }, (_, i): NodePorts => {
      const [broker = 0, controller = 0, ...rest] = free.slice(i * perNode, (i + 1) * perNode)
      const [listens = 0, advertises = 0] = rest.slice(secure.length)
      return {
        ...{ broker, controller },
        secure: secure.map((name, j) => ({ name, port: rest[j] ?? 0 })),
        ...(proxied ? { proxied: { listens, advertises } } : {}),
      }
    })
    const nodes = ports.map((_, i) => {
      const home = join(directory, `node-${i + 1}`)
      return new KafkaNode(home, { id: i + 1, ports, dataDirectory: join(home, 'data'), security })
    })
    const cluster = new TestCluster(nodes, ports, say)
    await Promise.all(nodes.map(node => node.prepare(say)))
    for (const node of nodes) node.start('tied', say)
    await cluster.ready()
    return cluster
  }

  /// Where clients begin: `127.0.0.1:PORT` of each node, by listener.
  bootstrap(listener: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL' = 'PLAINTEXT'): string {
    return this.ports
      .map(({ broker, secure }) =>
        listener === 'PLAINTEXT' ? broker : secure.find(({ name }) => name === listener)?.port,
      )
      .map(port => `127.0.0.1:${port}`)
      .join(',')
  }

  /// Resolves when every running broker knows all the running ones.
  async ready(): Promise<void> {
    const running = this.nodes.filter(node => node.running).length
    for (const [i, node] of this.nodes.entries()) {
      const port = this.ports[i]?.broker ?? 0
      if (!node.running) continue
      if (await answers(port, running, READY_MS, () => node.running)) continue
      throw new KafkaToolError(`The broker at 127.0.0.1:${port} does not answer. Its log:\n${node.logTail()}`)
    }
  }

  /// The last lines of every broker's log, for messages.
  lastLines(lines = 5): string {
    return this.nodes
      .map((node, i) => {
        const last = node.logTail().trimEnd().split('\n').slice(-lines)
        return `  broker ${i + 1} ${node.running ? 'runs' : 'does not run'}\n${last.map(line => `    ${line.slice(0, 240)}\n`).join('')}`
      })
      .join('')
  }

  /// Starts a node that was stopped or killed.
  restart(index: number): void {
    this.nodes[index]?.start('tied', this.#say)
  }

  /// Ends every broker at once: nobody needs their data any more.
  async close(): Promise<void> {
    await Promise.all(this.nodes.map(node => node.kill()))
  }
}
