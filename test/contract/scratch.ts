/// A directory that a test fills and that goes with it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

export function scratchDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-test-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
