/// The building blocks of the schemas on the wire. A schema here is three things at once: what validates, what
/// /openapi.json and /asyncapi.json show, and, through `Wire`, the TypeScript type.

import Type, { type Static, type TObject, type TProperties, type TSchema } from 'typebox'

type DeepReadonly<T> = T extends readonly (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/// The type of what a schema describes. Nobody changes a message, so everything in it is read-only.
export type Wire<S extends TSchema> = DeepReadonly<Static<S>>

/// An object without other keys than these.
export const closed = <P extends TProperties>(properties: P, description?: string): TObject<P> =>
  Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  })

export const nullable = <S extends TSchema>(schema: S, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description })

export const oneOf = <const T extends readonly string[]>(names: T, description?: string) =>
  Type.Unsafe<T[number]>({
    type: 'string',
    enum: [...names],
    ...(description === undefined ? {} : { description }),
  })

export const epochMs = (description: string) => Type.Integer({ description, examples: [1795478010000] })

export const count = (description: string) => Type.Integer({ minimum: 0, description })

/// A decimal in plain notation, so that no digit is lost on the way through binary64.
export const decimal = (description: string) =>
  Type.String({ pattern: '^-?\\d+(\\.\\d+)?$', description, examples: ['73847.15'] })

const WINDOW_NAME = Type.String({ pattern: '^(ms|s|m|h|d)\\d+$' })

/// A value per window, keyed by window name (`m5`, `h24`), shortest window first.
export const perWindow = <S extends TSchema>(schema: S, description: string) =>
  Type.Record(WINDOW_NAME, schema, { description, additionalProperties: false })

export const TOKEN_LENGTH_MAX = 128

export const TokenName = Type.String({
  minLength: 1,
  maxLength: TOKEN_LENGTH_MAX,
  description: 'Name of a token, as its producer spells it. Case and spaces matter.',
  examples: ['BTC'],
})

/// A window as it is asked for. Which ones a server has is its configuration's matter, so the server checks that.
export const WindowText = Type.String({
  minLength: 1,
  maxLength: 16,
  description: 'A configured window, in either spelling: `5m` or `m5`.',
  examples: ['5m'],
})
