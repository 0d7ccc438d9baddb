/// Every key of the configuration in one table. Flags (`--dedupe-horizon`), variables (`VOLUMER_DEDUPE_HORIZON`),
/// the file's keys (`dedupe-horizon = "1h"`), their help and `volumer config` all follow from it.

import {
  archivePlace,
  brokers,
  bytes,
  choice,
  directory,
  duration,
  filePath,
  flag,
  host,
  integer,
  limit,
  optional,
  orAuto,
  origins,
  ownPartitions,
  replicaName,
  roles,
  secret,
  seed,
  share,
  text,
  topicPrefix,
  type ValueType,
  windows,
} from './config-values.js'
import { DEFAULT_WINDOWS } from './core/windows.js'

interface Key<T> {
  readonly type: ValueType<T>
  /// As a user would write it.
  readonly fallback: string
  /// One line of help.
  readonly doc: string
  /// The variable, where it is not named after the key.
  readonly variable: string | null
}

const key = <T>(
  type: ValueType<T>,
  fallback: string,
  doc: string,
  variable: string | null = null,
): Key<T> => ({
  type,
  fallback,
  doc,
  variable,
})

export const KEYS = {
  roles: key(roles, 'all', 'parts to run in this process'),
  storage: key(
    choice('embedded', 'memory'),
    'embedded',
    'where log and state are kept; memory forgets at the end',
  ),
  data: key(directory, './data', 'data directory of the embedded storage'),
  host: key(host, '127.0.0.1', 'address to listen on; others than the loopback address need API keys'),
  port: key(integer('port', 0, 65_535), '4242', 'port of HTTP and WebSocket; 0 takes any free one'),

  auth: key(
    choice('auto', 'on', 'off'),
    'auto',
    'whether API keys are needed; auto: not on the loopback address',
  ),
  'keys-file': key(filePath, './volumer-keys.json', 'file of API keys, see volumer keys'),
  'cors-origins': key(origins, 'none', 'origins of web pages that may use this server, or *'),
  'cost-limit': key(
    orAuto(limit(1, 1e9)),
    'auto',
    'cost units a second of a key or address; auto: none on the loopback address, else 100',
  ),
  'clients-per-address': key(limit(1, 1_000_000), 'none', 'WebSockets and streams of one address'),
  'trust-proxy': key(flag, 'false', 'take addresses from the X-Forwarded-For of a proxy in front'),
  'admin-port': key(
    limit(0, 65_535),
    'none',
    'port of metrics and of routes for operators; 0 takes any free one',
  ),
  'admin-host': key(host, '127.0.0.1', 'address that the admin port listens on'),

  windows: key(
    windows,
    DEFAULT_WINDOWS,
    'window lengths, each a multiple of the resolution and up to the retention',
  ),
  resolution: key(duration, '1s', 'length of a slice of event time; windows move in steps of it'),
  retention: key(duration, '24h', 'how long a swap is kept and may be joined by late ones'),
  'early-tolerance': key(duration, '60s', 'how far ahead of log time a swap may be dated'),
  'dedupe-horizon': key(duration, '1h', 'how long an id alone identifies a swap, whatever its event time'),
  'hot-range': key(duration, '30m', 'slices younger than this stay in memory, older ones live on disk'),
  'checkpoint-interval': key(duration, '5s', 'how often state and position are saved'),
  'log-max-bytes': key(bytes(2 ** 20), '2GiB', 'size of the trade log once checkpointed'),
  'dead-letters-max-bytes': key(bytes(2 ** 16), '256MiB', 'size of the dead-letter log; the oldest go first'),

  archive: key(
    archivePlace,
    'duckdb',
    'database for history and candles: duckdb is a file in the data directory; none with --storage memory',
  ),
  'archive-retention': key(duration, '7d', 'how long swaps are archived'),
  'archive-candles-retention': key(duration, '90d', 'how long candles are archived'),
  'archive-max-bytes': key(
    bytes(2 ** 24),
    '8GiB',
    'size of the archive; the oldest swaps and candles go first',
  ),
  'archive-interval': key(duration, '10s', 'how often swaps are written to the archive'),
  'archive-backlog-max-bytes': key(
    bytes(2 ** 20),
    '4GiB',
    'trade log beyond log-max-bytes that waits for an archive that is away',
  ),
  kafka: key(
    optional(brokers),
    'none',
    'Kafka brokers to begin with: log, state, statistics and dead letters are there then, and instances share the work',
    'VOLUMER_KAFKA_BROKERS',
  ),
  'kafka-prefix': key(
    topicPrefix,
    'none',
    'put before the names of topics; several Volumers can share a cluster',
  ),
  'kafka-partitions': key(integer('number', 1, 10_000), '12', 'partitions of topics that are made'),
  'kafka-own': key(
    ownPartitions,
    'group',
    'partitions to roll, such as 0-3,7; group shares them between all instances (Kafka 4)',
  ),
  replica: key(
    replicaName,
    'a',
    'replica set of this instance on Kafka; each set rolls everything, so one may fail without a gap',
  ),
  advertise: key(
    orAuto(text),
    'auto',
    'URL at which other instances reach this one; auto: host and port that it listens on',
  ),
  'kafka-replication': key(
    orAuto(integer('number', 1, 10)),
    'auto',
    'copies of topics that are made; auto is three, or as many as there are brokers',
  ),
  'kafka-tls': key(flag, 'false', 'speak to Kafka over TLS'),
  'kafka-tls-ca': key(
    optional(filePath),
    'none',
    'PEM file of the authorities that Kafka’s certificates are signed by',
  ),
  'kafka-tls-cert': key(optional(filePath), 'none', 'PEM file of a certificate to show to Kafka'),
  'kafka-tls-key': key(optional(filePath), 'none', 'PEM file of its key'),
  'kafka-sasl': key(
    choice('none', 'plain', 'scram-sha-256', 'scram-sha-512'),
    'none',
    'how to say to Kafka who we are',
  ),
  'kafka-username': key(optional(text), 'none', 'as whom'),
  'kafka-password': key(
    optional(secret),
    'none',
    'with which password; a flag is seen by other users of the machine, so better in the variable or the file',
  ),

  'body-max-bytes': key(bytes(1024), '8MiB', 'largest POST body, also after decompression'),
  'rate-limit': key(limit(1, 1e9), 'none', 'swaps a second that are taken over HTTP'),
  'max-updates-per-second': key(
    integer('number', 1, 1000),
    '20',
    'updates a second per token and subscriber',
  ),
  'ws-max-connections': key(integer('number', 1, 1_000_000), '1000', 'WebSockets and streams at a time'),
  'resume-max-bytes': key(
    bytes(2 ** 20),
    '256MiB',
    'memory for updates that clients missed, two minutes of them',
  ),

  faketrader: key(flag, 'true', 'make realistic swaps'),
  'trades-per-second': key(integer('number', 1, 1_000_000), '1000', 'faketrader: swaps a second'),
  tokens: key(integer('number', 1, 1_000_000), '10000', 'faketrader: tokens traded; BTC and ETH come first'),
  traders: key(integer('number', 1, 100_000_000), '300000', 'faketrader: traders'),
  duplicates: key(share(0.5), '0.05', 'faketrader: share of swaps that are sent again'),
  late: key(share(1), '0.05', 'faketrader: share of swaps that come late'),
  seed: key(seed, 'random', 'faketrader: the same seed makes the same swaps'),

  quiet: key(flag, 'false', 'say only what went wrong'),
  debug: key(flag, 'false', 'print stack traces of errors'),
} as const

export type KeyName = keyof typeof KEYS

export const KEY_NAMES: readonly KeyName[] = Object.keys(KEYS).filter((name): name is KeyName => name in KEYS)

export const isKeyName = (name: string): name is KeyName => Object.hasOwn(KEYS, name)

export const variableOf = (name: KeyName): string =>
  KEYS[name].variable ?? `VOLUMER_${name.toUpperCase().replaceAll('-', '_')}`
