/// Flags over VOLUMER_* variables over a TOML file over defaults → one frozen Config. Everything that is wrong is
/// reported at once, each with what it wants. The only place that reads the environment.

import { readFileSync } from 'node:fs'
import { parse as parseToml } from 'smol-toml'
import { isKeyName, KEY_NAMES, KEYS, type KeyName, variableOf } from './config-keys.js'
import { type ArchivePlace, type BrokerAddress, ROLES, type RoleName } from './config-values.js'
import { type Window, windowLabel } from './core/windows.js'

/// All durations in milliseconds, all sizes in bytes. `archive` is none with storage in memory.
export interface Config {
  readonly roles: readonly RoleName[]
  readonly storage: 'embedded' | 'memory'
  readonly data: string
  readonly host: string
  readonly port: number
  readonly auth: 'auto' | 'on' | 'off'
  readonly keysFile: string
  readonly corsOrigins: readonly string[]
  /// Cost units a second.
  readonly costLimit: number | 'none' | 'auto'
  readonly clientsPerAddress: number | 'none'
  readonly trustProxy: boolean
  readonly adminPort: number | 'none'
  readonly adminHost: string
  readonly windows: readonly Window[]
  readonly resolutionMs: number
  readonly retentionMs: number
  readonly earlyToleranceMs: number
  readonly dedupeHorizonMs: number
  readonly hotRangeMs: number
  readonly checkpointIntervalMs: number
  readonly logMaxBytes: number
  readonly deadLettersMaxBytes: number
  readonly archive: ArchivePlace
  readonly archiveRetentionMs: number
  readonly archiveCandlesRetentionMs: number
  readonly archiveMaxBytes: number
  readonly archiveIntervalMs: number
  readonly archiveBacklogMaxBytes: number
  readonly kafka: readonly BrokerAddress[] | 'none'
  readonly kafkaPrefix: string
  readonly kafkaPartitions: number
  readonly kafkaOwn: readonly number[] | 'group'
  readonly replica: string
  readonly advertise: string | 'auto'
  readonly kafkaReplication: number | 'auto'
  readonly kafkaTls: boolean
  readonly kafkaTlsCa: string | 'none'
  readonly kafkaTlsCert: string | 'none'
  readonly kafkaTlsKey: string | 'none'
  readonly kafkaSasl: 'none' | 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly kafkaUsername: string | 'none'
  readonly kafkaPassword: string | 'none'
  readonly bodyMaxBytes: number
  /// Swaps a second over HTTP.
  readonly rateLimit: number | 'none'
  readonly maxUpdatesPerSecond: number
  readonly wsMaxConnections: number
  readonly resumeMaxBytes: number
  readonly faketrader: boolean
  readonly tradesPerSecond: number
  readonly tokens: number
  readonly traders: number
  readonly duplicates: number
  readonly late: number
  readonly seed: number | 'random'
  readonly quiet: boolean
  readonly debug: boolean
}

/// Where a value came from: `default`, `--port`, `VOLUMER_PORT` or the file's path.
export type Source = string

export interface Resolved {
  readonly config: Config
  /// Each key's value as text, and its source, in the order of the table.
  readonly outcome: readonly { readonly key: KeyName; readonly value: string; readonly source: Source }[]
}

export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code = 'E_CONFIG'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    const things = problems.length === 1 ? 'is 1 thing' : `are ${problems.length} things`
    super(`There ${things} wrong in the configuration:\n${problems.map(line => `  - ${line}`).join('\n')}`)
    this.problems = problems
  }
}

export interface ConfigInput {
  /// Values of flags by key name (`port`), as text; absent flags are not in it.
  readonly flags: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
  /// The file named by --config; undefined takes ./volumer.toml when there is one.
  readonly file?: string | undefined
}

const DEFAULT_FILE = './volumer.toml'

/// The process's environment, for `resolveConfig`.
export const environment = (): ConfigInput['environment'] => process.env

