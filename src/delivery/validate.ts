/// Validation by the schemas on the wire, with faults said in words: which field, and what was wanted there.

import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Wire } from './wire/schema.js'

export interface Fault {
  /// `limit`, `subscriptions[2].tokens[0]`; null for the document as a whole.
  readonly field: string | null
  /// A sentence: `limit is an integer from 1 to 500`.
  readonly message: string
}

export interface Validator<S extends TSchema> {
  check(value: unknown): value is Wire<S>
  /// What is wrong with a value that `check` refused.
  fault(value: unknown): Fault
}

export function validator<S extends TSchema>(schema: S): Validator<S> {
  const compiled = Compile(schema)
  return {
    check: (value): value is Wire<S> => compiled.Check(value),
    fault(value) {
      const errors = compiled.Errors(value)
      // The deepest place is the cause: a union above it only says that none of its members fit.
      const missing = errors.find(({ keyword }) => keyword === 'required')
      if (missing?.keyword === 'required') {
        const [name = ''] = missing.params.requiredProperties
        const field = fieldOf(`${missing.instancePath}/${name}`)
        return {
          field,
          message: `${field} is required: ${wantedAt(schema, `${missing.instancePath}/${name}`)}`,
        }
      }
      const unexpected = errors.find(({ keyword }) => keyword === 'additionalProperties')
      if (unexpected?.keyword === 'additionalProperties') {
        const [name = ''] = unexpected.params.additionalProperties
        const field = fieldOf(`${unexpected.instancePath}/${name}`)
        const known = Object.keys(propertiesOf(schemaAt(schema, unexpected.instancePath)))
        const message =
          known.length === 0 ? `there is no ${field}` : `there is no ${field}; known are ${known.join(', ')}`
        return { field, message }
      }
      const path = errors[0]?.instancePath ?? ''
      const field = fieldOf(path)
      return { field, message: `${field ?? 'the document'} is ${wantedAt(schema, path)}` }
    },
  }
}

/// A JSON pointer as people write it: `/a/0/b` is `a[0].b`.
function fieldOf(pointer: string): string | null {
  const parts = pointer
    .split('/')
    .slice(1)
    .map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  let field = ''
  for (const part of parts) {
    if (/^\d+$/.test(part) && field !== '') field += `[${part}]`
    else field += field === '' ? part : `.${part}`
  }
  return field === '' ? null : field
}

type Node = Readonly<Record<string, unknown>>

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null

function propertiesOf(node: unknown): Node {
  return isNode(node) && isNode(node.properties) ? node.properties : {}
}

/// The schema that the value at the pointer must match; as deep as it can be told.
function schemaAt(schema: unknown, pointer: string): unknown {
  let node = schema
  for (const part of pointer.split('/').slice(1)) {
    const properties = propertiesOf(node)
    const next = Object.hasOwn(properties, part) ? properties[part] : isNode(node) ? node.items : undefined
    if (!isNode(next)) return node
    node = next
  }
  return node
}

function wantedAt(schema: unknown, pointer: string): string {
  return wantedOf(schemaAt(schema, pointer))
}

/// What a schema wants, to be read after “is”.
export function wantedOf(node: unknown): string {
  if (!isNode(node)) return 'something else'
  if (typeof node['x-wanted'] === 'string') return node['x-wanted']
  if (Array.isArray(node.enum)) return `one of ${node.enum.join(', ')}`
  if ('const' in node) return JSON.stringify(node.const)
  if (Array.isArray(node.anyOf)) return node.anyOf.map(wantedOf).join(', or ')
  const { type, minimum, maximum, minLength, maxLength, minItems, maxItems } = node
  switch (type) {
    case 'integer':
    case 'number': {
      const kind = type === 'integer' ? 'an integer' : 'a number'
      if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`
      return minimum === undefined ? kind : `${kind} of at least ${minimum}`
    }
    case 'string':
      return maxLength === undefined ? 'a string' : `a string of ${minLength ?? 0} to ${maxLength} characters`
    case 'array': {
      const most = maxItems === undefined ? '' : ` of ${minItems ?? 0} to ${maxItems}`
      return `an array${most} (each ${wantedOf(node.items)})`
    }
    case 'boolean':
      return 'true or false'
    case 'null':
      return 'null'
    default:
      return 'an object'
  }
}
