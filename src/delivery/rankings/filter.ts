/// Filters over tokens, parsed by hand: no regular expression and no code of a client's is ever run.
///
///   filter     = all *( "or" all )
///   all        = term *( "and" term )
///   term       = comparison | name | "(" filter ")"
///   comparison = path ( ">=" | "<=" | ">" | "<" | "!=" | "=" ) decimal
///   name       = "token" "~" '"' text '"'
///
/// `path` is what `sort` takes (but for `token`), `decimal` a number in plain notation. `and` binds closer than `or`; both in
/// lower case. Spaces are free. A comparison with an unknown value is false, also `!=`. `token~"pe"` holds for tokens whose
/// name contains the text, in upper or lower case; in the text `\` stands before `"` and `\`.
/// Example: `volume.h1>=10000 and (priceChange.h1>5 or txns.m5.traders>=50) and token~"pe"`.

import type { TokenStats } from '../../core/stats.js'
import type { PlacedWindow } from '../wire/metrics.js'
import { TOKEN_LENGTH_MAX } from '../wire/schema.js'
import { clearly, compareValues, type Key, nearOf, parseSort, type SortKey } from './sort.js'

export const FILTER_LENGTH_MAX = 1024
const COMPARISONS_MAX = 16
const DEPTH_MAX = 8

export interface Filter {
  /// The filter in one spelling: equal filters that differ in spaces and window names have the same.
  readonly text: string
  readonly comparisons: number
  matches(stats: TokenStats): boolean
}

type Operator = '>=' | '<=' | '>' | '<' | '!=' | '='

const OPERATORS: readonly Operator[] = ['>=', '<=', '!=', '>', '<', '=']

/// The filter, or what is wrong with the text, to be read after “filter ”.
export function parseFilter(
  text: string,
  windows: readonly PlacedWindow[],
): Filter | { readonly fault: string } {
  if (text.length > FILTER_LENGTH_MAX) return { fault: `has at most ${FILTER_LENGTH_MAX} characters` }
  try {
    return new Parser(text, windows).whole()
  } catch (error) {
    if (error instanceof Fault) return { fault: error.message }
    throw error
  }
}

class Fault extends Error {}

interface Part {
  readonly text: string
  /// Whether the text needs parentheses inside of an `and`.
  readonly loose: boolean
  readonly matches: (stats: TokenStats) => boolean
}

class Parser {
  readonly #text: string
  readonly #windows: readonly PlacedWindow[]
  #at = 0
  #comparisons = 0

  constructor(text: string, windows: readonly PlacedWindow[]) {
    this.#text = text
    this.#windows = windows
  }

