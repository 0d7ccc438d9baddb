/// Free TCP ports of this machine.

import { createServer } from 'node:net'

/// Ports that nobody listened on a moment ago, all different. Something else may take one before it is used.
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  try {
    return await Promise.all(
      servers.map(
        server =>
          new Promise<number>((resolve, reject) => {
            server.once('error', reject)
            server.listen(0, '127.0.0.1', () => {
              const address = server.address()
              if (address === null || typeof address === 'string') reject(new Error('no TCP address'))
              else resolve(address.port)
            })
          }),
      ),
    )
  } finally {
    for (const server of servers) server.close()
  }
}
