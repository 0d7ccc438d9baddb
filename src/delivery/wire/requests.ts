/// What a client says over WebSocket: `{"op":"subscribe","tokens":["BTC"],"id":1}` and its siblings, or a bare text
/// that does not begin with `{`, which subscribes to the token of that name (the predecessor's clients do).

import type { ErrorCode, RequestId } from './messages.js'

export type ClientRequest =
  | { readonly op: 'subscribe' | 'unsubscribe'; readonly tokens: readonly string[]; readonly id?: RequestId }
  | { readonly op: 'ping'; readonly id?: RequestId }

export interface RequestError {
  readonly code: ErrorCode
  readonly message: string
  readonly field: string | null
  readonly id?: RequestId
}

export type ParsedRequest =
  | { readonly request: ClientRequest; readonly error?: never }
  | { readonly error: RequestError; readonly request?: never }

export const TOKEN_LENGTH_MAX = 128
const ID_LENGTH_MAX = 64

/// Says what is wrong with a token name, null when nothing is.
export function tokenFault(token: string): string | null {
  if (token === '') return 'a token name is not empty'
  if (token.length > TOKEN_LENGTH_MAX) return `a token name has at most ${TOKEN_LENGTH_MAX} characters`
  if (/\p{Surrogate}/u.test(token)) return 'a token name is valid Unicode (lone surrogate)'
  return null
}

export function parseRequest(text: string): ParsedRequest {
  if (text.charCodeAt(0) !== 0x7b /* { */) return subscription('subscribe', [text], undefined)
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return { error: { code: 'invalidJson', message: 'the message is not JSON', field: null } }
  }
  // The text begins with a brace, so it is an object.
  const fields = new Map<string, unknown>(Object.entries(document ?? {}))
  const id = fields.get('id')
  if (id !== undefined && !isRequestId(id)) {
    return invalid(
      'id',
      `id is a string of at most ${ID_LENGTH_MAX} characters or a finite number`,
      undefined,
    )
  }
  const op = fields.get('op')
  switch (op) {
    case 'subscribe':
    case 'unsubscribe': {
      const tokens = fields.get('tokens')
      if (!Array.isArray(tokens) || !tokens.every(token => typeof token === 'string')) {
        return invalid('tokens', 'tokens is an array of strings', id)
      }
      return subscription(op, tokens, id)
    }
    case 'ping':
      return { request: { op, ...idField(id) } }
    default: {
      const message = 'op is "subscribe", "unsubscribe" or "ping"'
      return typeof op === 'string'
        ? { error: { code: 'unknownOp', message, field: 'op', ...idField(id) } }
        : invalid('op', message, id)
    }
  }
}

function subscription(
  op: 'subscribe' | 'unsubscribe',
  tokens: readonly string[],
  id: RequestId | undefined,
): ParsedRequest {
  for (const [i, token] of tokens.entries()) {
    const fault = tokenFault(token)
    if (fault === null) continue
    return { error: { code: 'invalidToken', message: fault, field: `tokens[${i}]`, ...idField(id) } }
  }
  return { request: { op, tokens: [...new Set(tokens)], ...idField(id) } }
}

function invalid(field: string, message: string, id: RequestId | undefined): ParsedRequest {
  return { error: { code: 'invalidRequest', message, field, ...idField(id) } }
}

function idField(id: RequestId | undefined): { id?: RequestId } {
  return id === undefined ? {} : { id }
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === 'string' ? id.length <= ID_LENGTH_MAX : Number.isFinite(id)
}
