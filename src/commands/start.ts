/// `volumer start`: the composition root. Makes every adapter and role from the configuration, connects them, runs
/// them until a signal or a fault, and stops them in order.
///
/// Started in this order, stopped in the reverse one: stores, web (so that health checks are answered while the state
/// is restored), roller, watcher, consumer, archiver, faketrader. So a stop ends intake, takes the last checkpoint,
/// publishes what is left, sends clients away and closes the stores.
///
/// A fault takes no checkpoint, because what is in memory may be wrong: the next start rolls again from the last one.

import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { readDashboard } from '../adapters/file/dashboard.js'
import { MemoryStatsFeed } from '../adapters/memory/stats-feed.js'
import { systemStopwatch } from '../adapters/system/stopwatch.js'
import { nextTurn } from '../adapters/system/turn.js'
import type { Config, Resolved } from '../config.js'
import { epochMs } from '../core/units.js'
import { DEFAULT_WEB_LIMITS, type WebLimits } from '../delivery/limits.js'
import { ServerMetrics } from '../delivery/metrics/server-metrics.js'
import type { Readiness } from '../delivery/wire/status.js'
import type { Dashboard } from '../ports/dashboard.js'
import { PortError } from '../ports/errors.js'
import { App, type Role } from '../roles/app.js'
import { Archiver } from '../roles/archiver/archiver.js'
import { HeldLog } from '../roles/archiver/held-log.js'
import { Consumer } from '../roles/consumer.js'
import { Faketrader } from '../roles/faketrader/faketrader.js'
import { SwapGenerator } from '../roles/faketrader/generator.js'
import { DRAIN_MS_MAX, Interrupter, type SignalSource, within } from '../roles/interrupter.js'
import { RollerRole } from '../roles/roller.js'
import { RollerQueries } from '../roles/roller-queries.js'
import { Watcher } from '../roles/watcher.js'
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

