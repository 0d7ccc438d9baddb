/// Whether a cluster answers: every broker is registered and a controller is there.

import { setTimeout as pause } from 'node:timers/promises'
import { Connection, metadataV12 } from '@platformatic/kafka'

const CONNECT_MS = 1000
/// Of a connection and a request: on a broker that is on its way down, either may never end.
const ASK_MS_MAX = 3000
const PAUSE_MS = 50

/// Waits until the broker at 127.0.0.1:port knows `brokers` brokers. Returns false when it does not within
/// `limitMs`, or when `alive` says that there is nothing to wait for.
export async function answers(
  port: number,
  brokers: number,
  limitMs: number,
  alive: () => boolean = () => true,
): Promise<boolean> {
  const deadline = Date.now() + limitMs
  while (Date.now() < deadline && alive()) {
    if ((await brokersKnown(port)) === brokers) return true
    await pause(PAUSE_MS)
  }
  return false
}

/// How many brokers the one at this port knows; 0 when it does not answer.
export async function brokersKnown(port: number): Promise<number> {
  const abort = new AbortController()
  const limit = pause(ASK_MS_MAX, 0, { signal: abort.signal }).catch(() => 0)
  try {
    return await Promise.race([ask(port), limit])
  } finally {
    abort.abort()
  }
}

async function ask(port: number): Promise<number> {
  const connection = new Connection('volumer-tools', {
    connectTimeout: CONNECT_MS,
    requestTimeout: CONNECT_MS,
  })
  connection.on('error', () => {})
  try {
    await connection.connect('127.0.0.1', port)
    const metadata = await metadataV12.api.async(connection, [], false, false)
    return metadata.brokers.length
  } catch {
    return 0
  } finally {
    // Not waited for: a broker that is on its way up or down may hold its end open for ever.
    void connection.close().catch(() => {})
    connection.socket?.destroy()
  }
}
