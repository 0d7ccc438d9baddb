/// Both documents as one HTML page: no script, no font, nothing from elsewhere, so it works offline and under the
/// strictest policy. It shows what is in the documents and nothing else.

import { createHash } from 'node:crypto'

type Json = Readonly<Record<string, unknown>>

const STYLE = `
:root{color-scheme:light dark;--line:#8884;--soft:#8882}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}
code,pre{font:0.875rem/1.45 ui-monospace,monospace}
pre{background:var(--soft);padding:.75rem;overflow:auto;border-radius:.25rem}
table{border-collapse:collapse;width:100%}
td,th{border-top:1px solid var(--line);padding:.25rem .5rem;text-align:left;vertical-align:top}
section{border-top:2px solid var(--line);margin-top:1.5rem}
nav a{display:inline-block;margin-right:1rem}
h1,h2,h3{line-height:1.2}
summary{cursor:pointer}
`

/// For the Content-Security-Policy: this style and nothing else.
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`

export function docsPage(openApi: Json, asyncApi: Json): string {
  const operations = operationsOf(openApi)
  const messages = Object.entries(object(at(asyncApi, 'components', 'messages')))
  const links = [
    ...operations.map(({ method, path, id }) => [id, `${method} ${path}`]),
    ...messages.map(([name]) => [name, name]),
  ]
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    `<title>${escaped(text(at(openApi, 'info', 'title')))} API</title><style>${STYLE}</style></head><body>`,
    `<h1>${escaped(text(at(openApi, 'info', 'title')))} ${escaped(text(at(openApi, 'info', 'version')))}</h1>`,
    `<p>${prose(at(openApi, 'info', 'description'))}</p>`,
    '<p><a href="openapi.json">openapi.json</a> · <a href="asyncapi.json">asyncapi.json</a></p>',
    `<nav>${links.map(([id = '', label = '']) => `<a href="#${escaped(id)}">${escaped(label)}</a>`).join(' ')}</nav>`,
    '<h2>HTTP</h2>',
    ...operations.map(operationHtml),
    `<h2>Feeds</h2><p>${prose(at(asyncApi, 'info', 'description'))}</p>`,
    ...messages.map(([name, message]) => messageHtml(name, object(message), asyncApi)),
    ...schemasHtml('HTTP schemas', 'http', openApi),
    ...schemasHtml('Feed schemas', 'feed', asyncApi),
    '</body></html>\n',
  ].join('\n')
}

interface Shown {
  readonly id: string
  readonly method: string
  readonly path: string
  readonly of: Json
}

function operationsOf(openApi: Json): Shown[] {
  return Object.entries(object(openApi.paths)).flatMap(([path, methods]) =>
    Object.entries(object(methods)).map(([method, of]) => ({
      id: text(at(object(of), 'operationId')),
      method: method.toUpperCase(),
      path,
      of: object(of),
    })),
  )
}

function operationHtml({ id, method, path, of }: Shown): string {
  const parameters = array(of.parameters).map(each => {
    const { name, in: where, required, description, schema } = object(each)
    return `<tr><td><code>${escaped(text(name))}</code></td><td>${escaped(text(where))}${required === true ? ', required' : ''}</td><td>${typeHtml(schema, 'http')}</td><td>${prose(description)}</td></tr>`
  })
  const responses = Object.entries(object(of.responses)).map(([status, response]) => {
    const { description, content } = object(response)
    const schemas = Object.entries(object(content)).map(
      ([type, media]) => `<code>${escaped(type)}</code> ${typeHtml(object(media).schema, 'http')}`,
    )
    return `<tr><td>${escaped(status)}</td><td>${prose(description)}</td><td>${schemas.join('<br>')}</td></tr>`
  })
  const bodies = Object.entries(object(at(of, 'requestBody', 'content'))).map(
    ([type, media]) =>
      `<p>Body <code>${escaped(type)}</code> ${typeHtml(object(media).schema, 'http')}</p>${exampleHtml(object(media).example)}`,
  )
  const example = Object.values(object(at(of, 'responses', '200', 'content')))[0]
  return [
    `<section id="${escaped(id)}"><h3><code>${method} ${escaped(path)}</code></h3><p>${prose(of.summary)}.</p>`,
    of.description === undefined ? '' : `<p>${prose(of.description)}</p>`,
    `<p>Scope ${escaped(text(of['x-scope']))}, cost ${escaped(text(of['x-cost']))}.</p>`,
    parameters.length === 0 ? '' : `<table>${parameters.join('')}</table>`,
    ...bodies,
    `<table>${responses.join('')}</table>`,
    exampleHtml(object(example).example),
    '</section>',
  ].join('\n')
}

function messageHtml(name: string, message: Json, asyncApi: Json): string {
  const action = Object.values(object(asyncApi.operations)).find(operation =>
    array(object(operation).messages).some(each => text(object(each).$ref).endsWith(`/${name}`)),
  )
  const by = object(action).action === 'receive' ? 'said by a client' : 'said by the server'
  return [
    `<section id="${escaped(name)}"><h3>${escaped(name)}</h3><p>${by}: ${typeHtml(message.payload, 'feed')}. ${prose(message.summary)}</p>`,
    ...array(message.examples).map(example => exampleHtml(object(example).payload)),
    '</section>',
  ].join('\n')
}

function schemasHtml(title: string, prefix: string, document: Json): string[] {
  const schemas = Object.entries(object(at(document, 'components', 'schemas')))
  return [
    `<h2>${title}</h2>`,
    ...schemas.map(([name, schema]) => {
      const { description, properties, required } = object(schema)
      const rows = Object.entries(object(properties)).map(([key, property]) => {
        const needed = array(required).includes(key) ? '' : ' (optional)'
        return `<tr><td><code>${escaped(key)}</code>${needed}</td><td>${typeHtml(property, prefix)}</td><td>${prose(object(property).description)}</td></tr>`
      })
      return `<section id="${prefix}-${escaped(name)}"><h3>${escaped(name)}</h3><p>${prose(description)}</p><table>${rows.join('')}</table></section>`
    }),
  ]
}

/// `integer 1 … 500`, `string or null`, a link to a named schema.
function typeHtml(schema: unknown, prefix: string): string {
  const of = object(schema)
  const { $ref, type, enum: names, anyOf, items, properties, patternProperties } = of
  if (typeof $ref === 'string') {
    const name = escaped($ref.slice($ref.lastIndexOf('/') + 1))
    return `<a href="#${prefix}-${name}">${name}</a>`
  }
  if (Array.isArray(anyOf)) return anyOf.map(each => typeHtml(each, prefix)).join(' or ')
  if (Array.isArray(names)) return names.map(name => `<code>${escaped(text(name))}</code>`).join(' ')
  if ('const' in of) return `<code>${escaped(JSON.stringify(of.const))}</code>`
  if (type === 'array') return `array of ${typeHtml(items, prefix)}`
  if (type === 'object' && patternProperties !== undefined) {
    return `by window or name: ${typeHtml(Object.values(object(patternProperties))[0], prefix)}`
  }
  if (type === 'object' && properties !== undefined) {
    const parts = Object.entries(object(properties)).map(
      ([key, each]) => `<code>${escaped(key)}</code> ${typeHtml(each, prefix)}`,
    )
    return `{ ${parts.join(', ')} }`
  }
  const { minimum, maximum } = of
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''} … ${maximum ?? ''}`
  return escaped(`${text(type)}${range}`)
}

function exampleHtml(example: unknown): string {
  if (example === undefined) return ''
  const shown = typeof example === 'string' ? example : JSON.stringify(example, null, 2)
  return `<details><summary>Example</summary><pre>${escaped(shown)}</pre></details>`
}

/// Escaped, with `code` in backticks as such.
function prose(value: unknown): string {
  return escaped(text(value)).replace(/`([^`]*)`/g, '<code>$1</code>')
}

function escaped(value: string): string {
  return value
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

const text = (value: unknown): string => (value === undefined || value === null ? '' : String(value))
const array = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

function object(value: unknown): Json {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function at(document: Json, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => object(value)[key], document)
}
