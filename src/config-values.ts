/// The types that configuration values have: how each is read from text, what it wants, how it is written.
/// Every source (flag, variable, file) is text first, so a value is spelled the same wherever it stands.

import { parseDuration, parseWindows, type Window, windowLabel } from './core/windows.js'

export interface ValueType<T> {
  /// Stands for the value in help: `--port <port>`.
  readonly placeholder: string
  /// Completes the sentence “… wants …”.
  readonly wants: string
  /// The value, or null when the text is not one.
  parse(text: string): T | null
  /// Text that `parse` reads back.
  format(value: T): string
  /// Never shown.
  readonly secret: boolean
  /// The text as it may be shown, where a part of it is secret. As it is unless said.
  readonly shown?: (text: string) => string
}

export const ROLES = ['faketrader', 'consumer', 'roller', 'watcher', 'web'] as const
export type RoleName = (typeof ROLES)[number]

const isRole = (text: string): text is RoleName => ROLES.some(role => role === text)

export const text: ValueType<string> = {
  secret: false,
  placeholder: 'text',
  wants: 'some text',
  parse: value => (value === '' ? null : value),
  format: value => value,
}

export const directory: ValueType<string> = { ...text, placeholder: 'dir', wants: 'a directory' }
export const filePath: ValueType<string> = { ...text, placeholder: 'file', wants: 'the path of a file' }
export const host: ValueType<string> = {
  ...text,
  placeholder: 'host',
  wants: 'a host name or address, e.g. 127.0.0.1',
  parse: value => (/^[\w.:%-]+$/.test(value) ? value : null),
}

export const secret: ValueType<string> = { ...text, secret: true }

/// A value, or `none`.
export function optional<T>(type: ValueType<T>): ValueType<T | 'none'> {
  return {
    ...type,
    wants: `${type.wants}, or none`,
    parse: value => (value === 'none' ? value : type.parse(value)),
    format: value => (value === 'none' ? 'none' : type.format(value)),
  }
}

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

const KAFKA_PORT = 9092

export const brokers: ValueType<readonly BrokerAddress[]> = {
  secret: false,
  placeholder: 'list',
  wants: 'a list of host:port, e.g. 127.0.0.1:9092 or kafka-1:9092,kafka-2:9092',
  parse: value => {
    const addresses = value.split(',').map(entry => parseAddress(entry.trim()))
    return addresses.every(address => address !== null) ? Object.freeze(addresses) : null
  },
  format: value =>
    value.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(','),
}

function parseAddress(text: string): BrokerAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.%]+)\]|([\w.-]+))(?::(\d{1,5}))?$/.exec(text)
  const address = match?.[1] ?? match?.[2]
  const port = Number(match?.[3] ?? KAFKA_PORT)
  return address === undefined || port < 1 || port > 65_535 ? null : { host: address, port }
}

/// What topics' names begin with; `none` is nothing.
export const topicPrefix: ValueType<string> = {
  secret: false,
  placeholder: 'text',
  wants: 'up to 200 letters, digits, dots, dashes and underscores, or none',
  parse: value => (value === 'none' ? '' : /^[\w.-]{1,200}$/.test(value) ? value : null),
  format: value => (value === '' ? 'none' : value),
}

/// A name that can be part of a topic's.
export const replicaName: ValueType<string> = {
  secret: false,
  placeholder: 'name',
  wants: 'up to 30 letters, digits and dashes',
  parse: value => (/^[A-Za-z0-9-]{1,30}$/.test(value) ? value : null),
  format: value => value,
}

const PARTITIONS_MAX = 10_000

/// Partitions by number, or `group`: those that the group assigns.
export const ownPartitions: ValueType<readonly number[] | 'group'> = {
  secret: false,
  placeholder: 'list',
  wants: 'group, or a list of partitions such as 0-3,7',
  parse: value => {
    if (value === 'group') return value
    const found = new Set<number>()
    for (const entry of value.split(',')) {
      const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry.trim())
      const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])]
      if (match === null || from > to || to >= PARTITIONS_MAX) return null
      for (let partition = from; partition <= to; partition++) found.add(partition)
    }
    return Object.freeze([...found].sort((a, b) => a - b))
  },
  format: value => (value === 'group' ? value : value.join(',')),
}

export const flag: ValueType<boolean> = {
  secret: false,
  placeholder: 'true|false',
  wants: 'true or false',
  parse: value =>
    ['true', '1', 'yes', 'on'].includes(value)
      ? true
      : ['false', '0', 'no', 'off'].includes(value)
        ? false
        : null,
  format: String,
}

export function integer(placeholder: string, min: number, max: number): ValueType<number> {
  return {
    secret: false,
    placeholder,
    wants: `a whole number from ${min.toLocaleString('en')} to ${max.toLocaleString('en')}`,
    parse: value => {
      if (!/^\d{1,16}([_,]\d{3})*$/.test(value)) return null
      const number = Number(value.replace(/[_,]/g, ''))
      return number >= min && number <= max ? number : null
    },
    format: String,
  }
}

export function share(max: number): ValueType<number> {
  return {
    secret: false,
    placeholder: 'share',
    wants: `a share from 0 to ${max}, e.g. 0.05 or 5%`,
    parse: value => {
      const match = /^(\d+(?:\.\d+)?|\.\d+)(%?)$/.exec(value)
      if (match === null) return null
      const number = Number(match[1]) / (match[2] === '%' ? 100 : 1)
      return number <= max ? number : null
    },
    format: String,
  }
}