/// True when stack traces were asked for; works before (and when) the configuration cannot be read.
export const debugWanted = (): boolean => KEYS.debug.type.parse(process.env.VOLUMER_DEBUG ?? 'false') ?? false

/// Throws ConfigError with every problem there is.
export function resolveConfig(input: ConfigInput): Resolved {
  const problems: string[] = []
  const given = new Map<KeyName, { text: string; source: Source; shown: string }>()
  const take = (name: string, text: string, source: Source, show: (text: string) => string) => {
    if (isKeyName(name)) given.set(name, { text, source, shown: show(shownValue(name, text)) })
  }

  // From the weakest source to the strongest: later ones overwrite.
  for (const { key, text, source } of readFile(input, problems)) {
    take(key, text, source, shown => `${source}: ${key} = ${JSON.stringify(shown)}`)
  }
  for (const [variable, text] of Object.entries(input.environment)) {
    if (
      !variable.startsWith('VOLUMER_') ||
      variable === 'VOLUMER_CONFIG' ||
      variable === 'VOLUMER_KEY' ||
      text === undefined
    )
      continue
    const key = KEY_NAMES.find(name => variableOf(name) === variable)
    if (key === undefined) {
      problems.push(
        `${variable}: there is no such variable${didYouMean(variable, KEY_NAMES.map(variableOf))}`,
      )
    } else take(key, text, variable, shown => `${variable}=${shown}`)
  }
  for (const [name, text] of Object.entries(input.flags)) {
    take(name, text, `--${name}`, shown => `--${name} ${shown}`)
  }

  const shownOf = (name: KeyName) => given.get(name)?.shown ?? `${name} (default ${KEYS[name].fallback})`
  const read = <T>(name: KeyName, type: { parse(text: string): T | null; wants: string }): T | undefined => {
    const text = given.get(name)?.text.trim() ?? KEYS[name].fallback
    const value = type.parse(text)
    if (value === null) problems.push(`${shownOf(name)}: ${name} wants ${type.wants}`)
    return value ?? undefined
  }
  const values = {
    roles: read('roles', KEYS.roles.type),
    storage: read('storage', KEYS.storage.type),
    data: read('data', KEYS.data.type),
    host: read('host', KEYS.host.type),
    port: read('port', KEYS.port.type),
    auth: read('auth', KEYS.auth.type),
    keysFile: read('keys-file', KEYS['keys-file'].type),
    corsOrigins: read('cors-origins', KEYS['cors-origins'].type),
    costLimit: read('cost-limit', KEYS['cost-limit'].type),
    clientsPerAddress: read('clients-per-address', KEYS['clients-per-address'].type),
    trustProxy: read('trust-proxy', KEYS['trust-proxy'].type),
    adminPort: read('admin-port', KEYS['admin-port'].type),
    adminHost: read('admin-host', KEYS['admin-host'].type),
    windows: read('windows', KEYS.windows.type),
    resolutionMs: read('resolution', KEYS.resolution.type),
    retentionMs: read('retention', KEYS.retention.type),
    earlyToleranceMs: read('early-tolerance', KEYS['early-tolerance'].type),
    dedupeHorizonMs: read('dedupe-horizon', KEYS['dedupe-horizon'].type),
    hotRangeMs: read('hot-range', KEYS['hot-range'].type),
    checkpointIntervalMs: read('checkpoint-interval', KEYS['checkpoint-interval'].type),
    logMaxBytes: read('log-max-bytes', KEYS['log-max-bytes'].type),
    deadLettersMaxBytes: read('dead-letters-max-bytes', KEYS['dead-letters-max-bytes'].type),
    archive: read('archive', KEYS.archive.type),
    archiveRetentionMs: read('archive-retention', KEYS['archive-retention'].type),
    archiveCandlesRetentionMs: read('archive-candles-retention', KEYS['archive-candles-retention'].type),
    archiveMaxBytes: read('archive-max-bytes', KEYS['archive-max-bytes'].type),
    archiveIntervalMs: read('archive-interval', KEYS['archive-interval'].type),
    archiveBacklogMaxBytes: read('archive-backlog-max-bytes', KEYS['archive-backlog-max-bytes'].type),
    kafka: read('kafka', KEYS.kafka.type),
    kafkaPrefix: read('kafka-prefix', KEYS['kafka-prefix'].type),
    kafkaPartitions: read('kafka-partitions', KEYS['kafka-partitions'].type),
    kafkaOwn: read('kafka-own', KEYS['kafka-own'].type),
    replica: read('replica', KEYS.replica.type),
    advertise: read('advertise', KEYS.advertise.type),
    kafkaReplication: read('kafka-replication', KEYS['kafka-replication'].type),
    kafkaTls: read('kafka-tls', KEYS['kafka-tls'].type),
    kafkaTlsCa: read('kafka-tls-ca', KEYS['kafka-tls-ca'].type),
    kafkaTlsCert: read('kafka-tls-cert', KEYS['kafka-tls-cert'].type),
    kafkaTlsKey: read('kafka-tls-key', KEYS['kafka-tls-key'].type),
    kafkaSasl: read('kafka-sasl', KEYS['kafka-sasl'].type),
    kafkaUsername: read('kafka-username', KEYS['kafka-username'].type),
    kafkaPassword: read('kafka-password', KEYS['kafka-password'].type),
    bodyMaxBytes: read('body-max-bytes', KEYS['body-max-bytes'].type),
    rateLimit: read('rate-limit', KEYS['rate-limit'].type),
    maxUpdatesPerSecond: read('max-updates-per-second', KEYS['max-updates-per-second'].type),
    wsMaxConnections: read('ws-max-connections', KEYS['ws-max-connections'].type),
    resumeMaxBytes: read('resume-max-bytes', KEYS['resume-max-bytes'].type),
    faketrader: read('faketrader', KEYS.faketrader.type),
    tradesPerSecond: read('trades-per-second', KEYS['trades-per-second'].type),
    tokens: read('tokens', KEYS.tokens.type),
    traders: read('traders', KEYS.traders.type),
    duplicates: read('duplicates', KEYS.duplicates.type),
    late: read('late', KEYS.late.type),
    seed: read('seed', KEYS.seed.type),
    quiet: read('quiet', KEYS.quiet.type),
    debug: read('debug', KEYS.debug.type),
  }
  problems.push(...conflicts(values, shownOf, name => given.has(name)))
  if (problems.length > 0 || !isComplete(values)) throw new ConfigError(problems)

  const outcome = KEY_NAMES.map(key => ({
    key,
    value: shownValue(key, given.get(key)?.text.trim() ?? KEYS[key].fallback),
    source: given.get(key)?.source ?? 'default',
  }))
  return { config: Object.freeze(derived(values, name => given.has(name))), outcome }
}

