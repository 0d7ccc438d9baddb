/// The dashboard: GET / for browsers, and the files that its page names. Other programs get the index of the routes from GET /.

import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import type { FastifyInstance } from 'fastify'
import type { Asset, Dashboard } from '../../ports/dashboard.js'
import { ProblemError } from '../wire/problem.js'
import { takesGzip } from './compression.js'
import { GetAsset, GetIndex } from './operations/server.js'
import { OPERATIONS } from './operations.js'
import { sendConditional, serve } from './serve.js'

/// The page's own files and this server, nothing else: it works offline, and a name that a producer chose cannot run.
const POLICY = [
  "default-src 'none'",
  ...['script', 'style', 'font', 'img', 'connect'].map(kind => `${kind}-src 'self'`),
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/// A file's name changes with its content.
const FOR_GOOD = 'public, max-age=31536000, immutable'

const INDEX = {
  name: 'volumer',
  routes: Object.fromEntries([
    ...OPERATIONS.map(({ method, path, summary }) => [`${method} ${path}`, summary]),
    ['GET /ws', 'WebSocket: live statistics, {"op":"subscribe","tokens":["BTC"]}; see /asyncapi.json'],
  ]),
}

export interface DashboardRoutesOptions {
  /// null where none was built.
  readonly dashboard: Dashboard | null
}

export function dashboardRoutes(app: FastifyInstance, { dashboard }: DashboardRoutesOptions): void {
  const page = dashboard === null ? null : { html: Buffer.from(dashboard.page), tag: digest(dashboard.page) }
  serve(app, GetIndex, ({ request, reply }) => {
    reply.header('vary', 'Accept')
    if (page === null || !wantsHtml(request.headers.accept)) return INDEX
    reply.header('content-security-policy', POLICY).header('referrer-policy', 'no-referrer')
    return sendConditional(request, reply, () => page.html, page.tag, 'text/html; charset=utf-8')
  })

  const zipped = new Map<Asset, Buffer>()
  serve(app, GetAsset, ({ params: { file }, request, reply }) => {
    const asset = dashboard?.assets.get(file)
    if (asset === undefined)
      throw new ProblemError('unknown-route', `there is no /assets/${file}; reload the page`)
    reply.header('cache-control', FOR_GOOD).type(asset.type)
    if (!asset.type.startsWith('text/')) return reply.send(Buffer.from(asset.bytes))
    reply.header('vary', 'Accept-Encoding')
    if (!takesGzip(request.headers['accept-encoding'])) return reply.send(Buffer.from(asset.bytes))
    const bytes = zipped.get(asset) ?? gzipSync(asset.bytes, { level: 9 })
    zipped.set(asset, bytes)
    return reply.header('content-encoding', 'gzip').send(bytes)
  })
}

/// A browser that shows a page names the type; programs that take anything do not.
function wantsHtml(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some(part => part.trim().toLowerCase().startsWith('text/html'))
}

const digest = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('base64url').slice(0, 8)
