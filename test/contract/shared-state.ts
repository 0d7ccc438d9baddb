/// What every SharedState keeps (src/ports/state-store.ts).
import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { epochMs, offset } from '../../src/core/units.js'
import type { LogGap, SharedState, StateStore } from '../../src/ports/state-store.js'
import { delta, plainDeltas } from './state-store.js'

export type SharedStore = StateStore & SharedState

/// Opens the state of a partition for one more process; `machine` names whose disk it uses. All of a test are of one state,
/// which is empty at first.
export type OpenSharedStates = (t: TestContext) => Promise<{ open(machine: string): Promise<SharedStore> }>

const signal = () => AbortSignal.timeout(30_000)

export function sharedStateContract(name: string, begin: OpenSharedStates): void {
  describe(`SharedState, ${name}`, () => {
    test('whoever opens the state next has what the last one stored', async t => {
      const { open } = await begin(t)
      const first = await open('a')
      const deltas = [delta(0, 10), delta(10, 20), delta(20, 35)]
      for (const one of deltas) await first.appendDelta(one)
      const second = await open('b')
      assert.equal(second.position(), 35)
      assert.deepEqual(plainDeltas(second.deltas()), plainDeltas(deltas))
      await second.appendDelta(delta(35, 50))
      const third = await open('c')
      assert.deepEqual(plainDeltas(third.deltas()), plainDeltas([...deltas, delta(35, 50)]))
      for (const store of [first, second, third]) await store.close()
    })

    test('a machine that comes back has what others stored meanwhile', async t => {
      const { open } = await begin(t)
      const first = await open('a')
      await first.appendDelta(delta(0, 10))
      await first.close()
      const other = await open('b')
      await other.appendDelta(delta(10, 30))
      await other.close()
      const again = await open('a')
      assert.equal(again.position(), 30)
      assert.deepEqual(plainDeltas(again.deltas()), plainDeltas([delta(0, 10), delta(10, 30)]))
      await again.close()
    })

    test('a zombie that goes on writing does no harm: each offset is folded once, whoever covered it', async t => {
      const { open } = await begin(t)
      const zombie = await open('a')
      await zombie.appendDelta(delta(0, 10))
      const successor = await open('b')
      await zombie.appendDelta(delta(10, 30))
      await successor.appendDelta(delta(10, 20))
      await successor.appendDelta(delta(20, 40))
      await zombie.appendDelta(delta(30, 35))
      await successor.appendDelta(delta(40, 50))
      assert.equal(zombie.position(), 35)
      assert.equal(successor.position(), 50)
      const third = await open('c')
      assert.equal(third.position(), 50)
      assert.deepEqual(
        plainDeltas(third.deltas()),
        plainDeltas([delta(0, 10), delta(10, 30), delta(20, 40), delta(40, 50)]),
      )
      for (const store of [zombie, successor, third]) await store.close()
    })

    test('an owner learns when its successor has overtaken it, and not before', async t => {
      const { open } = await begin(t)
      const owner = await open('a')
      await owner.appendDelta(delta(0, 10))
      const successor = await open('b')
      let known = false
      const overtaken = owner.overtaken(offset(20), signal()).then(is => {
        known = true
        return is
      })
      // Its own deltas, and those that do not reach so far, are not it.
      await owner.appendDelta(delta(10, 40))
      await successor.appendDelta(delta(10, 20))
      assert.equal(known, false)
      await successor.appendDelta(delta(20, 21))
      assert.equal(await overtaken, true)
      assert.equal(owner.position(), 40, 'watching folds nothing')
      assert.equal(await owner.overtaken(offset(5), signal()), true, 'also when it had happened before')
      for (const store of [owner, successor]) await store.close()
    })

    test('what was carried is known to whoever opens the state next, and that all is settled from the next delta on', async t => {
      const { open } = await begin(t)
      const first = await open('a')
      assert.deepEqual(first.placement(), { carried: 0, settled: 0 })
      await first.appendDelta(delta(0, 10))
      await first.noteCarried(1)
      const second = await open('b')
      assert.deepEqual(second.placement(), { carried: 1, settled: 0 })
      assert.equal(await second.othersCarried(1), true, 'there are no others')
      second.settle(1)
      await second.appendDelta(delta(10, 20))
      const third = await open('c')
      assert.deepEqual(third.placement(), { carried: 1, settled: 1 })
      assert.deepEqual(plainDeltas(third.deltas()), plainDeltas([delta(0, 10), delta(10, 20)]))
      for (const store of [first, second, third]) await store.close()
    })

    test('who waits to be overtaken may give up', async t => {
      const { open } = await begin(t)
      const owner = await open('a')
      const abort = new AbortController()
      const overtaken = owner.overtaken(offset(0), abort.signal)
      abort.abort()
      assert.equal(await overtaken, false)
      await owner.close()
    })

    test('gaps are known to whoever opens the state next, as long as they matter', async t => {
      const { open } = await begin(t)
      const first = await open('a')
      const gap = (from: number, to: number, until: number): LogGap => ({
        from: offset(from),
        to: offset(to),
        until: epochMs(until),
      })
      const lasting = gap(0, 100, Date.now() + 3_600_000)
      await first.noteGap(lasting)
      await first.noteGap(gap(200, 210, Date.now() - 1))
      await first.appendDelta(delta(0, 120))
      assert.deepEqual(first.gaps(), [lasting])
      await first.close()
      for (const machine of ['a', 'b']) {
        const next = await open(machine)
        assert.deepEqual(next.gaps(), [lasting], `on machine ${machine}`)
        assert.equal(next.position(), 120)
        await next.close()
      }
    })
  })
}