/// What follows from other values: the archive keeps swaps at least as long as windows do, unless told otherwise, and there
/// is none of a log that begins anew with each start. On Kafka instances may share a machine and a directory: an archive is there only
/// if it is asked for, and who serves nothing listens anywhere.
function derived(values: Config, isGiven: (key: KeyName) => boolean): Config {
  const archiveRetentionMs = Math.max(values.archiveRetentionMs, values.retentionMs)
  const onKafka = values.kafka !== 'none'
  const hasArchive = values.storage !== 'memory' && (!onKafka || isGiven('archive'))
  const servesNobody = !values.roles.includes('web') && !isGiven('port')
  return {
    ...values,
    roles: onKafka ? withWhatBelongsTogether(values.roles) : values.roles,
    port: servesNobody ? 0 : values.port,
    archive: hasArchive ? values.archive : { kind: 'none' },
    archiveRetentionMs,
    archiveCandlesRetentionMs: Math.max(values.archiveCandlesRetentionMs, archiveRetentionMs),
  }
}

/// A roller is fed by a consumer, and what it has to say is said by a watcher.
function withWhatBelongsTogether(roles: readonly RoleName[]): readonly RoleName[] {
  const rolls = roles.some(role => ROLLING.includes(role))
  return ROLES.filter(role => roles.includes(role) || (rolls && ROLLING.includes(role)))
}

