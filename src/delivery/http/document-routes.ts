/// GET /openapi.json, /asyncapi.json and /docs: what this server offers, made once.

import type { FastifyInstance } from 'fastify'
import { asyncApi } from '../spec/asyncapi.js'
import { openApi } from '../spec/openapi.js'
import { docsPage, PAGE_POLICY } from '../spec/page.js'
import { GetAsyncApi, GetDocs, GetOpenApi } from './operations/server.js'
import { OPERATIONS } from './operations.js'
import { digestOf, sendConditional, serve } from './serve.js'

export function documentRoutes(app: FastifyInstance, version: string): void {
  const http = openApi(OPERATIONS, version)
  const feeds = asyncApi(version)
  const texts = { http: JSON.stringify(http), feeds: JSON.stringify(feeds), page: docsPage(http, feeds) }
  const tags = { http: digestOf(texts.http), feeds: digestOf(texts.feeds), page: digestOf(texts.page) }

  serve(app, GetOpenApi, ({ request, reply }) => sendConditional(request, reply, () => texts.http, tags.http))
  serve(app, GetAsyncApi, ({ request, reply }) =>
    sendConditional(request, reply, () => texts.feeds, tags.feeds),
  )
  serve(app, GetDocs, ({ request, reply }) => {
    reply.header('content-security-policy', PAGE_POLICY)
    sendConditional(request, reply, () => texts.page, tags.page, 'text/html; charset=utf-8')
  })
}
