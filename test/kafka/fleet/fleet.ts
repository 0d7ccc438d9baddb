/// Instances of the program on one Kafka, each with a directory of its own, and what must hold of all of them.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { loadAny, serves, settle } from '../../integration/client.js'
import { Ledger } from '../../integration/ledger.js'
import { Server } from '../../integration/server.js'
import type { Random } from '../../simulation/random.js'
import { eventually } from '../../wait/eventually.js'

/// How long after a fault everything may take to agree again: the session of a member that died, and some.
export const AGREE_MS = 60_000
const SWAPS_PER_SECOND = 2000

/// A place to run an instance in: its directory outlives the process.
export interface Place {
  readonly directory: string
  readonly flags: readonly string[]
  server: Server
}

export class Fleet {
  readonly webs: Place[] = []
  readonly rollers: Place[] = []
  readonly ledger: Ledger
  readonly random: Random
  readonly #bootstrap: string
  readonly #root = mkdtempSync(join(tmpdir(), 'volumer-fleet-'))
  readonly #servers: Server[] = []
  #places = 0

  constructor(t: TestContext, bootstrap: string, random: Random) {
    this.#bootstrap = bootstrap
    this.random = random
    this.ledger = new Ledger(random)
    t.after(async () => {
      await Promise.all(this.#servers.map(server => server.kill()))
      rmSync(this.#root, { recursive: true, force: true })
    })
  }

  async roller(...flags: string[]): Promise<Place> {
    const place = await this.#place(['--roles', 'roller', ...flags])
    this.rollers.push(place)
    return place
  }

  async web(...flags: string[]): Promise<Place> {
    const place = await this.#place(['--roles', 'web', ...flags])
    this.webs.push(place)
    return place
  }

  /// Starts the instance again where it was.
  async restart(place: Place): Promise<void> {
    place.server = await this.#start(place)
  }

  /// The same on an empty disk.
  async restartBare(place: Place): Promise<void> {
    rmSync(place.directory, { recursive: true, force: true })
    await this.restart(place)
  }

  async ready(): Promise<void> {
    for (const { server } of this.webs) {
      assert.ok(await server.ready(AGREE_MS), `a web ended instead of getting ready:\n${server.output}`)
    }
  }

  /// Posts swaps while `work` goes on.
  async underLoad(work: () => Promise<void>): Promise<void> {
    const abort = new AbortController()
    const running = () => this.webs.map(({ server }) => server).filter(server => server.running)
    const loading = loadAny(running, this.ledger, this.random, SWAPS_PER_SECOND, abort.signal)
    try {
      await work()
    } finally {
      abort.abort()
      await loading
    }
  }

  /// Every web serves exactly what the ledger says, once everything is acknowledged.
  async agree(after: string): Promise<void> {
    await this.ready()
    const [first] = this.webs
    assert.ok(first)
    await settle(first.server, this.ledger)
    for (const { server } of this.webs) {
      await serves(server, this.ledger, AGREE_MS).catch(error => {
        const all = [...this.webs, ...this.rollers]
          .map(place => place.server.output.slice(-1500))
          .join('\n---\n')
        throw new Error(`after ${after}: ${error instanceof Error ? error.message : error}\n${all}`)
      })
    }
    for (const { server } of [...this.webs, ...this.rollers]) {
      assert.ok(server.running, `after ${after} an instance has ended:\n${server.output}`)
    }
  }

  /// What all processes printed last, also those that are still starting.
  output(): string {
    return this.#servers
      .map(server => `${server.running ? 'running' : 'ended'}: ${server.output.slice(-1500)}`)
      .join('\n---\n')
  }

  /// Waits until every partition has a live owner, as each web says.
  async settled(): Promise<void> {
    for (const { server } of this.webs) {
      await eventually(async () => {
        const states = (await statusOf(server)).partitions.map(({ state }) => state)
        assert.ok(
          states.every(state => state === 'live'),
          states.join(),
        )
      }, AGREE_MS)
    }
  }

  async #place(flags: readonly string[]): Promise<Place> {
    const directory = join(this.#root, String(this.#places++))
    return { directory, flags, server: await this.#start({ directory, flags }) }
  }

  async #start({ directory, flags }: Pick<Place, 'directory' | 'flags'>): Promise<Server> {
    // The last one of a flag counts, so a place may have another way to Kafka.
    const server = await Server.start(this.#root, [
      ...['--data', directory, '--kafka', this.#bootstrap, '--kafka-partitions', '4'],
      ...['--checkpoint-interval', '1s', ...flags],
    ])
    this.#servers.push(server)
    return server
  }
}

export interface Status {
  readonly partitions: readonly {
    readonly partition: number
    readonly owner: string | null
    readonly replica: string | null
    readonly state: string
    readonly gaps: readonly unknown[]
  }[]
}

export async function statusOf(server: Server): Promise<Status> {
  const response = await fetch(`${server.url}/v1/status`, { signal: AbortSignal.timeout(5000) })
  return JSON.parse(await response.text())
}
