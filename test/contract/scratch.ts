/// A directory that a test fills and that goes with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/// With `name`, a place in it where nothing is yet.
export function scratchDirectory(t: TestContext, name = ''): string {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return join(directory, name)
}
