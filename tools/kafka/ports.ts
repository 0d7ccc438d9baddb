/// Free TCP ports of this machine.

import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/// Below the ports that Linux and others give to outgoing connections and to servers that take any: a broker that is stopped
/// for a while finds its port free when it comes back.
const LOWEST = 15_000
const BEYOND = 32_768
const TRIES_MAX = 1000

/// Ports that nobody listened on a moment ago, all different. Something else may take one before it is used.
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  for (let tries = 0; found.size < count; tries++) {
    if (tries === TRIES_MAX)
      throw new Error(`there are no ${count} free ports from ${LOWEST} to ${BEYOND - 1}`)
    const port = randomInt(LOWEST, BEYOND)
    if (await isFree(port)) found.add(port)
  }
  return [...found]
}

function isFree(port: number): Promise<boolean> {
  const server = createServer()
  return new Promise(resolve => {
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}
