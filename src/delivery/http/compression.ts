/// Compressed answers, for those who ask for them: gzip, at a level that costs less time than it saves on a line.

import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

/// Below it the header and the delay cost more than they save.
const BYTES_MIN = 1024
const LEVEL = 3

export function compressAnswers(app: FastifyInstance): void {
  app.addHook('onSend', (request, reply, payload, done) => {
    const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : null
    if (text === null || text.length < BYTES_MIN || reply.hasHeader('content-encoding'))
      return done(null, payload)
    // Compressed already.
    if (String(reply.getHeader('content-type')).startsWith('font/')) return done(null, payload)
    const vary = reply.getHeader('vary')
    reply.header('vary', vary === undefined ? 'Accept-Encoding' : `${vary}, Accept-Encoding`)
    if (request.method === 'HEAD' || !takesGzip(request.headers['accept-encoding']))
      return done(null, payload)
    gzip(text, { level: LEVEL }, (error, bytes) => {
      if (error !== null) return done(error)
      reply.header('content-encoding', 'gzip').removeHeader('content-length')
      done(null, bytes)
    })
  })
}

/// Whether the header names gzip, or anything, without forbidding it (RFC 9110, 12.5.3).
export function takesGzip(header: string | string[] | undefined): boolean {
  if (header === undefined) return false
  let any = false
  for (const part of String(header).split(',')) {
    const [coding = '', ...parameters] = part.split(';').map(text => text.trim().toLowerCase())
    const weight = parameters.find(parameter => parameter.startsWith('q='))
    const wanted = weight === undefined || Number(weight.slice(2)) > 0
    if (coding === 'gzip' || coding === 'x-gzip') return wanted
    if (coding === '*') any = wanted
  }
  return any
}
