/// Whether a server asks for API keys, and which.

import { FileApiKeys } from '../adapters/file/api-keys.js'
import { type Config, ConfigError } from '../config.js'
import type { ApiKeys } from '../ports/api-keys.js'
import type { Clock } from '../ports/clock.js'
import { pause } from '../ports/pause.js'
import type { Web } from '../roles/web.js'
import { failureOf } from './failure.js'

/// What a caller may spend a second where others can reach the server.
const COST_PER_SECOND = 100

const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|localhost|::1|\[::1\])$/i.test(host)

function isReachable({ host, adminHost, adminPort }: Config): boolean {
  return !isLoopback(host) || (adminPort !== 'none' && !isLoopback(adminHost))
}

/// The keys; null where none is asked for. Throws ConfigError where keys are needed and there are none.
export async function openKeys(config: Config, clock: Clock): Promise<ApiKeys | null> {
  const { auth, keysFile, host } = config
  if (auth === 'off' || (auth === 'auto' && !isReachable(config))) return null
  const keys = await FileApiKeys.open(keysFile, ms => pause(clock, ms))
  if (keys.list().some(({ revokedAt }) => revokedAt === null)) return keys
  const why = auth === 'on' ? 'auth is on' : `others can reach ${host}, so API keys are needed`
  throw new ConfigError([
    `auth: ${why}, and there is none in ${keysFile}. Make one with \`volumer keys create --name NAME --scope read\`, ` +
      'or say with --auth off that nobody needs one',
  ])
}

export function costPerSecond(config: Config): number | null {
  switch (config.costLimit) {
    case 'none':
      return null
    case 'auto':
      return isReachable(config) ? COST_PER_SECOND : null
    default:
      return config.costLimit
  }
}

/// Takes in keys that were made or revoked meanwhile. Call now and then.
export function reloadKeys(keys: ApiKeys | null, web: Web, warn: (message: string) => void): void {
  if (keys === null) return
  keys.reload().then(
    changed => {
      if (changed) web.keysChanged()
    },
    error => warn(`API keys could not be read again; those known are used on. ${failureOf(error).message}`),
  )
}
