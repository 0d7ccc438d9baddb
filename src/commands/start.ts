/// `volumer start`: the composition root. Makes every adapter and role from the configuration, connects them, runs
/// them until a signal or a fault, and stops them in order.
///
/// Started in this order, stopped in the reverse one: stores, web (so that health checks are answered while the state
/// is restored), rollers (each with its consumer and watcher), archivers, faketrader. So a stop ends intake, takes the last
/// checkpoint, publishes what is left, sends clients away and closes the stores.
///
/// A fault takes no checkpoint, because what is in memory may be wrong: the next start rolls again from the last one.

import { randomBytes, randomInt } from 'node:crypto'
import { hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import { readDashboard } from '../adapters/file/dashboard.js'
import { type Owner, RemoteTokenQueries } from '../adapters/http/remote-token-queries.js'
import { NoTokenQueries } from '../adapters/memory/no-token-queries.js'
import { systemStopwatch } from '../adapters/system/stopwatch.js'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config, Resolved } from '../config.js'
import { partitionOf } from '../core/partition.js'
import { epochMs } from '../core/units.js'
import { DEFAULT_WEB_LIMITS, type WebLimits } from '../delivery/limits.js'
import { ServerMetrics } from '../delivery/metrics/server-metrics.js'
import { PartitionTable } from '../delivery/partition-table.js'
import type { Clock } from '../ports/clock.js'
import type { Dashboard } from '../ports/dashboard.js'
import { PortError } from '../ports/errors.js'
import type { TokenQueries } from '../ports/token-queries.js'
import { App, type Role } from '../roles/app.js'
import { Archivers } from '../roles/archiver/archivers.js'
import { HeldLog } from '../roles/archiver/held-log.js'
import { Delays } from '../roles/delays.js'
import { Faketrader } from '../roles/faketrader/faketrader.js'
import { SwapGenerator } from '../roles/faketrader/generator.js'
import { DRAIN_MS_MAX, Interrupter, type SignalSource, within } from '../roles/interrupter.js'
import { OwnedQueries } from '../roles/rollers/owned-queries.js'
import { RestoreInterrupted } from '../roles/rollers/partition-roller.js'
import { Rollers } from '../roles/rollers/rollers.js'
import { type Web, web } from '../roles/web.js'
import type { CommandContext } from './context.js'
import { EXIT, type ExitCode, failureOf, report } from './failure.js'
import { ProgressBar } from './progress.js'
import { type Admin, openAdmin } from './start-admin.js'
import { costPerSecond, reloadKeys } from './start-keys.js'
import { bannerText, StartScreen } from './start-screen.js'
import { Status } from './start-status.js'
import { openStores, type Stores } from './start-stores.js'
import { VERSION } from './version.js'

/// The process around the command.
export interface StartProcess extends SignalSource {
  /// Ends the process whatever is still under way.
  exit(code: number): never
}

/// Beside the compiled source, in a clone as in an installed package.
const DASHBOARD = fileURLToPath(new URL('../../dashboard', import.meta.url))

export async function start(
  { config }: Resolved,
  context: CommandContext,
  around: StartProcess,
): Promise<ExitCode> {
  const { clock } = context
  const screen = new StartScreen(context, config.quiet)
  const interrupter = new Interrupter(around, () => around.exit(130))
  const faults = new Faults()
  const dashboard = await readDashboard(DASHBOARD)
  const events = { say: (message: string) => screen.warn(message), fail: faults.add }
  const stores = await openStores(config, clock, events).catch(error => {
    interrupter.stop()
    throw error
  })
  const running = new Running(config, context, stores, dashboard, screen, faults)
  const app = new App(running.roles())

  void interrupter.interrupted.then(() => running.interruptStart())
  try {
    await app.start()
  } catch (error) {
    // A web that could not listen has begun other work.
    await within(clock, DRAIN_MS_MAX, running.web.drain())
    interrupter.stop()
    if (!(error instanceof RestoreInterrupted)) throw error
    screen.say('Stopped before the state was restored. Nothing was changed.')
    return EXIT.done
  }

  const end = await Promise.race([interrupter.interrupted, faults.first])
  if (typeof end === 'object') {
    running.abandon()
    screen.end()
    const failure = failureOf(end.error, EXIT.fault)
    report(end.error, failure, config.debug, text => context.stderr.write(text))
    await within(clock, DRAIN_MS_MAX, running.web.drain())
    // The stores are made to be left like this; closing them could write what must not be written.
    return around.exit(failure.exitCode === EXIT.failed ? EXIT.fault : failure.exitCode)
  }

  screen.say(`${end}: stopping.`)
  const stopped = await within(clock, DRAIN_MS_MAX, app.stop())
  screen.end()
  if (stopped === 'timeout') {
    screen.warn(
      `Stopping took longer than ${DRAIN_MS_MAX / 1000} s (at: ${app.stopping}), so the process ends now. ` +
        'Every acknowledged swap is durable; the next start rolls again what came after the last checkpoint.',
    )
    return around.exit(EXIT.fault)
  }
  interrupter.stop()
  for (const { name, error } of stopped) screen.warn(`${name} did not stop well: ${failureOf(error).message}`)
  if (stopped.length > 0) return EXIT.fault
  screen.say('Stopped. Everything is saved.')
  return EXIT.done
}

