/// A directory that a test fills and that goes with it.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/// With `name`, a place in it where nothing is yet.
export function scratchDirectory(t: TestContext, name = ''): string {
  return scratchIn(tmpdir(), t, name)
}

/// The same in memory where the system has a place for it: for small data that are written and synced hundreds of
/// times, where nothing is tested about the disk itself.
export function memoryScratchDirectory(t: TestContext, name = ''): string {
  return scratchIn(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), t, name)
}

function scratchIn(parent: string, t: TestContext, name: string): string {
  const directory = mkdtempSync(join(parent, 'volumer-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, name)
}
