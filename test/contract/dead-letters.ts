/// What every DeadLetters keeps (src/ports/dead-letters.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { epochMs, offset } from '../../src/core/units.js'
import type { DeadLetter, DeadLetters } from '../../src/ports/dead-letters.js'

/// Opens an empty store that goes with the test.
export type OpenDeadLetters = (t: TestContext) => DeadLetters | Promise<DeadLetters>

export function fromLog(partition: number, at: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return {
    fate: 'late',
    field: 'time',
    reason: `older than the retention: ${at}`,
    time: epochMs(1_000_000 + at),
    origin: { kind: 'log', partition, offset: offset(at) },
    input: Buffer.from(`{"id":"${at}"}`),
    ...more,
  }
}

export function fromHttp(line: number, more: Partial<DeadLetter> = {}): DeadLetter {
  return fromLog(0, line, { fate: 'invalid', field: null, origin: { kind: 'http', line }, ...more })
}

/// All that is kept, inputs as text.
export async function content(store: DeadLetters): Promise<unknown[]> {
  const letters = []
  for await (const letter of store.read()) letters.push(plain(letter))
  return letters
}

export const plain = (letter: DeadLetter) => ({ ...letter, input: Buffer.from(letter.input).toString() })

export function deadLettersContract(name: string, open: OpenDeadLetters): void {
  const opened = async (t: TestContext) => {
    const store = await open(t)
    t.after(() => store.close())
    return store
  }

  describe(`DeadLetters, ${name}`, () => {
    test('letters are read back whole and in order', async t => {
      const store = await opened(t)
      const letters = [
        fromHttp(3, { reason: 'an emoji 🦄 and a NUL \u0000', field: '' }),
        fromLog(0, 7),
        fromLog(2, 7, { fate: 'early', field: null, reason: '' }),
        fromHttp(3, { input: new Uint8Array(0) }),
        fromLog(0, 8, { fate: 'invalid', field: 'usd' }),
      ]
      await store.append(letters.slice(0, 2))
      await store.append([])
      await store.append(letters.slice(2))
      assert.deepEqual(await content(store), letters.map(plain))
      assert.deepEqual(store.counts(), { stored: 5, dropped: 0 })
    })

    test('a letter of the log is stored once, one of HTTP each time', async t => {
      const store = await opened(t)
      await store.append([fromLog(0, 5), fromLog(0, 9), fromLog(1, 2)])
      await store.append([
        fromLog(0, 9),
        fromLog(0, 6),
        fromLog(1, 3),
        fromHttp(1),
        fromHttp(1),
        fromLog(0, 10),
      ])
      await store.append([fromLog(0, 10), fromLog(0, 10)])
      const origins = (await content(store)).map(letter => Object(letter).origin)
      const log = (partition: number, at: number) => fromLog(partition, at).origin
      assert.deepEqual(origins, [
        log(0, 5),
        log(0, 9),
        log(1, 2),
        log(1, 3),
        fromHttp(1).origin,
        fromHttp(1).origin,
        log(0, 10),
      ])
      assert.equal(store.counts().stored, 7)
    })

    test('inputs are cut at 4 KiB', async t => {
      const store = await opened(t)
      await store.append([fromHttp(1, { input: Buffer.alloc(5000, 'a') })])
      for await (const { input } of store.read()) assert.equal(input.length, 4096)
      assert.equal(store.counts().stored, 1)
    })
  })
}

/// What every DeadLetters of one process keeps besides: its size is bounded by itself.
export function localDeadLettersContract(
  name: string,
  open: (t: TestContext, sizeBytesMax: number) => DeadLetters,
): void {
  deadLettersContract(name, t => open(t, 2 ** 24))

  describe(`DeadLetters of this process, ${name}`, () => {
    test('above the bound the oldest go, counted, and stay known', async t => {
      const store = open(t, 64_000)
      t.after(() => store.close())
      for (let i = 0; i < 300; i++) {
        await store.append([fromLog(0, i, { input: Buffer.alloc(1000, 'a') }), fromHttp(i)])
      }
      const { stored, dropped } = store.counts()
      assert.equal(stored, 600)
      assert.ok(dropped > 400 && dropped < 600, `${dropped} are dropped`)
      assert.ok(store.sizeBytes() <= 64_000 + 4000, `${store.sizeBytes()} bytes are about the bound`)
      const kept = await content(store)
      assert.equal(kept.length, stored - dropped)
      assert.deepEqual(kept.at(-1), plain(fromHttp(299)))
      await store.append([fromLog(0, 1), fromLog(0, 299)])
      assert.equal(store.counts().stored, 600)
    })
  })
}

/// What a networked DeadLetters keeps besides: letters about records of other topics.
export function networkedDeadLettersContract(
  name: string,
  open: (t: TestContext) => DeadLetters | Promise<DeadLetters>,
): void {
  deadLettersContract(name, open)

  describe(`DeadLetters of a network, ${name}`, () => {
    test('letters about other topics are stored once, by topic and partition', async t => {
      const store = await open(t)
      t.after(() => store.close())
      const about = (topic: string, partition: number, at: number): DeadLetter =>
        fromLog(partition, at, { origin: { kind: 'topic', topic, partition, offset: offset(at) } })
      const letters = [about('stats', 0, 5), about('rolls', 0, 5), about('stats', 1, 2), fromLog(0, 5)]
      await store.append(letters)
      await store.append([about('stats', 0, 5), about('rolls', 0, 4), fromLog(0, 5), about('stats', 0, 6)])
      assert.deepEqual(await content(store), [...letters, about('stats', 0, 6)].map(plain))
    })
  })
}
