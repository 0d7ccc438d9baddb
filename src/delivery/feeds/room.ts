/// Whether there is room for another client.

import type { WebLimits } from '../limits.js'
import type { Hub } from './hub.js'

/// What is full; null when there is room.
export function clientsFault(hub: Hub, limits: WebLimits, address: string): string | null {
  const { clientsMax, clientsPerAddressMax } = limits
  if (hub.size >= clientsMax) return `at most ${clientsMax} WebSockets and streams are served`
  if (clientsPerAddressMax !== null && hub.sizeOf(address) >= clientsPerAddressMax) {
    return `at most ${clientsPerAddressMax} WebSockets and streams of one address are served`
  }
  return null
}
