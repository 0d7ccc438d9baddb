/// The grammar of JSON (RFC 8259) over bytes, as strict as JSON.parse and stricter in three points: the text must
/// be well-formed UTF-8, a string must not hold lone surrogates, escaped or not, and values must not nest deeper
/// than 32. These three are flaws, not syntax errors: the extent of the value is still known, so that an array
/// can go on with its next element.

import { quoted } from './reject.js'
import { sequenceLength, writeCodePoint } from './utf8.js'

export const MAX_DEPTH = 32

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/// What `\x` stands for, by x; 0 for what is no escape.
const ESCAPED = new Uint8Array(128)
for (const [letter, character] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t']) {
  ESCAPED[letter?.charCodeAt(0) ?? 0] = character?.charCodeAt(0) ?? 0
}

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 48 && byte <= 57

function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 48 && byte <= 57) return byte - 48
  const letter = byte | 0x20
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/// Four hexadecimal digits at `at`, or −1.
function hex4(bytes: Uint8Array, at: number, end: number): number {
  if (at + 4 > end) return -1
  let value = 0
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(bytes[i])
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

const isHighSurrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdbff
const isLowSurrogate = (unit: number) => unit >= 0xdc00 && unit <= 0xdfff

/// Writes the characters of a string without syntax errors and flaws, bytes[at … end − 1], to `to` and returns
/// where they end. Unescaped text is never longer than escaped.
export function writeUnescaped(bytes: Uint8Array, at: number, end: number, to: number): number {
  let p = at
  let q = to
  while (p < end) {
    const byte = bytes[p++] ?? 0
    if (byte !== BACKSLASH) {
      bytes[q++] = byte
      continue
    }
    const letter = bytes[p++] ?? 0
    if (letter !== 0x75) {
      bytes[q++] = ESCAPED[letter] ?? 0
      continue
    }
    let codePoint = hex4(bytes, p, end)
    p += 4
    if (isHighSurrogate(codePoint)) {
      codePoint = 0x1_0000 + ((codePoint - 0xd800) << 10) + (hex4(bytes, p + 2, end) - 0xdc00)
      p += 6
    }
    q = writeCodePoint(bytes, q, codePoint)
  }
  return q
}

export class JsonScanner {
  #bytes: Uint8Array = new Uint8Array(0)
  #begin = 0
  #end = 0
  /// Where the scanner stands.
  position = 0
  /// Set by a syntax error: what was wanted and what came. Scanning cannot go on.
  error: string | null = null
  /// Set by the first flaw.
  flaw: string | null = null
  /// Of the last string: the range between its quotes, and whether it holds escapes.
  stringAt = 0
  stringEnd = 0
  stringEscaped = false

  /// Begins at `at`; sees nothing from `end` on.
  start(bytes: Uint8Array, at: number, end: number): void {
    this.#bytes = bytes
    this.#begin = at
    this.#end = end
    this.position = at
    this.error = null
    this.flaw = null
  }

  /// The byte at the position, −1 at the end.
  peek(): number {
    return this.position < this.#end ? (this.#bytes[this.position] ?? -1) : -1
  }

  /// Moves over JSON's whitespace and returns the byte after it.
  skipSpace(): number {
    let byte = this.peek()
    while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) {
      this.position++
      byte = this.peek()
    }
    return byte
  }

  /// Notes a syntax error at the position and returns false.
  fail(wanted: string): false {
    const at = this.position
    const got = at < this.#end ? this.#character(at) : 'the end'
    this.error ??= `not JSON: wanted ${wanted} at byte ${at - this.#begin}, got ${got}`
    return false
  }

  #character(at: number): string {
    const length = sequenceLength(this.#bytes, at, this.#end)
    if (length > 0) return quoted(this.#bytes, at, at + length)
    return `the byte 0x${(this.#bytes[at] ?? 0).toString(16)}`
  }

  #flawed(what: string): void {
    this.flaw ??= `${what} at byte ${this.position - this.#begin}`
  }

  /// Scans a string, the position being at its opening quote. False on a syntax error.
  string(): boolean {
    const bytes = this.#bytes
    const end = this.#end
    this.position++
    this.stringAt = this.position
    this.stringEscaped = false
    for (;;) {
      const byte = this.peek()
      if (byte === QUOTE) break
      if (byte === BACKSLASH) {
        if (!this.#escape()) return false
      } else if (byte < 0x20) return this.fail('the rest of a string')
      else {
        const length = sequenceLength(bytes, this.position, end)
        if (length === 0) this.#flawed('invalid UTF-8')
        this.position += Math.max(1, length)
      }
    }
    this.stringEnd = this.position
    this.position++
    return true
  }

  #escape(): boolean {
    const bytes = this.#bytes
    this.stringEscaped = true
    const at = this.position
    this.position++
    const letter = this.peek()
    if (letter !== 0x75) {
      if (letter < 0 || letter > 127 || ESCAPED[letter] === 0) return this.fail('an escape')
      this.position++
      return true
    }
    const unit = hex4(bytes, at + 2, this.#end)
    if (unit < 0) return this.fail('four hexadecimal digits')
    if (isHighSurrogate(unit)) {
      const paired = at + 8 <= this.#end && bytes[at + 6] === BACKSLASH && bytes[at + 7] === 0x75
      if (paired && isLowSurrogate(hex4(bytes, at + 8, this.#end))) {
        this.position = at + 12
        return true
      }
      this.#flawed('a lone surrogate')
    } else if (isLowSurrogate(unit)) this.#flawed('a lone surrogate')
    this.position = at + 6
    return true
  }

  /// Scans any value, the position being at its first byte. `depth` is how many containers it stands in. False on a
  /// syntax error.
  value(depth: number): boolean {
    const byte = this.peek()
    switch (byte) {
      case QUOTE:
        return this.string()
      case OPEN_OBJECT:
      case OPEN_ARRAY:
        if (depth >= MAX_DEPTH) return this.#tooDeep()
        return byte === OPEN_OBJECT ? this.#object(depth + 1) : this.#array(depth + 1)
      case 0x74:
        return this.#literal('true')
      case 0x66:
        return this.#literal('false')
      case 0x6e:
        return this.#literal('null')
      default:
        return byte === 0x2d || isDigit(byte) ? this.#number() : this.fail('a value')
    }
  }

  /// Scans `"key" :` and the whitespace around the colon. False on a syntax error.
  key(): boolean {
    if (this.peek() !== QUOTE) return this.fail('a key')
    if (!this.string()) return false
    if (this.skipSpace() !== COLON) return this.fail('":" after a key')
    this.position++
    this.skipSpace()
    return true
  }

  /// After a member or an element: moves over `,` and to the next one (true), or over `close` (false). A syntax error
  /// is false too and sets `error`.
  next(close: number): boolean {
    const byte = this.skipSpace()
    if (byte !== COMMA && byte !== close) {
      return this.fail(close === CLOSE_OBJECT ? '"," or "}"' : '"," or "]"')
    }
    this.position++
    if (byte !== COMMA) return false
    this.skipSpace()
    return true
  }

  #object(depth: number): boolean {
    this.position++
    if (this.skipSpace() === CLOSE_OBJECT) {
      this.position++
      return true
    }
    do {
      if (!this.key() || !this.value(depth)) return false
    } while (this.next(CLOSE_OBJECT))
    return this.error === null
  }

  #array(depth: number): boolean {
    this.position++
    if (this.skipSpace() === CLOSE_ARRAY) {
      this.position++
      return true
    }
    do {
      if (!this.value(depth)) return false
    } while (this.next(CLOSE_ARRAY))
    return this.error === null
  }

  #literal(text: string): boolean {
    for (let i = 0; i < text.length; i++) {
      if (this.peek() !== text.charCodeAt(i)) return this.fail(text)
      this.position++
    }
    return true
  }

  #number(): boolean {
    if (this.peek() === 0x2d) this.position++
    if (this.peek() === 48) this.position++
    else if (!this.#digits()) return false
    if (this.peek() === 0x2e) {
      this.position++
      if (!this.#digits()) return false
    }
    if ((this.peek() | 0x20) === 0x65 && this.peek() > 0) {
      this.position++
      if (this.peek() === 0x2b || this.peek() === 0x2d) this.position++
      if (!this.#digits()) return false
    }
    return true
  }

  #digits(): boolean {
    if (!isDigit(this.peek())) return this.fail('a digit')
    while (isDigit(this.peek())) this.position++
    return true
  }

  /// Moves over a container that nests too deep, without recursion. What is in it is refused with it, so only its
  /// extent matters: brackets are counted, strings are scanned.
  #tooDeep(): boolean {
    this.#flawed(`values nested deeper than ${MAX_DEPTH}`)
    let open = 0
    do {
      const byte = this.peek()
      if (byte < 0) return this.fail('"]" or "}"')
      if (byte === QUOTE) {
        if (!this.string()) return false
        continue
      }
      if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) open++
      if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) open--
      this.position++
    } while (open > 0)
    return true
  }
}