/// A stop was asked for while the state was being restored.
class StartInterrupted extends Error {
  override readonly name = 'StartInterrupted'
}

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
  const stores = await openStores(config, clock, message => screen.warn(message)).catch(error => {
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
    if (!(error instanceof StartInterrupted)) throw error
    screen.say('Stopped before the state was restored. Nothing was changed.')
    return EXIT.done
  }

  const end = await Promise.race([interrupter.interrupted, faults.first])
  if (typeof end === 'object') {
    running.stopClock()
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
  readonly #roller: RollerRole
  readonly #consumer: Consumer
  readonly #watcher: Watcher
  readonly #metrics = new ServerMetrics(systemStopwatch)
  readonly #admin: Admin | null
  readonly #status: Status
  readonly #archiver: Archiver | null
  readonly #faketrader: Faketrader | null
  readonly #seed: number | null
  readonly web: Web
  #restored: number | null = 0
  #interrupted = false
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
    const { state, deadLetters, archive } = stores
    const held =
      archive === null ? null : new HeldLog(stores.log, config.logMaxBytes + config.archiveBacklogMaxBytes)
    const log = held ?? stores.log
    const feed = new MemoryStatsFeed()
    this.#roller = new RollerRole({
      config: {
        partition: 0,
        windows: config.windows,
        resolutionMs: config.resolutionMs,
        retentionMs: config.retentionMs,
        admission: 'log-time',
        earlyToleranceMs: config.earlyToleranceMs,
        dedupeHorizonMs: config.dedupeHorizonMs,
        hotRangeMs: config.hotRangeMs,
      },
      log,
      store: state,
      deadLetters,
      clock,
      nextTurn: () => this.#nextTurn(),
    })
    this.#watcher = new Watcher({
      source: this.#roller,
      feed,
      clock,
      updatesPerSecond: config.maxUpdatesPerSecond,
    })
    this.#consumer = new Consumer({
      partition: 0,
      log,
      roller: this.#roller,
      clock,
      checkpointIntervalMs: config.checkpointIntervalMs,
      publish: () => this.#watcher.changed(),
      nextTurn,
      timed: this.#metrics,
      say: message => screen.warn(message),
      fail: faults.add,
    })
    this.#archiver =
      archive === null
        ? null
        : new Archiver({
            partition: 0,
            log,
            archive,
            rules: config,
            clock,
            intervalMs: config.archiveIntervalMs,
            isAwaited: () => this.web.followsArchive,
            stored: swaps => this.web.archived(swaps),
            archived: (partition, below) => held?.archived(partition, below),
            nextTurn,
            say: message => screen.warn(message),
            fail: faults.add,
          })
    this.#status = new Status({
      clock,
      version: VERSION,
      log,
      state,
      deadLetters,
      roller: this.#roller,
      consumer: this.#consumer,
      watcher: this.#watcher,
      archiver: this.#archiver,
      web: () => this.web,
    })
    this.web = web({
      feed,
      log,
      deadLetters,
      archive,
      queries: new RollerQueries({ roller: this.#roller, stopwatch: systemStopwatch, nextTurn }),
      dashboard,
      archivesHere: this.#archiver !== null,
      clock,
      nextTurn,
      windows: config.windows,
      limits: webLimits(config),
      metrics: this.#metrics,
      version: VERSION,
      keys: stores.keys,
      corsOrigins: config.corsOrigins,
      trustProxy: config.trustProxy,
      readiness: () => this.#readiness(),
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
    const trades = config.faketrader && config.roles.includes('faketrader')
    this.#seed = trades ? (config.seed === 'random' ? randomInt(2 ** 32) : config.seed) : null
    this.#faketrader =
      this.#seed === null
        ? null
        : new Faketrader({
            generator: new SwapGenerator({ ...config, seed: this.#seed }),
            log,
            clock,
            tradesPerSecond: config.tradesPerSecond,
            say: message => screen.warn(message),
            fail: faults.add,
          })
  }

  /// In the order in which they start.
  roles(): Role[] {
    const roles: Role[] = [
      { name: 'stores', start: () => {}, stop: () => this.#stores.close() },
      { name: 'web', start: () => this.#listen(), stop: () => this.web.drain() },
      { name: 'admin', start: () => this.#admin?.listen(), stop: () => this.#admin?.close() },
      { name: 'roller', start: () => this.#restore(), stop: () => {} },
      { name: 'watcher', start: () => {}, stop: () => this.#watcher.flush() },
      { name: 'consumer', start: () => this.#consumer.start(), stop: () => this.#consumer.stop() },
    ]
    const archiver = this.#archiver
    if (archiver !== null) {
      roles.push({ name: 'archiver', start: () => archiver.start(), stop: () => archiver.stop() })
    }
    const faketrader = this.#faketrader
    if (faketrader !== null) {
      roles.push({ name: 'faketrader', start: () => faketrader.start(), stop: () => faketrader.stop() })
    }
    roles.push({ name: 'status', start: () => this.#eachSecond(), stop: () => this.stopClock() })
    return roles
  }

  /// A restore that is under way ends at its next turn.
  interruptStart(): void {
    this.#interrupted = true
  }

  stopClock(): void {
    this.#cancelSecond()
  }

  async #listen(): Promise<void> {
    const { host, port } = this.#config
    const address = await this.web.listen(host, port)
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address
    const { keys } = this.#stores
    if (keys !== null) this.#screen.say(`API keys of ${this.#config.keysFile} are needed.`)
    this.#screen.banner(bannerText(this.#config, `http://${name}:${address.port}`, VERSION, this.#seed))
  }

  async #restore(): Promise<void> {
    const { clock, stderr } = this.#context
    const began = clock.now()
    const bar = new ProgressBar(this.#config.quiet ? { write: () => {} } : stderr, clock, 'Restoring')
    try {
      await this.#roller.restore(share => {
        this.#restored = share
        bar.update(share)
      })
    } finally {
      bar.end()
    }
    this.#restored = null
    const seconds = ((clock.now() - began) / 1000).toFixed(1)
    const position = this.#roller.position
    if (position > 0) {
      this.#screen.say(`State restored in ${seconds} s; the log goes on at ${position.toLocaleString('en')}.`)
    }
  }

  /// Only the restore is interrupted by it: a checkpoint of the drain is not.
  async #nextTurn(): Promise<void> {
    if (this.#interrupted && this.#restored !== null) throw new StartInterrupted()
    await nextTurn()
  }

  #readiness(): Readiness {
    const percent = (share: number) => Math.floor(share * 100)
    if (this.#restored !== null) {
      return { ready: false, reason: 'the state is being restored', percent: percent(this.#restored) }
    }
    if (this.#consumer.caughtUp) return { ready: true }
    const share = this.#consumer.caughtUpShare
    return { ready: false, reason: 'the end of the trade log is being rolled', percent: percent(share) }
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
