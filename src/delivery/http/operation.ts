/// An operation of the HTTP API: everything that is known of it, in one place. Routes are made from it, requests are
/// validated by it, /openapi.json and /docs show it.

import Type, { type TObject, type TSchema, type TString } from 'typebox'
import type { Access } from '../guard/guard.js'
import type { ProblemType } from '../wire/problem.js'
import { closed } from '../wire/schema.js'

export interface Answer {
  readonly description: string
  readonly contentType: string
  readonly schema: TSchema
  readonly example: unknown
}

export interface RequestBody {
  readonly description: string
  /// By content type.
  readonly content: Readonly<Record<string, { readonly schema: TSchema; readonly example: unknown }>>
}

export interface Operation<Params extends TObject = TObject, Query extends TObject = TObject> {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  /// As in OpenAPI: `/v1/tokens/{token}`.
  readonly path: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly params: Params
  /// Integers are read from digits, arrays from commas.
  readonly query: Query
  readonly body?: RequestBody
  readonly answer: Answer
  /// Content types that the answer may have besides, of texts or bytes that no schema describes.
  readonly otherTypes?: readonly string[]
  readonly problems: readonly ProblemType[]
  readonly access: Access
  /// What a call takes from its caller's rate, in units of a token's statistics.
  readonly cost: number
  /// Whether answers carry an ETag and are asked for conditionally.
  readonly conditional?: true
  /// The answer has no end: there is no HEAD for it.
  readonly stream?: true
}

export const NO_PARAMS = closed({})

export const operation = <Params extends TObject, Query extends TObject>(
  of: Operation<Params, Query>,
): Operation<Params, Query> => of

/// A list of short texts in one parameter, separated by commas.
export const commaList = (item: TString, maxItems: number, description: string) =>
  Type.Array(item, { minItems: 1, maxItems, description })
