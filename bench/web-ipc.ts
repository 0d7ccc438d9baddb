/// Talks to the server process of the web benchmarks.

import { type ChildProcess, fork } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export type Asked =
  | { readonly do: 'fill'; readonly tokens: number }
  | { readonly do: 'trade'; readonly tokens: number; readonly perSecond: number }
  | { readonly do: 'rest' | 'cost' }
  /// Garbage first: for the memory. What comes after is slower for a while.
  | { readonly do: 'collect' }
  | { readonly do: 'saturate'; readonly tokens: number; readonly ms: number }

/// Since the question before.
export interface Cost {
  readonly cpuMs: number
  readonly rssBytes: number
  readonly messagesSent: number
  readonly updatesConflated: number
}

export class WebProcess {
  readonly port: number
  readonly emptyPort: number
  readonly #child: ChildProcess

  private constructor(child: ChildProcess, port: number, emptyPort: number) {
    this.#child = child
    this.port = port
    this.emptyPort = emptyPort
  }

  static async start(): Promise<WebProcess> {
    const path = join(dirname(fileURLToPath(import.meta.url)), 'web-server.js')
    const child = fork(path, [], { execArgv: ['--expose-gc'] })
    const { port, emptyPort } = await new Promise<{ port: number; emptyPort: number }>((resolve, reject) => {
      child.once('message', (ports: { port: number; emptyPort: number }) => resolve(ports))
      child.once('exit', code => reject(new Error(`the server ended with ${code}`)))
    })
    return new WebProcess(child, port, emptyPort)
  }

  ask(asked: Asked): Promise<Cost> {
    return new Promise(resolve => {
      this.#child.once('message', (cost: Cost) => resolve(cost))
      this.#child.send(asked)
    })
  }

  stop(): void {
    this.#child.disconnect()
  }
}
