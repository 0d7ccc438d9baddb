/// A dead letter as a frame (docs/formats/dead-letters.md). Meta: partition (−1 for HTTP), offset or line, time, fate.
/// Payload: u16 length and UTF-8 of the field (0xffff: none), u16 length and UTF-8 of the reason, the input.

import { invariant } from '../../core/invariant.js'
import { epochMs, offset } from '../../core/units.js'
import type { DeadLetter, LetterOrigin } from '../../ports/dead-letters.js'
import { INPUT_BYTES_MAX } from '../memory/dead-letters.js'
import type { FrameMeta } from './frame.js'

const FATES = ['late', 'early', 'invalid'] as const
const NO_FIELD = 0xffff
const TEXT_BYTES_MAX = 4096
const HTTP = -1

export function letterMeta({ origin, time, fate }: DeadLetter): FrameMeta {
  invariant(origin.kind !== 'topic', 'a log on the disk has no topics')
  const [from, at] = origin.kind === 'log' ? [origin.partition, origin.offset] : [HTTP, origin.line]
  return [from, at, time, FATES.indexOf(fate)]
}

export function encodeLetter({ field, reason, input }: DeadLetter): Buffer {
  const fieldBytes = cut(Buffer.from(field ?? ''))
  const reasonBytes = cut(Buffer.from(reason))
  const lengths = Buffer.alloc(4)
  lengths.writeUInt16LE(field === null ? NO_FIELD : fieldBytes.length, 0)
  lengths.writeUInt16LE(reasonBytes.length, 2)
  return Buffer.concat([
    lengths.subarray(0, 2),
    fieldBytes,
    lengths.subarray(2),
    reasonBytes,
    input.subarray(0, INPUT_BYTES_MAX),
  ])
}

export function decodeLetter([from, at, time, fate]: FrameMeta, payload: Uint8Array): DeadLetter {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
  const fieldLength = bytes.readUInt16LE(0)
  const fieldEnd = fieldLength === NO_FIELD ? 2 : 2 + fieldLength
  const reasonEnd = fieldEnd + 2 + bytes.readUInt16LE(fieldEnd)
  const known = FATES[fate]
  invariant(known !== undefined, 'a stored letter has one of the fates')
  const origin: LetterOrigin =
    from === HTTP ? { kind: 'http', line: at } : { kind: 'log', partition: from, offset: offset(at) }
  return {
    fate: known,
    field: fieldLength === NO_FIELD ? null : bytes.toString('utf8', 2, fieldEnd),
    reason: bytes.toString('utf8', fieldEnd + 2, reasonEnd),
    time: epochMs(time),
    origin,
    input: Uint8Array.from(bytes.subarray(reasonEnd)),
  }
}

/// At most TEXT_BYTES_MAX, ending with a whole character.
function cut(text: Buffer): Buffer {
  if (text.length <= TEXT_BYTES_MAX) return text
  let end = TEXT_BYTES_MAX
  while (((text[end] ?? 0) & 0xc0) === 0x80) end--
  return text.subarray(0, end)
}
