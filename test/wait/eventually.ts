/// Waiting for a condition.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'

/// Resolves when the check no longer throws; fails with its last error when it takes longer than a test should.
export async function eventually(check: () => void | Promise<void>, limitMs = 20_000): Promise<void> {
  const deadline = Date.now() + limitMs
  for (;;) {
    try {
      await check()
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
    }
    await pause(2)
  }
}

/// The same for a condition.
export function until(condition: () => boolean, what: string, limitMs?: number): Promise<void> {
  return eventually(() => assert.ok(condition(), `in time: ${what}`), limitMs)
}