export const duration: ValueType<number> = {
  secret: false,
  placeholder: 'time',
  wants: 'a time with its unit, e.g. 500ms, 30s, 5m or 24h',
  parse: parseDuration,
  format: windowLabel,
}

const BYTE_UNITS: readonly (readonly [string, number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
  ['B', 1],
]

export function bytes(min: number): ValueType<number> {
  return {
    secret: false,
    placeholder: 'bytes',
    wants: `a size of at least ${formatBytes(min)}, e.g. 512KiB, 256MiB or 2GiB`,
    parse: value => {
      const match = /^(\d{1,12}(?:\.\d{1,3})?)\s*([a-z]*)$/i.exec(value)
      if (match === null) return null
      const name = (match[2] || 'B').toLowerCase()
      const unit = BYTE_UNITS.find(([spelling]) => spelling.toLowerCase() === name)
      const size = unit === undefined ? Number.NaN : Math.round(Number(match[1]) * unit[1])
      return size >= min && size <= 2 ** 50 ? size : null
    },
    format: formatBytes,
  }
}

/// The exact size in the largest binary unit that divides it: 2GiB, 1536KiB, 1000B.
export function formatBytes(size: number): string {
  const unit = BYTE_UNITS.find(
    ([name, factor]) => !/^.B$/.test(name) && size >= factor && size % factor === 0,
  )
  return unit === undefined ? `${size}B` : `${size / unit[1]}${unit[0]}`
}

export const windows: ValueType<readonly Window[]> = {
  secret: false,
  placeholder: 'list',
  wants: 'a list of window lengths, e.g. 1m,5m,1h,24h',
  parse: value => {
    const read = parseWindows(value)
    return 'windows' in read && read.windows.length <= 64 ? Object.freeze(read.windows) : null
  },
  format: value => value.map(window => windowLabel(window.lengthMs)).join(','),
}

export const roles: ValueType<readonly RoleName[]> = {
  secret: false,
  placeholder: 'list',
  wants: `all, or a list of ${ROLES.join(', ')}`,
  parse: value => {
    if (value === 'all') return ROLES
    const names = value.split(',').map(name => name.trim())
    return names.every(isRole) ? ROLES.filter(role => names.includes(role)) : null
  },
  format: value => (value.length === ROLES.length ? 'all' : value.join(',')),
}

export function choice<T extends string>(...names: readonly T[]): ValueType<T> {
  return {
    secret: false,
    placeholder: names.join('|'),
    wants: names.join(' or '),
    parse: value => names.find(name => name === value) ?? null,
    format: value => value,
  }
}

/// A number that reproduces a run, or 'random' to draw one at the start.
export const seed: ValueType<number | 'random'> = {
  secret: false,
  placeholder: 'number',
  wants: 'a whole number from 0 to 9007199254740991, or random',
  parse: value => {
    if (value === 'random') return value
    if (!/^\d{1,16}$/.test(value)) return null
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : null
  },
  format: String,
}

/// A whole number that bounds something, or `none`.
export function limit(min: number, max: number): ValueType<number | 'none'> {
  const numbers = integer('number', min, max)
  return {
    secret: false,
    placeholder: 'number',
    wants: `${numbers.wants}, or none`,
    parse: value => (value === 'none' ? value : numbers.parse(value)),
    format: String,
  }
}

/// Where swaps are archived: nowhere, in a DuckDB file of the data directory, or in a PostgreSQL.
export type ArchivePlace =
  | { readonly kind: 'none' }
  | { readonly kind: 'duckdb' }
  | { readonly kind: 'postgres'; readonly url: string }

export const archivePlace: ValueType<ArchivePlace> = {
  placeholder: 'none|duckdb|postgres://…',
  wants: 'none, duckdb, or the address of a database, e.g. postgres://user:password@host:5432/database',
  parse: value => {
    if (value === 'none' || value === 'duckdb') return { kind: value }
    const isPostgres = /^postgres(ql)?:\/\//.test(value) && URL.canParse(value)
    return isPostgres ? { kind: 'postgres', url: value } : null
  },
  format: value => (value.kind === 'postgres' ? value.url : value.kind),
  secret: false,
  shown: value => value.replace(/^(postgres(?:ql)?:\/\/[^/@:]*):[^/@]*@/, '$1:***@'),
}

/// The type, or `auto`.
export function orAuto<T>(type: ValueType<T>): ValueType<T | 'auto'> {
  return {
    ...type,
    wants: `${type.wants}, or auto`,
    parse: value => (value === 'auto' ? value : type.parse(value)),
    format: value => (value === 'auto' ? 'auto' : type.format(value)),
  }
}

/// Origins of web pages: none of them, all of them, or a list.
export const origins: ValueType<readonly string[]> = {
  secret: false,
  placeholder: 'list',
  wants: 'none, *, or a list of origins such as https://app.example',
  parse: value => {
    if (value === 'none') return []
    if (value === '*') return ['*']
    const list = value.split(',').map(each => each.trim())
    return list.every(each => URL.canParse(each) && new URL(each).origin === each) ? list : null
  },
  format: value => (value.length === 0 ? 'none' : value.join(',')),
}
