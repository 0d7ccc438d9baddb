/// Reads one JSON object of any shape into the given fields: the exact path, for what flat-record.ts leaves.
///
/// Unknown keys are ignored with their values, whatever these hold, as long as they are valid JSON. Of a key that
/// comes more than once the last value counts, as with JSON.parse.

import { fieldNamed, type GivenFields, Kind } from './fields.js'
import type { InputBytes } from './input-bytes.js'
import { JsonScanner, writeUnescaped } from './json-scanner.js'
import { bare, MAX_RECORD_BYTES } from './reject.js'

const QUOTE = 0x22
const MINUS = 0x2d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

export class JsonRecordReader {
  readonly scanner = new JsonScanner()

  /// Reads the value at `at`, which should be an object and end before `end`. Afterwards `scanner.position` is behind
  /// it, unless `scanner.error` is set. Returns null, or why there is no usable object; `given` is undefined then.
  read(input: InputBytes, at: number, end: number, given: GivenFields): string | null {
    const scanner = this.scanner
    scanner.start(input.bytes, at, end)
    given.clear()
    if (scanner.peek() !== OPEN_OBJECT) {
      if (!scanner.value(0)) return scanner.error
      return `wanted a JSON object, got ${bare(input.bytes, at, scanner.position)}`
    }
    scanner.position++
    if (scanner.skipSpace() === CLOSE_OBJECT) scanner.position++
    else {
      do {
        if (!this.#member(input, given)) return scanner.error
      } while (scanner.next(CLOSE_OBJECT))
    }
    if (scanner.error !== null) return scanner.error
    if (scanner.position - at > MAX_RECORD_BYTES) return TOO_LONG
    return scanner.flaw
  }

  #member(input: InputBytes, given: GivenFields): boolean {
    const scanner = this.scanner
    if (!scanner.key()) return false
    const field = this.#field(input)
    const at = scanner.position
    const first = scanner.peek()
    if (!scanner.value(1)) return false
    if (field < 0) return true
    if (first === QUOTE) this.#setString(input, given, field)
    else given.set(field, kindOf(first), at, scanner.position - at)
    return true
  }

  /// The field that the last string names, or −1.
  #field(input: InputBytes): number {
    const { stringAt, stringEnd, stringEscaped, flaw } = this.scanner
    if (!stringEscaped) return fieldNamed(input.bytes, stringAt, stringEnd - stringAt)
    if (flaw !== null) return -1
    input.own()
    const end = writeUnescaped(input.bytes, stringAt, stringEnd, input.tail)
    return fieldNamed(input.bytes, input.tail, end - input.tail)
  }

  #setString(input: InputBytes, given: GivenFields, field: number): void {
    const { stringAt, stringEnd, stringEscaped, flaw } = this.scanner
    // A flawed record is refused anyway, and a flawed string has no characters to write.
    if (!stringEscaped || flaw !== null) {
      given.set(field, Kind.STRING, stringAt, stringEnd - stringAt)
      return
    }
    input.own()
    const at = input.tail
    const end = writeUnescaped(input.bytes, stringAt, stringEnd, at)
    input.keep(end)
    given.set(field, Kind.STRING, at, end - at)
  }
}

export const TOO_LONG = `wanted a record of at most ${MAX_RECORD_BYTES} bytes`

/// The kind of a value that is no string, by its first byte.
function kindOf(first: number): number {
  if (first === MINUS || (first >= 48 && first <= 57)) return Kind.NUMBER
  return first === 0x6e ? Kind.NULL : Kind.OTHER
}