  whole(): Filter {
    const { text, matches } = this.#any(0)
    this.#skipSpaces()
    if (this.#at < this.#text.length) this.#fail('“and”, “or” or the end')
    return { text, matches, comparisons: this.#comparisons }
  }

  #any(depth: number): Part {
    const parts = [this.#all(depth)]
    while (this.#word('or')) parts.push(this.#all(depth))
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return only
    return {
      text: parts.map(part => part.text).join(' or '),
      loose: true,
      matches: stats => parts.some(part => part.matches(stats)),
    }
  }

  #all(depth: number): Part {
    const parts = [this.#term(depth)]
    while (this.#word('and')) parts.push(this.#term(depth))
    const [only] = parts
    if (parts.length === 1 && only !== undefined) return only
    return {
      text: parts.map(part => (part.loose ? `(${part.text})` : part.text)).join(' and '),
      loose: false,
      matches: stats => parts.every(part => part.matches(stats)),
    }
  }

  #term(depth: number): Part {
    if (!this.#symbol('(')) return this.#comparison()
    if (depth === DEPTH_MAX) throw new Fault(`has parentheses in at most ${DEPTH_MAX} levels`)
    const inner = this.#any(depth + 1)
    if (!this.#symbol(')')) this.#fail('“)”')
    return inner
  }

  #comparison(): Part {
    if (++this.#comparisons > COMPARISONS_MAX) throw new Fault(`has at most ${COMPARISONS_MAX} comparisons`)
    this.#skipSpaces()
    const from = this.#at
    const path = this.#run(isPathCharacter)
    if (path === '') this.#fail('a statistic such as volume.h1')
    if (path === 'token') return this.#name()
    const key = parseSort(path, this.#windows)
    if ('wanted' in key) throw new Fault(`at character ${from + 1}: a statistic is ${key.wanted}`)
    const operator =
      OPERATORS.find(symbol => this.#symbol(symbol)) ?? this.#fail(`one of ${OPERATORS.join(' ')}`)
    this.#skipSpaces()
    const literalAt = this.#at
    const decimal = this.#run(isDecimalCharacter)
    const wanted = decimal === '' ? null : key.literal(decimal)
    if (wanted === null) {
      this.#at = literalAt
      this.#fail(`a decimal that ${key.name} can be compared with, such as 10000 or 0.5`)
    }
    return {
      text: `${key.name}${operator}${plain(decimal)}`,
      loose: false,
      matches: comparison(key, operator, wanted),
    }
  }

  #name(): Part {
    if (!this.#symbol('~')) this.#fail('“~”')
    this.#skipSpaces()
    const wanted = this.#quoted().toLowerCase()
    if (wanted === '' || wanted.length > TOKEN_LENGTH_MAX) {
      throw new Fault(`compares names with 1 to ${TOKEN_LENGTH_MAX} characters`)
    }
    return {
      text: `token~"${wanted.replaceAll(/["\\]/g, '\\$&')}"`,
      loose: false,
      matches: ({ token }) => token.toLowerCase().includes(wanted),
    }
  }

  #quoted(): string {
    if (!this.#symbol('"')) this.#fail('a text in quotes, such as "pe"')
    let quoted = ''
    for (;;) {
      const character = this.#text.charAt(this.#at)
      if (character === '') this.#fail('“"” at the end of the text')
      this.#at++
      if (character === '"') return quoted
      quoted += character === '\\' ? this.#text.charAt(this.#at++) : character
    }
  }

  #word(word: string): boolean {
    this.#skipSpaces()
    const end = this.#at + word.length
    const next = this.#text.charAt(end)
    if (!this.#text.startsWith(word, this.#at) || (next !== '' && isPathCharacter(next))) return false
    this.#at = end
    return true
  }

  #symbol(symbol: string): boolean {
    this.#skipSpaces()
    if (!this.#text.startsWith(symbol, this.#at)) return false
    this.#at += symbol.length
    return true
  }

  #run(belongs: (character: string) => boolean): string {
    const from = this.#at
    while (this.#at < this.#text.length && belongs(this.#text.charAt(this.#at))) this.#at++
    return this.#text.slice(from, this.#at)
  }

  #skipSpaces(): void {
    while (this.#text.charAt(this.#at) === ' ') this.#at++
  }

  #fail(wanted: string): never {
    throw new Fault(`at character ${this.#at + 1}: wanted ${wanted}`)
  }
}

function comparison(sort: SortKey, operator: Operator, wanted: Key): (stats: TokenStats) => boolean {
  const wantedNear = nearOf(wanted)
  return stats => {
    const near = sort.near(stats)
    if (Number.isNaN(near)) return false
    const order = clearly(near, wantedNear) ? near - wantedNear : compareValues(sort.keyOf(stats), wanted)
    switch (operator) {
      case '>=':
        return order >= 0
      case '<=':
        return order <= 0
      case '>':
        return order > 0
      case '<':
        return order < 0
      case '!=':
        return order !== 0
      case '=':
        return order === 0
      default:
        return operator satisfies never
    }
  }
}

function isPathCharacter(character: string): boolean {
  return (
    (character >= 'a' && character <= 'z') ||
    (character >= 'A' && character <= 'Z') ||
    isDigit(character) ||
    character === '.'
  )
}

function isDecimalCharacter(character: string): boolean {
  return isDigit(character) || character === '.' || character === '-'
}

function isDigit(character: string): boolean {
  return character >= '0' && character <= '9'
}

/// Without zeros that say nothing: `010.50` is `10.5`.
function plain(decimal: string): string {
  const negative = decimal.startsWith('-')
  const [whole = '', fraction = ''] = (negative ? decimal.slice(1) : decimal).split('.')
  const kept = fraction.replace(/0+$/, '')
  const digits = `${whole.replace(/^0+(?=\d)/, '')}${kept === '' ? '' : `.${kept}`}`
  return negative && digits !== '0' ? `-${digits}` : digits
}
