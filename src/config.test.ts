import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError, type ConfigInput, resolveConfig } from './config.js'
import { KEY_NAMES, KEYS } from './config-keys.js'

function resolve(input: Partial<ConfigInput> & { toml?: string }) {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-config-'))
  try {
    const file = join(directory, 'volumer.toml')
    writeFileSync(file, input.toml ?? '')
    return resolveConfig({ flags: {}, environment: {}, file, ...input })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

function problemsOf(input: Partial<ConfigInput> & { toml?: string }): readonly string[] {
  try {
    resolve(input)
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
  assert.fail('the configuration was taken')
}

test('defaults are complete, frozen, and in base units', () => {
  const { config, outcome } = resolve({})
  assert.ok(Object.isFrozen(config))
  assert.equal(config.port, 4242)
  assert.equal(config.retentionMs, 86_400_000)
  assert.equal(config.logMaxBytes, 2 * 1024 ** 3)
  assert.equal(config.deadLettersMaxBytes, 256 * 1024 ** 2)
  assert.deepEqual(
    config.windows.map(window => window.name),
    ['m1', 'm5', 'm15', 'm30', 'h1', 'h2', 'h4', 'h6', 'h8', 'h12', 'h24'],
  )
  assert.deepEqual(
    outcome.map(row => row.key),
    KEY_NAMES,
  )
  assert.ok(outcome.every(row => row.source === 'default'))
})

test('every default is a value of its type and is written back as it was read', () => {
  const roundTrip = <T>(type: { parse(text: string): T | null; format(value: T): string }, text: string) => {
    const value = type.parse(text)
    assert.ok(value !== null, text)
    assert.deepEqual(type.parse(type.format(value)), value)
  }
  roundTrip(KEYS.roles.type, KEYS.roles.fallback)
  roundTrip(KEYS.windows.type, KEYS.windows.fallback)
  roundTrip(KEYS.retention.type, KEYS.retention.fallback)
  roundTrip(KEYS['log-max-bytes'].type, KEYS['log-max-bytes'].fallback)
  roundTrip(KEYS.seed.type, KEYS.seed.fallback)
  roundTrip(KEYS.duplicates.type, KEYS.duplicates.fallback)
  roundTrip(KEYS.kafka.type, 'kafka-1:9092,[::1]:9094')
  roundTrip(KEYS['kafka-prefix'].type, KEYS['kafka-prefix'].fallback)
  roundTrip(KEYS['kafka-replication'].type, KEYS['kafka-replication'].fallback)
})

test('flags over variables over the file over defaults, with the source of each', () => {
  const { config, outcome } = resolve({
    toml: 'port = 1\nhost = "0.0.0.0"\nretention = "48h"\nwindows = ["5m", "48h"]\nfaketrader = false',
    environment: { VOLUMER_PORT: '2', VOLUMER_RETENTION: '72h', PATH: '/bin' },
    flags: { port: '3' },
  })
  assert.equal(config.port, 3)
  assert.equal(config.retentionMs, 72 * 3_600_000)
  assert.equal(config.host, '0.0.0.0')
  assert.equal(config.faketrader, false)
  assert.deepEqual(config.windows, [
    { name: 'm5', lengthMs: 300_000 },
    { name: 'h48', lengthMs: 172_800_000 },
  ])
  const sourceOf = (key: string) => outcome.find(row => row.key === key)?.source
  assert.equal(sourceOf('port'), '--port')
  assert.equal(sourceOf('retention'), 'VOLUMER_RETENTION')
  assert.match(sourceOf('host') ?? '', /volumer\.toml$/)
  assert.equal(sourceOf('tokens'), 'default')
})

test('all problems are reported at once, each with what it wants', () => {
  const problems = problemsOf({
    toml: 'prot = 1\n[nested]\nx = 1',
    environment: { VOLUMER_WINDOW: '5m', VOLUMER_TOKENS: 'many' },
    flags: { port: '70000', retention: '24', 'log-max-bytes': '2 gigs', late: '1.5' },
  })
  assert.equal(problems.length, 8, problems.join('\n'))
  const text = problems.join('\n')
  assert.match(text, /no key prot; did you mean port\?/)
  assert.match(text, /no key nested/)
  assert.match(text, /VOLUMER_WINDOW: there is no such variable; did you mean VOLUMER_WINDOWS\?/)
  assert.match(text, /VOLUMER_TOKENS=many: tokens wants a whole number from 1 to 1,000,000/)
  assert.match(text, /--port 70000: port wants a whole number from 0 to 65,535/)
  assert.match(text, /--retention 24: retention wants a time with its unit, e\.g\. 500ms, 30s, 5m or 24h/)
  assert.match(text, /--log-max-bytes 2 gigs: log-max-bytes wants a size/)
  assert.match(text, /--late 1\.5: late wants a share from 0 to 1/)
})

test('values that contradict each other are refused', () => {
  assert.match(problemsOf({ flags: { windows: '5m,48h' } }).join(), /at least the longest window, 48h/)
  assert.match(
    problemsOf({ flags: { windows: '1500ms' } }).join(),
    /multiple of the resolution, 1s; 1500ms is not/,
  )
  assert.match(
    problemsOf({ flags: { resolution: '50ms' } }).join(),
    /resolution 50ms: must be at least 100ms/,
  )
  assert.match(problemsOf({ flags: { roles: 'web' } }).join(), /consumer and roller and watcher are missing/)
  assert.equal(resolve({ flags: { windows: '500ms', resolution: '500ms' } }).config.windows[0]?.lengthMs, 500)
})

test('Kafka: brokers, and what goes with what', () => {
  const { config } = resolve({ environment: { VOLUMER_KAFKA_BROKERS: 'kafka-1:9093, 10.0.0.2,[::1]:9094' } })
  assert.deepEqual(config.kafka, [
    { host: 'kafka-1', port: 9093 },
    { host: '10.0.0.2', port: 9092 },
    { host: '::1', port: 9094 },
  ])
  assert.equal(resolve({}).config.kafka, 'none')
  assert.equal(resolve({}).config.kafkaPrefix, '')
  assert.match(problemsOf({ flags: { kafka: 'a:0' } }).join(), /--kafka a:0: kafka wants a list of host:port/)
  assert.match(problemsOf({ flags: { kafka: '' } }).join(), /kafka wants a list of host:port/)
  assert.match(
    problemsOf({ flags: { 'kafka-prefix': 'a b' } }).join(),
    /kafka-prefix wants up to 200 letters/,
  )
  const problems = problemsOf({
    flags: { 'kafka-tls-ca': 'ca.pem', 'kafka-tls-key': 'key.pem', 'kafka-username': 'al' },
  })
  assert.deepEqual(problems, [
    '--kafka-tls-ca ca.pem: only with kafka-tls',
    '--kafka-tls-key key.pem: only with kafka-tls',
    '--kafka-tls-key key.pem: kafka-tls-cert and kafka-tls-key go together',
    '--kafka-username al: only with kafka-sasl',
  ])
  assert.deepEqual(problemsOf({ flags: { 'kafka-sasl': 'plain', 'kafka-username': 'al' } }), [
    '--kafka-sasl plain: wants a kafka-password, too',
  ])
})

test('a password is never shown', () => {
  const password = 'correct horse'
  const environment = { VOLUMER_KAFKA_PASSWORD: password }
  const { config, outcome } = resolve({
    environment,
    flags: { 'kafka-sasl': 'scram-sha-512', 'kafka-username': 'al' },
  })
  assert.equal(config.kafkaPassword, password)
  assert.equal(outcome.find(({ key }) => key === 'kafka-password')?.value, '(set)')
  const problems = problemsOf({ environment }).join()
  assert.match(problems, /VOLUMER_KAFKA_PASSWORD=\(set\): only with kafka-sasl/)
  assert.ok(!problems.includes(password))
})

test('a file that is named must be there and be TOML', () => {
  const missing = join(tmpdir(), 'volumer-no-such-file.toml')
  assert.throws(() => resolveConfig({ flags: {}, environment: {}, file: missing }), /there is none/)
  assert.match(problemsOf({ toml: 'port = = 1' }).join(), /not a TOML file/)
  assert.match(problemsOf({ toml: 'port = 1979-05-27' }).join(), /port wants a whole number/)
})

test('sizes and shares have several spellings', () => {
  const { config } = resolve({
    flags: {
      'log-max-bytes': '1.5 GiB',
      'dead-letters-max-bytes': '100MB',
      late: '5%',
      traders: '1,000,000',
    },
  })
  assert.equal(config.logMaxBytes, 1.5 * 1024 ** 3)
  assert.equal(config.deadLettersMaxBytes, 100_000_000)
  assert.equal(config.late, 0.05)
  assert.equal(config.traders, 1_000_000)
})

test('the archive: where, for how long, and no password anywhere', () => {
  assert.deepEqual(resolve({}).config.archive, { kind: 'duckdb' })
  assert.deepEqual(resolve({ flags: { archive: 'none' } }).config.archive, { kind: 'none' })
  assert.deepEqual(resolve({ flags: { storage: 'memory' } }).config.archive, { kind: 'none' })
  const url = 'postgres://volumer:se:cret@db:5432/volumer'
  const { config, outcome } = resolve({ environment: { VOLUMER_ARCHIVE: url } })
  assert.deepEqual(config.archive, { kind: 'postgres', url })
  assert.equal(outcome.find(({ key }) => key === 'archive')?.value, 'postgres://volumer:***@db:5432/volumer')
  const [wrong = ''] = problemsOf({ flags: { archive: 'postgres://u:secret@:bad port/' } })
  assert.match(wrong, /^--archive postgres:\/\/u:\*\*\*@.*: archive wants none, duckdb, or/)
  const kept = resolve({ flags: { retention: '10d' } }).config
  assert.equal(kept.archiveRetentionMs, 10 * 86_400_000)
  assert.equal(kept.archiveCandlesRetentionMs, 90 * 86_400_000)
  const short = { 'archive-retention': '23h', 'archive-candles-retention': '1h' }
  assert.deepEqual(problemsOf({ flags: short }), [
    '--archive-retention 23h: must be at least the retention, 24h, within which swaps may come late',
    '--archive-candles-retention 1h: must be at least the archive-retention, 23h',
  ])
})
