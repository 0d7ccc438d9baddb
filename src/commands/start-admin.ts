/// The admin port of a running server.

import type { Config } from '../config.js'
import { adminServer } from '../delivery/admin/server.js'
import type { WebLimits } from '../delivery/limits.js'
import type { ServerMetrics } from '../delivery/metrics/server-metrics.js'
import type { StatusReport } from '../delivery/wire/status.js'
import type { Web } from '../roles/web.js'
import { VERSION } from './version.js'

export interface Admin {
  listen(): Promise<void>
  close(): Promise<void>
}

export interface AdminParts {
  readonly web: Web
  readonly metrics: ServerMetrics
  readonly limits: WebLimits
  status(): StatusReport
  say(message: string): void
  onError(error: unknown): void
}

/// null where the configuration has no admin port.
export function openAdmin({ adminPort, adminHost }: Config, parts: AdminParts): Admin | null {
  if (adminPort === 'none') return null
  const { web, metrics, limits, status, onError } = parts
  const app = adminServer({
    guard: web.guard,
    limits,
    version: VERSION,
    metrics() {
      const { user, system } = process.cpuUsage()
      const own = { cpuSeconds: (user + system) / 1e6, node: process.version }
      return metrics.exposition(status(), web.gauges(), own)
    },
    clients: () => web.listClients(),
    closeClient: id => web.closeClient(id),
    onError,
  })
  return {
    async listen() {
      await app.listen({ host: adminHost, port: adminPort })
      const address = app.server.address()
      if (address !== null && typeof address === 'object') {
        parts.say(`Metrics and clients on http://${adminHost}:${address.port}/metrics and /admin/clients.`)
      }
    },
    close: () => app.close(),
  }
}
