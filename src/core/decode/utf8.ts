/// UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.

const continues = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80

/// How many code points bytes[at … end − 1] encode, or −1 when they are not well-formed UTF-8.
export function countCodePoints(bytes: Uint8Array, at: number, end: number): number {
  let count = 0
  let p = at
  while (p < end) {
    const length = sequenceLength(bytes, p, end)
    if (length === 0) return -1
    p += length
    count++
  }
  return count
}

/// Length of the well-formed sequence at `p`, 1 … 4, or 0 when there is none before `end`.
export function sequenceLength(bytes: Uint8Array, p: number, end: number): number {
  const lead = bytes[p] ?? 0
  if (lead < 0x80) return 1
  if (lead < 0xc2) return 0
  const second = bytes[p + 1] ?? 0
  if (lead < 0xe0) return p + 2 <= end && continues(second) ? 2 : 0
  if (lead < 0xf0) {
    if (p + 3 > end || !continues(second) || !continues(bytes[p + 2])) return 0
    if (lead === 0xe0 && second < 0xa0) return 0
    // 0xED 0xA0 and above would be a surrogate.
    return lead === 0xed && second > 0x9f ? 0 : 3
  }
  if (lead > 0xf4 || p + 4 > end) return 0
  if (!continues(second) || !continues(bytes[p + 2]) || !continues(bytes[p + 3])) return 0
  if (lead === 0xf0 && second < 0x90) return 0
  return lead === 0xf4 && second > 0x8f ? 0 : 4
}

/// Writes the code point (not a surrogate) at `at` and returns where it ends.
export function writeCodePoint(bytes: Uint8Array, at: number, codePoint: number): number {
  let p = at
  if (codePoint < 0x80) {
    bytes[p++] = codePoint
    return p
  }
  if (codePoint < 0x800) bytes[p++] = 0xc0 | (codePoint >> 6)
  else {
    if (codePoint < 0x1_0000) bytes[p++] = 0xe0 | (codePoint >> 12)
    else {
      bytes[p++] = 0xf0 | (codePoint >> 18)
      bytes[p++] = 0x80 | ((codePoint >> 12) & 0x3f)
    }
    bytes[p++] = 0x80 | ((codePoint >> 6) & 0x3f)
  }
  bytes[p++] = 0x80 | (codePoint & 0x3f)
  return p
}
