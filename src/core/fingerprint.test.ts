import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fingerprint, hash32 } from './fingerprint.js'

const wordsOf = ({ word0, word1, word2, word3 }: Fingerprint) => [word0, word1, word2, word3]
const utf8 = (text: string) => new TextEncoder().encode(text)

/// The verification of Appleby's SMHasher: hashes the keys {}, {0}, {0,1}, … {0…254} with the seeds 256 … 2, hashes
/// the concatenated results with seed 0, and takes the first word.
function verification(
  size: number,
  hash: (bytes: Uint8Array, length: number, seed: number) => number[],
): number {
  const key = Uint8Array.from({ length: 256 }, (_, i) => i)
  const results = new DataView(new ArrayBuffer(256 * size))
  for (let i = 0; i < 256; i++) {
    hash(key, i, 256 - i).forEach((word, w) => {
      results.setInt32(i * size + w * 4, word, true)
    })
  }
  const [first = 0] = hash(new Uint8Array(results.buffer), 256 * size, 0)
  return first >>> 0
}

test('Fingerprint is MurmurHash3_x86_128', () => {
  const fingerprint = new Fingerprint()
  const words = (bytes: Uint8Array, length: number, seed: number) => {
    fingerprint.hash(bytes, 0, length, seed)
    return [fingerprint.word0, fingerprint.word1, fingerprint.word2, fingerprint.word3]
  }
  assert.equal(verification(16, words), 0xb3ec_e62a)
  assert.deepEqual(words(utf8(''), 0, 0), [0, 0, 0, 0])
})

test('hash32 is MurmurHash3_x86_32', () => {
  assert.equal(
    verification(4, (bytes, length, seed) => [hash32(bytes, 0, length, seed)]),
    0xb0f5_7ee3,
  )
  const fox = utf8('The quick brown fox jumps over the lazy dog')
  assert.equal(hash32(fox, 0, fox.length, 0) >>> 0, 0x2e4f_f723)
})

test('A range hashes as the same bytes alone, wherever it lies', () => {
  const alone = new Fingerprint()
  const within = new Fingerprint()
  for (let length = 0; length < 80; length++) {
    const id = utf8('0123456789abcdefghijklmnopqrstuvwxyz:'.repeat(3).slice(0, length))
    const framed = new Uint8Array(length + 7).fill(255)
    framed.set(id, 3)
    alone.hash(id, 0, length)
    within.hash(framed, 3, length)
    assert.deepEqual(wordsOf(within), wordsOf(alone))
    assert.equal(hash32(framed, 3, length), hash32(id, 0, length))
  }
})

test('The default seed is part of the stored formats', () => {
  const fingerprint = new Fingerprint()
  const id = utf8('0xabc:12')
  fingerprint.hash(id, 0, id.length)
  assert.deepEqual(
    [fingerprint.word0, fingerprint.word1, fingerprint.word2],
    [-1042254191, -1597142668, -183610585],
  )
})