const ROLLING: readonly RoleName[] = ['consumer', 'roller', 'watcher']

/// A secret that is set is never shown.
const shownValue = (key: KeyName, text: string): string =>
  KEYS[key].type.secret && text !== KEYS[key].fallback ? '(set)' : (shownOfType(KEYS[key].type, text) ?? text)

const shownOfType = (type: { readonly shown?: (text: string) => string }, text: string) => type.shown?.(text)

type Partially<T> = { readonly [K in keyof T]: T[K] | undefined }

function isComplete(values: Partially<Config>): values is Config {
  return Object.values(values).every(value => value !== undefined)
}

/// Slices are counted in 32 bits from the start of the process: at 100 ms it can run for three years.
const RESOLUTION_MS_MIN = 100

/// Values that are fine alone and wrong together.
function conflicts(
  values: Partially<Config>,
  shownOf: (key: KeyName) => string,
  isGiven: (key: KeyName) => boolean,
): string[] {
  const found: string[] = []
  const { windows, resolutionMs, retentionMs, roles } = values
  if (resolutionMs !== undefined && resolutionMs < RESOLUTION_MS_MIN) {
    found.push(`${shownOf('resolution')}: must be at least ${windowLabel(RESOLUTION_MS_MIN)}`)
  }
  if (windows !== undefined && resolutionMs !== undefined) {
    const uneven = windows.filter(({ lengthMs }) => lengthMs % resolutionMs !== 0)
    if (uneven.length > 0) {
      found.push(
        `${shownOf('windows')}: each window must be a multiple of the resolution, ${windowLabel(resolutionMs)}; ` +
          `${labels(uneven)} ${uneven.length === 1 ? 'is' : 'are'} not`,
      )
    }
  }
  if (windows !== undefined && retentionMs !== undefined) {
    const longest = windows.at(-1)
    if (longest !== undefined && longest.lengthMs > retentionMs) {
      found.push(
        `${shownOf('retention')}: retention must be at least the longest window, ${windowLabel(longest.lengthMs)}`,
      )
    }
  }
  if (resolutionMs !== undefined && retentionMs !== undefined && retentionMs % resolutionMs !== 0) {
    found.push(`${shownOf('retention')}: must be a multiple of the resolution, ${windowLabel(resolutionMs)}`)
  }
  const { archiveRetentionMs, archiveCandlesRetentionMs } = values
  if (archiveRetentionMs !== undefined && retentionMs !== undefined && archiveRetentionMs < retentionMs) {
    if (isGiven('archive-retention')) {
      found.push(
        `${shownOf('archive-retention')}: must be at least the retention, ${windowLabel(retentionMs)}, within which swaps may come late`,
      )
    }
  }
  if (archiveCandlesRetentionMs !== undefined && archiveRetentionMs !== undefined) {
    if (archiveCandlesRetentionMs < archiveRetentionMs && isGiven('archive-candles-retention')) {
      found.push(
        `${shownOf('archive-candles-retention')}: must be at least the archive-retention, ${windowLabel(archiveRetentionMs)}`,
      )
    }
  }
  found.push(...kafkaConflicts(values, shownOf))
  if (values.kafka !== undefined && values.kafka !== 'none' && values.storage === 'memory') {
    found.push(`${shownOf('storage')}: only without kafka`)
  }
  if (values.advertise !== undefined && values.advertise !== 'auto' && !URL.canParse(values.advertise)) {
    found.push(`${shownOf('advertise')}: wants a URL, e.g. http://10.0.0.7:4242, or auto`)
  }
  if (values.kafka !== 'none') return found
  const together: readonly RoleName[] = ['consumer', 'roller', 'watcher', 'web']
  const missing = together.filter(role => roles !== undefined && !roles.includes(role))
  if (missing.length > 0) {
    found.push(
      `${shownOf('roles')}: with storage in this process, ${together.join(', ')} run together; ` +
        `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    )
  }
  return found
}

function kafkaConflicts(values: Partially<Config>, shownOf: (key: KeyName) => string): string[] {
  const found: string[] = []
  const { kafkaTls, kafkaTlsCa, kafkaTlsCert, kafkaTlsKey, kafkaSasl, kafkaUsername, kafkaPassword } = values
  const isSet = (value: string | undefined): boolean => value !== undefined && value !== 'none'
  for (const [key, value] of [
    ['kafka-tls-ca', kafkaTlsCa],
    ['kafka-tls-cert', kafkaTlsCert],
    ['kafka-tls-key', kafkaTlsKey],
  ] as const) {
    if (kafkaTls === false && isSet(value)) found.push(`${shownOf(key)}: only with kafka-tls`)
  }
  if (isSet(kafkaTlsCert) !== isSet(kafkaTlsKey)) {
    const given = isSet(kafkaTlsCert) ? 'kafka-tls-cert' : 'kafka-tls-key'
    found.push(`${shownOf(given)}: kafka-tls-cert and kafka-tls-key go together`)
  }
  for (const [key, value] of [
    ['kafka-username', kafkaUsername],
    ['kafka-password', kafkaPassword],
  ] as const) {
    if (kafkaSasl === undefined) continue
    if (kafkaSasl === 'none' && isSet(value)) found.push(`${shownOf(key)}: only with kafka-sasl`)
    if (kafkaSasl !== 'none' && !isSet(value)) found.push(`${shownOf('kafka-sasl')}: wants a ${key}, too`)
  }
  return found
}

const labels = (windows: readonly Window[]) => windows.map(({ lengthMs }) => windowLabel(lengthMs)).join(', ')

interface FileValue {
  readonly key: string
  readonly text: string
  readonly source: Source
}

function readFile(input: ConfigInput, problems: string[]): FileValue[] {
  const named = input.file ?? input.environment.VOLUMER_CONFIG
  const path = named ?? DEFAULT_FILE
  let content: string
  try {
    content = readFileSync(path, 'utf8')
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (missing && named === undefined) return []
    problems.push(
      `${path}: the file cannot be read${missing ? ' because there is none' : `: ${String(error)}`}`,
    )
    return []
  }
  let table: Record<string, unknown>
  try {
    table = parseToml(content)
  } catch (error) {
    const [first = ''] = (error instanceof Error ? error.message : String(error)).split('\n')
    problems.push(`${path}: not a TOML file: ${first}`)
    return []
  }
  const values: FileValue[] = []
  for (const [key, value] of Object.entries(table)) {
    const text = fileText(value)
    if (!isKeyName(key)) problems.push(`${path}: there is no key ${key}${didYouMean(key, KEY_NAMES)}`)
    else if (text === null) problems.push(`${path}: ${key} wants ${KEYS[key].type.wants}`)
    else values.push({ key, text, source: path })
  }
  return values
}

/// A TOML value in the spelling of flags; null for tables, dates and the like.
function fileText(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint')
    return String(value)
  if (Array.isArray(value)) {
    const texts = value.map(fileText)
    return texts.includes(null) ? null : texts.join(',')
  }
  return null
}

/// `; did you mean VOLUMER_PORT?` when one of the names is close to what was written, else nothing.
export function didYouMean(written: string, names: readonly string[]): string {
  let nearest = ''
  let least = Math.max(2, Math.floor(written.length / 4)) + 1
  for (const name of names) {
    const distance = editDistance(
      written.toLowerCase().replaceAll('_', '-'),
      name.toLowerCase().replaceAll('_', '-'),
    )
    if (distance < least) {
      least = distance
      nearest = name
    }
  }
  return nearest === '' ? '' : `; did you mean ${nearest}?`
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
