/// The two calls of the file system on which durability rests, apart so that tests can make them fail.

import { fdatasync, writev } from 'node:fs'
import { promisify } from 'node:util'

export interface Disk {
  /// Writes all of the buffers at `position`, or rejects; some may be written then.
  write(fd: number, buffers: readonly Uint8Array[], position: number): Promise<void>
  /// Resolves when what was written to the file, its length included, survives a loss of power.
  sync(fd: number): Promise<void>
}

const writevAsync = promisify(writev)

// The most that the kernel takes in one call.
const BUFFERS_PER_CALL = 1024

export const systemDisk: Disk = {
  async write(fd, buffers, position) {
    let rest = [...buffers]
    let at = position
    while (rest.length > 0) {
      const { bytesWritten } = await writevAsync(fd, rest.slice(0, BUFFERS_PER_CALL), at)
      // A nearly full disk takes a part; the next call says why.
      at += bytesWritten
      rest = withoutBytes(rest, bytesWritten)
    }
  },
  sync: promisify(fdatasync),
}

/// Leaves it to the operating system when something reaches the disk: what was written survives the process, not the
/// machine.
export const unsyncedDisk: Disk = { write: systemDisk.write, sync: async () => {} }

/// What is left of the buffers after their first `bytes`.
function withoutBytes(buffers: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes
  const rest: Uint8Array[] = []
  for (const buffer of buffers) {
    if (skip >= buffer.length) skip -= buffer.length
    else {
      rest.push(buffer.subarray(skip))
      skip = 0
    }
  }
  return rest
}

/// Whether an error of the file system says that there is no room.
export function isNoRoom(error: unknown): boolean {
  const code = errorCode(error)
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG'
}

export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error)
}
