/// /openapi.json and /asyncapi.json as checkers: Ajv, which shares no code with what the server validates by, compiles the
/// schemas that the documents show.

import assert from 'node:assert/strict'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'

type Json = Readonly<Record<string, unknown>>

export const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? { ...value } : {}

export function at(document: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => object(value)[key], document)
}

/// Schemas of a document, by pointer.
export class DocumentSchemas {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true })
  readonly #compiled = new Map<string, ValidateFunction>()

  constructor(document: unknown) {
    this.#ajv.addSchema({ $id: 'document', ...object(document) })
  }

  /// Fails with what is wrong unless the value matches the schema at the pointer.
  assertMatches(pointer: string, value: unknown, what: string): void {
    let validate = this.#compiled.get(pointer)
    if (validate === undefined) {
      validate = this.#ajv.compile({ $ref: `document#${pointer}` })
      this.#compiled.set(pointer, validate)
    }
    const matches = validate(value)
    assert.ok(
      matches,
      `${what} does not match ${pointer}: ${this.#ajv.errorsText(validate.errors)}\n${JSON.stringify(value)?.slice(0, 2000)}`,
    )
  }
}

/// A key as part of a JSON pointer in a URI fragment.
export const escaped = (key: string): string =>
  encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))

/// The documents of a running server, for what it answers.
export class Api {
  readonly openApi: Json
  readonly asyncApi: Json
  readonly #http: DocumentSchemas
  readonly #feeds: DocumentSchemas

  private constructor(openApi: Json, asyncApi: Json) {
    this.openApi = openApi
    this.asyncApi = asyncApi
    this.#http = new DocumentSchemas(openApi)
    this.#feeds = new DocumentSchemas(asyncApi)
  }

  static async of(url: string): Promise<Api> {
    const get = async (path: string) => object(JSON.parse(await (await fetch(url + path)).text()))
    return new Api(await get('/openapi.json'), await get('/asyncapi.json'))
  }

  /// The answer must have a status that the operation documents, and its body that status's schema.
  assertAnswer(method: string, path: string, status: number, contentType: string | null, body: string): void {
    const what = `${method} ${path} ${status}`
    const responses = at(this.openApi, 'paths', path, method.toLowerCase(), 'responses')
    const response = object(responses)[String(status)]
    assert.ok(response !== undefined, `${what} is not documented: ${body.slice(0, 300)}`)
    if (status === 304) return
    const [type = ''] = (contentType ?? '').split(';')
    const content = object(at(response, 'content'))
    assert.ok(type in content, `${what} has the type ${type}, documented are ${Object.keys(content)}`)
    const value: unknown = /[/+]json$/.test(type) ? JSON.parse(body) : body
    const pointer = [
      '',
      'paths',
      path,
      method.toLowerCase(),
      'responses',
      String(status),
      'content',
      type,
      'schema',
    ]
    this.#http.assertMatches(pointer.map(escaped).join('/'), value, what)
  }

  /// The message must match that of its type and channel.
  assertMessage(message: unknown): void {
    const name = messageName(message)
    assert.ok(name in object(at(this.asyncApi, 'components', 'messages')), `${name} is a documented message`)
    this.#feeds.assertMatches(`/components/schemas/${name}`, message, name)
  }

  assertRequest(name: string, request: unknown): void {
    this.#feeds.assertMatches(`/components/schemas/${name}`, request, name)
  }
}

export function messageName(message: unknown): string {
  const { type, channel } = object(message)
  const capital = (text: unknown) => `${String(text).charAt(0).toUpperCase()}${String(text).slice(1)}`
  if (channel !== undefined) return `${capital(channel)}Message`
  return type === 'error' ? 'ErrorMessage' : capital(type)
}
