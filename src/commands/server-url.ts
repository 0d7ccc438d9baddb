/// The running server that send, watch and stats talk to.

import { CommandError, EXIT } from './failure.js'

export const DEFAULT_URL = 'http://127.0.0.1:4242'

/// Throws CommandError for anything but http: and https: addresses.
export function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CommandError(`--url ${text}: wants the server's address, e.g. ${DEFAULT_URL}`, EXIT.usage)
  }
  return url
}

/// `path` below the server's address.
export function at(url: URL, path: string): URL {
  return new URL(`${url.pathname.replace(/\/$/, '')}${path}`, url)
}

/// Why a connection failed, without the layers around it.
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof AggregateError) return networkReason(error.cause.errors[0])
  return error.cause instanceof Error ? networkReason(error.cause) : error.message
}

export function unreachable(url: URL, error: unknown): CommandError {
  return new CommandError(
    `${url.origin} cannot be reached: ${networkReason(error)}\nStart the server (\`make run\` or \`volumer start\`), or name another one with --url.`,
  )
}

/// What an error response says: the detail of problem details, else the status.
export async function problemOf(response: Response): Promise<string> {
  const text = await response.text()
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null && 'detail' in body)
      return `${response.status}: ${body.detail}`
  } catch {
    // Not JSON: a proxy's page, say. The status has to do.
  }
  return `${response.status} ${response.statusText}`.trim()
}
