/// A file system of a given size, which a test can fill; it goes with the test.
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { scratchDirectory } from './scratch.js'

/// Where it is mounted. Skips the test and returns null where mounting is not permitted.
export function smallFileSystem(t: TestContext, size: string): string | null {
  const mount = join(scratchDirectory(t), '..', `volumer-tmpfs-${process.pid}`)
  try {
    execFileSync('mkdir', ['-p', mount])
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', mount], { stdio: 'ignore' })
  } catch {
    rmSync(mount, { recursive: true, force: true })
    t.skip('mounting a file system is not permitted here')
    return null
  }
  t.after(() => {
    execFileSync('umount', [mount])
    rmSync(mount, { recursive: true, force: true })
  })
  return mount
}

/// Takes so many bytes; the returned function gives them back.
export function fillWith(directory: string, bytes: number): () => void {
  const ballast = join(directory, 'ballast')
  const fd = openSync(ballast, 'w')
  writeSync(fd, Buffer.alloc(bytes))
  closeSync(fd)
  return () => rmSync(ballast)
}
