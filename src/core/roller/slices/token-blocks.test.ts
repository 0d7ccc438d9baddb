import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomness } from '../../../../test/random/randomness.js'
import { TokenBlocks } from './token-blocks.js'

/// The token's blocks from one on, by following the links.
function blocksFrom(tokenBlocks: TokenBlocks, token: number, block: number): number[] {
  const blocks: number[] = []
  for (let node = tokenBlocks.from(token, block); node >= 0; node = tokenBlocks.next(node)) {
    blocks.push(tokenBlocks.blockOf(node))
  }
  return blocks
}

test('the blocks of each token stay sorted and linked, opened in any order and trimmed', () => {
  const random = randomness('token blocks')
  const tokenBlocks = new TokenBlocks()
  const model = new Map<number, Set<number>>()
  let oldest = 1000
  for (let step = 0; step < 4000; step++) {
    const token = random.below(7)
    const blocks = model.get(token) ?? new Set()
    model.set(token, blocks)
    if (random.below(12) === 0) {
      oldest += random.below(10)
      tokenBlocks.trim(token, oldest)
      for (const block of blocks) if (block < oldest) blocks.delete(block)
    }
    const block = oldest + (random.below(3) === 0 ? random.below(200) : 200 + (step >> 4))
    const isNew = !blocks.has(block)
    assert.equal(tokenBlocks.find(token, block) < 0, isNew)
    const node = tokenBlocks.open(token, block)
    blocks.add(block)
    assert.equal(tokenBlocks.blockOf(node), block)
    assert.equal(tokenBlocks.open(token, block), node)
    const from = oldest + random.below(260)
    const expected = [...blocks].filter(one => one >= from).sort((a, b) => a - b)
    assert.deepEqual(blocksFrom(tokenBlocks, token, from), expected)
  }
})

test('a node knows its first swap, and the first priced one whatever the order of telling', () => {
  const tokenBlocks = new TokenBlocks()
  const node = tokenBlocks.open(0, 5)
  assert.equal(tokenBlocks.pricedSlot(node), -1)
  for (const ms of [700, 300, 900]) tokenBlocks.noteFirst(node, ms)
  assert.equal(tokenBlocks.firstMs(node), 300)
  tokenBlocks.notePriced(node, 9, 1.5)
  tokenBlocks.notePriced(node, 20, 9)
  tokenBlocks.notePriced(node, 9, 1.25)
  assert.deepEqual([tokenBlocks.pricedSlot(node), tokenBlocks.pricedPrice(node)], [9, 1.25])
})

test('nodes made in descending order come in front', () => {
  const tokenBlocks = new TokenBlocks()
  tokenBlocks.prepend(3, [])
  const older = [40, 30, 20].map(block => tokenBlocks.make(block))
  tokenBlocks.prepend(3, older)
  tokenBlocks.open(3, 60)
  tokenBlocks.open(3, 50)
  assert.deepEqual(blocksFrom(tokenBlocks, 3, 25), [30, 40, 50, 60])
  tokenBlocks.prepend(
    3,
    [10].map(block => tokenBlocks.make(block)),
  )
  assert.deepEqual(blocksFrom(tokenBlocks, 3, 0), [10, 20, 30, 40, 50, 60])
})
