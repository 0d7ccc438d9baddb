/// A user of the fleet: follows all tokens by `volumer/client`, through a load balancer that sends each connection to a web that serves. It
/// comes back by itself when its web is killed, and must be left with what is true.
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { type GapNotice, type TokenUpdate, VolumerClient } from '../../../src/client/client.js'
import { servedDay } from '../../integration/client.js'
import { eventually } from '../../wait/eventually.js'
import { AGREE_MS, type Fleet, type Place } from './fleet.js'
import { TcpProxy } from './tcp-proxy.js'

interface Known {
  readonly partition: number
  readonly offset: number
  readonly tick: number
  readonly total: number
}

export class Follower {
  readonly #fleet: Fleet
  readonly #client: VolumerClient
  readonly #latest = new Map<string, TokenUpdate['stats']>()
  /// What was known of each token since the last gap: nothing older may come.
  readonly #known = new Map<string, Known>()
  readonly #wrong: string[] = []
  /// Where its connection goes.
  at: Place | null = null
  opened = 0
  updates = 0
  readonly gaps: GapNotice[] = []

  private constructor(fleet: Fleet, port: number) {
    this.#fleet = fleet
    this.#client = new VolumerClient({
      url: `http://127.0.0.1:${port}`,
      WebSocket,
      onOpen: () => {
        this.opened++
      },
      onGap: gap => this.#noteGap(gap),
    })
    const { tokens } = fleet.ledger
    this.#client.subscribe({ channel: 'token', tokens, mode: 'delta' }, update => this.#note(update))
  }

  static async begin(t: TestContext, fleet: Fleet): Promise<Follower> {
    const balancer = await TcpProxy.listen(t, 0, () => {
      const serving = fleet.webs.filter(({ server }) => server.serving)
      follower.at = serving.length === 0 ? null : fleet.random.pick(serving)
      return follower.at === null ? null : Number(new URL(follower.at.server.url).port)
    })
    const follower = new Follower(fleet, balancer.port)
    t.after(() => follower.#client.close())
    return follower
  }

  /// It has nothing wrong or old, and, once everything is acknowledged, what the ledger says.
  async agrees(): Promise<void> {
    const { ledger } = this.#fleet
    const right = eventually(() => {
      for (const token of ledger.tokens) {
        assert.deepEqual(servedDay(this.#latest.get(token) ?? null), ledger.day(token), token)
      }
    }, AGREE_MS)
    await this.#fleet.step('a client is left with what was acknowledged', right, 2 * AGREE_MS)
    assert.deepEqual(this.#wrong, [])
  }

  /// Resolves once it is connected anew and was told that something may be missing.
  async comesBack(openedBefore: number, gapsBefore: number): Promise<void> {
    const back = eventually(() => {
      assert.ok(this.opened > openedBefore, 'it is connected again')
      assert.ok(this.gaps.length > gapsBefore, 'it is told of a gap')
    }, AGREE_MS)
    await this.#fleet.step('a client comes back', back, 2 * AGREE_MS)
  }

  /// What is missing, of these tokens or of any: snapshots follow, and say where it goes on.
  #noteGap(gap: GapNotice): void {
    this.gaps.push(gap)
    if (gap.reason === 'slowConsumer') return
    for (const token of gap.tokens ?? this.#fleet.ledger.tokens) this.#known.delete(token)
  }

  #note({ token, stats }: TokenUpdate): void {
    this.updates++
    this.#latest.set(token, stats)
    if (stats === null) return
    const [partition = 0, offset = 0, tick = 0] = stats.version.split(':').map(Number)
    const total = Number(stats.txns?.h24?.total)
    const known = this.#known.get(token)
    this.#known.set(token, { partition, offset, tick, total })
    if (known === undefined || known.partition !== partition) return
    const isOlder = offset !== known.offset ? offset < known.offset : tick < known.tick
    // Nothing is older than a day here, so that numbers only grow.
    if (isOlder || !(total >= known.total)) {
      this.#wrong.push(`${token}: ${JSON.stringify(known)}, then ${stats.version} with ${total} swaps`)
    }
  }
}
