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
import { lastLines, step } from '../../wait/step.js'

/// How long after a fault everything may take to agree again: the session of a member that died, and some.
export const AGREE_MS = 60_000
/// How long an instance may take from its start until it listens, and from a SIGTERM to its end: much longer than it should, since
/// the machine may have other things to do.
const START_MS_MAX = 60_000
const END_MS_MAX = 30_000
const SWAPS_PER_SECOND = 2000

/// A place to run an instance in: its directory outlives the process.
export interface Place {
  /// `roller 1`.
  readonly name: string
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
  readonly #besides: () => string
  readonly #root = mkdtempSync(join(tmpdir(), 'volumer-fleet-'))
  readonly #servers: Server[] = []

  /// `besides` tells what else is worth to be read when something fails: a broker's log.
  constructor(t: TestContext, bootstrap: string, random: Random, besides: () => string = () => '') {
    this.#bootstrap = bootstrap
    this.#besides = besides
    this.random = random
    this.ledger = new Ledger(random)
    t.after(async () => {
      await Promise.all(this.#servers.map(server => server.kill()))
      rmSync(this.#root, { recursive: true, force: true })
    })
  }

  roller(...flags: string[]): Promise<Place> {
    return this.#place('roller', this.rollers, flags)
  }

  web(...flags: string[]): Promise<Place> {
    return this.#place('web', this.webs, flags)
  }

  /// Starts the instance again where it was.
  async restart(place: Place): Promise<void> {
    place.server = this.#spawn(place)
    await this.#listens(place)
  }

  /// The same on an empty disk.
  async restartBare(place: Place): Promise<void> {
    rmSync(place.directory, { recursive: true, force: true })
    await this.restart(place)
  }

  /// Sends SIGTERM, and waits for the end that it must have.
  async stop({ name, server }: Place): Promise<void> {
    server.signal('SIGTERM')
    await this.step(
      `${name} ends after SIGTERM`,
      server.exited.then(exit => assert.deepEqual(exit, { code: 0, signal: null })),
      END_MS_MAX,
    )
  }

  async ready(): Promise<void> {
    for (const { name, server } of this.webs) {
      const ready = server.ready(AGREE_MS).then(isReady => assert.ok(isReady, 'it has ended'))
      await this.step(`${name} is ready`, ready, 2 * AGREE_MS)
    }
  }

  /// What the step comes to. When it fails, or takes longer, the error names it and has what all processes printed last.
  step<T>(what: string, work: Promise<T>, limitMs: number): Promise<T> {
    return step(what, limitMs, work, () => this.output())
  }

  /// Posts swaps while `work` goes on.
  async underLoad(work: () => Promise<void>): Promise<void> {
    const abort = new AbortController()
    const serving = () => this.webs.map(({ server }) => server).filter(server => server.serving)
    const loading = loadAny(serving, this.ledger, this.random, SWAPS_PER_SECOND, abort.signal)
    const [worked, loaded] = await Promise.allSettled([work().finally(() => abort.abort()), loading])
    if (worked.status === 'rejected') throw worked.reason
    if (loaded.status === 'rejected') {
      await this.step('swaps are posted', Promise.reject(loaded.reason), 0)
    }
  }

  /// Every web serves exactly what the ledger says, once everything is acknowledged.
  async agree(after: string): Promise<void> {
    await this.step(`all agree after: ${after}`, this.#agree(), 10 * AGREE_MS)
  }

  async #agree(): Promise<void> {
    await this.ready()
    const [first] = this.webs
    assert.ok(first)
    await this.step('everything is acknowledged', settle(first.server, this.ledger, AGREE_MS), 2 * AGREE_MS)
    for (const { name, server } of this.webs) {
      const right = serves(server, this.ledger, AGREE_MS)
      await this.step(`${name} serves what was acknowledged`, right, 2 * AGREE_MS)
    }
    for (const { name, server } of [...this.webs, ...this.rollers]) {
      assert.ok(server.running, `${name} has ended`)
    }
  }

  /// What all processes printed last, also those that are still starting.
  output(): string {
    const processes = [...this.webs, ...this.rollers].map(({ name, server }) => {
      const { code, signal } = server.exit ?? {}
      const state = server.running ? (server.serving ? 'runs' : 'is starting') : `ended: ${code ?? signal}`
      return `  ${name} ${state}\n${lastLines(server.output)}`
    })
    return `${processes.join('')}${this.#besides()}`
  }

  /// Waits until every partition has a live owner, as each web says.
  async settled(): Promise<void> {
    for (const { name, server } of this.webs) {
      const settled = eventually(async () => {
        const states = (await statusOf(server)).partitions.map(({ state }) => state)
        assert.ok(
          states.every(state => state === 'live'),
          states.join(),
        )
      }, AGREE_MS)
      await this.step(`${name} says that all partitions are live`, settled, 2 * AGREE_MS)
    }
  }

  async #place(role: string, among: Place[], flags: readonly string[]): Promise<Place> {
    const name = `${role} ${among.length + 1}`
    const [directory, all] = [join(this.#root, name), ['--roles', role, ...flags]]
    const place = { name, directory, flags: all, server: this.#spawn({ directory, flags: all }) }
    among.push(place)
    await this.#listens(place)
    return place
  }

  async #listens({ name, server }: Place): Promise<void> {
    const listening = server.listening.then(() => assert.ok(server.serving, 'it has ended'))
    await this.step(`${name} starts`, listening, START_MS_MAX)
  }

  #spawn({ directory, flags }: Pick<Place, 'directory' | 'flags'>): Server {
    // The last one of a flag counts, so a place may have another way to Kafka.
    const server = Server.spawn(this.#root, [
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