/// The first fault of any role.
class Faults {
  #report: (fault: { error: unknown }) => void = () => {}
  readonly first = new Promise<{ error: unknown }>(resolve => {
    this.#report = resolve
  })
  readonly add = (error: unknown): void => this.#report({ error })
}

/// The parts of a running process, connected.
class Running {
  readonly #config: Config
  readonly #context: CommandContext
  readonly #stores: Stores
  readonly #screen: StartScreen
  /// null where others roll.
  readonly #rollers: Rollers | null
  readonly #metrics = new ServerMetrics(systemStopwatch)
  readonly #admin: Admin | null
  readonly #status: Status
  readonly #archivers: Archivers | null
  readonly #faketrader: Faketrader | null
  readonly #seed: number | null
  readonly web: Web
  #address: string | null = null
  #cancelSecond: () => void = () => {}

  constructor(
    config: Config,
    context: CommandContext,
    stores: Stores,
    dashboard: Dashboard | null,
    screen: StartScreen,
    faults: Faults,
  ) {
    this.#config = config
    this.#context = context
    this.#stores = stores
    this.#screen = screen
    const { clock } = context
    const { deadLetters, archive, feed, trades } = stores
    const onKafka = config.kafka !== 'none'
    const held =
      archive === null || onKafka
        ? null
        : new HeldLog(stores.log, config.logMaxBytes + config.archiveBacklogMaxBytes)
    const log = held ?? stores.log
    // For those who read topic `stats`.
    const secret = onKafka ? randomBytes(32).toString('base64url') : null
    const instance = `${hostname()}:${process.pid}`
    const delays = new Delays()
    const say = (message: string) => screen.warn(message)
    this.#rollers = config.roles.includes('roller')
      ? new Rollers({
          config: { ...config, admission: 'log-time' },
          ...{ log, deadLetters, feed, clock, delays, instance, nextTurn, say },
          trades,
          timed: this.#metrics,
          updatesPerSecond: config.maxUpdatesPerSecond,
          checkpointIntervalMs: config.checkpointIntervalMs,
          openState: stores.openState,
          group: stores.group,
          replica: config.replica,
          address: () => this.#address,
          secret,
          assigned: partitions => this.#assigned(partitions),
          fail: faults.add,
        })
      : null
    this.#archivers =
      archive === null || this.#rollers === null
        ? null
        : new Archivers({
            ...{ log, archive, clock, nextTurn, say },
            rules: config,
            intervalMs: config.archiveIntervalMs,
            isAwaited: () => this.web.followsArchive,
            stored: swaps => this.web.archived(swaps),
            archived: (partition, below) => held?.archived(partition, below),
            fail: faults.add,
          })
    const partitions = new PartitionTable()
    this.#status = new Status({
      ...{ clock, log, deadLetters, delays, instance, partitions },
      version: VERSION,
      rollers: this.#rollers,
      archivers: this.#archivers,
      web: () => this.web,
    })
    this.web = web({
      ...{ feed, log, deadLetters, archive, clock, nextTurn, partitions, dashboard },
      trades,
      archivesHere: this.#archivers !== null && !this.#archivesOwn,
      serves: config.roles.includes('web'),
      elsewhere: () => this.#elsewhere(),
      queries: this.#queries(
        onKafka
          ? new RemoteTokenQueries({ rules: config, ownerOf: token => this.#ownerOf(token, partitions) })
          : new NoTokenQueries(config),
      ),
      peers: secret === null ? null : { secret, queries: this.#queries(new NoTokenQueries(config)) },
      windows: config.windows,
      limits: webLimits(config),
      metrics: this.#metrics,
      version: VERSION,
      keys: stores.keys,
      corsOrigins: config.corsOrigins,
      trustProxy: config.trustProxy,
      readiness: () => this.#rollers?.readiness() ?? { ready: true },
      status: () => this.#status.report(),
      onError: error => {
        screen.warn(`A request failed: ${failureOf(error).message}`)
        // A log that the disk failed takes no more swaps, or may not: the next start verifies what is there.
        if (error instanceof PortError && !error.retryable) faults.add(error)
      },
    })
    this.#admin = openAdmin(config, {
      web: this.web,
      metrics: this.#metrics,
      status: () => this.#status.report(),
      limits: webLimits(config),
      say: message => screen.say(message),
      onError: error => screen.warn(`A request failed: ${failureOf(error).message}`),
    })
    const isTrading = config.faketrader && config.roles.includes('faketrader')
    this.#seed = isTrading ? (config.seed === 'random' ? randomInt(2 ** 32) : config.seed) : null
    this.#faketrader =
      this.#seed === null
        ? null
        : new Faketrader({
            generator: new SwapGenerator({ ...config, seed: this.#seed }),
            ...{ log, clock, say },
            tradesPerSecond: config.tradesPerSecond,
            fail: faults.add,
          })
  }

  /// In the order in which they start.
  roles(): Role[] {
    const roles: Role[] = [
      { name: 'stores', start: () => {}, stop: () => this.#stores.close() },
      { name: 'web', start: () => this.#listen(), stop: () => this.web.drain() },
      { name: 'admin', start: () => this.#admin?.listen(), stop: () => this.#admin?.close() },
    ]
    const rollers = this.#rollers
    if (rollers !== null) {
      roles.push({ name: 'rollers', start: () => this.#restore(rollers), stop: () => rollers.stop() })
    }
    const archivers = this.#archivers
    if (archivers !== null) {
      roles.push({ name: 'archivers', start: () => this.#archive(), stop: () => archivers.stop() })
    }
    const faketrader = this.#faketrader
    if (faketrader !== null) {
      roles.push({ name: 'faketrader', start: () => faketrader.start(), stop: () => faketrader.stop() })
    }
    roles.push({ name: 'status', start: () => this.#eachSecond(), stop: () => this.#cancelSecond() })
    return roles
  }

  /// A restore that is under way ends at its next turn.
  interruptStart(): void {
    this.#rollers?.interrupt()
  }

  /// After a fault: nothing is saved any more.
  abandon(): void {
    this.#cancelSecond()
    this.#rollers?.abandon()
  }

  async #listen(): Promise<void> {
    const { host, port, advertise } = this.#config
    const address = await this.web.listen(host, port)
    const nameOf = (at: string, isV6: boolean) => `http://${isV6 ? `[${at}]` : at}:${address.port}`
    const isV6 = address.family === 'IPv6'
    const url = nameOf(address.address, isV6)
    const isEverywhere = ['0.0.0.0', '::'].includes(address.address)
    this.#address = advertise !== 'auto' ? advertise : isEverywhere ? nameOf(hostname(), false) : url
    const { keys } = this.#stores
    if (keys !== null) this.#screen.say(`API keys of ${this.#config.keysFile} are needed.`)
    this.#screen.banner(bannerText(this.#config, url, VERSION, this.#seed))
  }

  async #restore(rollers: Rollers): Promise<void> {
    const { clock, stderr } = this.#context
    const began = clock.now()
    const bar = new ProgressBar(this.#config.quiet ? { write: () => {} } : stderr, clock, 'Restoring')
    const cancel = everyTenth(clock, () => bar.update(rollers.restoring ?? 0))
    try {
      await rollers.start()
    } catch (error) {
      // Those of the partitions that were assigned have begun.
      await this.#archivers?.stop()
      throw error
    } finally {
      cancel()
      bar.end()
    }
    const seconds = ((clock.now() - began) / 1000).toFixed(1)
    const restored = rollers.reports().filter(({ rolled }) => rolled > 0)
    const [only] = restored
    if (only === undefined) return
    const where =
      restored.length === 1
        ? `the log goes on at ${only.rolled.toLocaleString('en')}`
        : `the log goes on in ${restored.length} partitions`
    this.#screen.say(`State restored in ${seconds} s; ${where}.`)
  }

  #assigned(partitions: readonly number[]): void {
    if (this.#config.kafka === 'none') return
    const { log } = this.#stores
    this.#screen.say(
      partitions.length === 0
        ? `None of the ${log.partitions} partitions is rolled here now.`
        : `Partitions ${rangesText(partitions)} of ${log.partitions} are rolled here now.`,
    )
    if (this.#archivesOwn) this.#archivers?.assign(partitions)
  }

  /// What is rolled here is answered here, the rest elsewhere.
  #queries(elsewhere: TokenQueries): TokenQueries {
    const rollerOf = (token: string) => this.#rollers?.rollerOf(token) ?? null
    return new OwnedQueries({ rollerOf, elsewhere, stopwatch: systemStopwatch, nextTurn })
  }

  #ownerOf(token: string, partitions: PartitionTable): Owner | null {
    const key = Buffer.from(token)
    const partition = partitionOf(key, 0, key.length, this.#stores.log.partitions)
    return partitions.ownerOf(partition, this.#context.clock.now())
  }

  #elsewhere(): number[] {
    if (this.#config.kafka === 'none') return []
    const own = new Set(this.#rollers?.partitions)
    return this.#everyPartition().filter(partition => !own.has(partition))
  }

  #everyPartition(): number[] {
    return Array.from({ length: this.#stores.log.partitions }, (_, partition) => partition)
  }

  /// A database that others write to, too, gets from each the partitions that it rolls; one of our own gets everything.
  get #archivesOwn(): boolean {
    return this.#config.kafka !== 'none' && this.#config.archive.kind === 'postgres'
  }

  #archive(): void {
    if (!this.#archivesOwn) this.#archivers?.assign(this.#everyPartition())
  }

  #eachSecond(): void {
    const { clock } = this.#context
    this.#cancelSecond = clock.at(epochMs(clock.now() + 1000), () => {
      this.#status.sample()
      reloadKeys(this.#stores.keys, this.web, message => this.#screen.warn(message))
      if (!this.#config.quiet) this.#screen.status(this.#status.report())
      this.#eachSecond()
    })
  }
}

const PROGRESS_MS = 100

/// Calls until it is cancelled.
function everyTenth(clock: Clock, call: () => void): () => void {
  let cancel = () => {}
  const arm = () => {
    cancel = clock.at(epochMs(clock.now() + PROGRESS_MS), () => {
      call()
      arm()
    })
  }
  arm()
  return () => cancel()
}

/// `0-3, 7`.
function rangesText(numbers: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const number of numbers) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] === number - 1) last[1] = number
    else ranges.push([number, number])
  }
  return ranges.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ')
}

function webLimits(config: Config): WebLimits {
  const sockets = config.wsMaxConnections
  return {
    ...DEFAULT_WEB_LIMITS,
    bodyBytesMax: config.bodyMaxBytes,
    bodyBytesInFlightMax: Math.max(DEFAULT_WEB_LIMITS.bodyBytesInFlightMax, 2 * config.bodyMaxBytes),
    swapsPerSecond: config.rateLimit === 'none' ? null : config.rateLimit,
    clientsMax: sockets,
    clientsPerAddressMax: config.clientsPerAddress === 'none' ? null : config.clientsPerAddress,
    costPerSecond: costPerSecond(config),
    resumeBytesMax: config.resumeMaxBytes,
    connectionsMax: Math.max(DEFAULT_WEB_LIMITS.connectionsMax, sockets + 1024),
  }
}
