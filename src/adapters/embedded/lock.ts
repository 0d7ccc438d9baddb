/// One process per data directory.
///
/// Node has no file locks, and a file with a process id in it outlives a killed process and lies when the id is used
/// again. A listening Unix domain socket does neither: the kernel closes it with the process, and whoever connects
/// learns at once whether somebody is there. Taking over what a killed process left must not race with another
/// starter, so nobody ever takes a name over:
///
/// 1. A starter listens on a socket of its own, whose name nobody uses again, and only then gives it its visible name
///    (lock-PID-NONCE). Visible sockets are thus answering or dead, never about to answer.
/// 2. It then asks every other visible socket. Dead ones are removed. A holder answers `held`, and the starter gives
///    up. Of two starters the one with the lower nonce has precedence: it answers `held`, and the other, when asked by
///    it, answers `yield` and gives up.
/// 3. Nobody having answered `held`, and having yielded to nobody, it holds the lock.
///
/// Of two starters at least one sees the other, because each is visible before it looks; and one that was asked by a
/// starter either holds the lock already or has decided which of both gives up.
///
/// The lock works between processes that share a kernel, containers included; not between machines that share a
/// network file system.

import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { epochMs } from '../../core/units.js'
import type { Clock } from '../../ports/clock.js'
import { LockedError } from '../../ports/errors.js'
import { errorCode } from './disk.js'

/// A process that does not answer within this time (stopped, or busy with a restore) is alive nevertheless.
const ANSWER_MS_MAX = 2000
/// Unix socket paths are limited to 104 bytes on macOS, 108 on Linux.
const SOCKET_PATH_BYTES_MAX = 100

export interface DirectoryLock {
  release(): Promise<void>
}

/// Where the sockets of a data directory lie, and how to address them with a short path.
interface Place {
  readonly directory: string
  readonly address: (name: string) => string
  readonly close: () => void
}

/// Throws LockedError, which names the process, when the directory is in use.
export async function lockDirectory(directory: string, clock: Clock): Promise<DirectoryLock> {
  try {
    return await lockIn(placeIn(directory), directory, clock)
  } catch (error) {
    // File systems of some container hosts have no sockets.
    if (!['ENOTSUP', 'EOPNOTSUPP', 'EPERM', 'EINVAL'].includes(errorCode(error))) throw error
    return lockIn(placeInTemporaries(directory), directory, clock)
  }
}

function placeIn(directory: string): Place {
  if (existsSync('/proc/self/fd')) {
    const fd = openSync(directory, 'r')
    return { directory, address: name => `/proc/self/fd/${fd}/${name}`, close: () => closeSync(fd) }
  }
  const longest = join(directory, `starting-${2 ** 22}-${'0'.repeat(16)}`)
  if (Buffer.byteLength(longest) > SOCKET_PATH_BYTES_MAX) return placeInTemporaries(directory)
  return { directory, address: name => join(directory, name), close: () => {} }
}

/// Where the data directory itself cannot have sockets: a directory of the system's temporaries, named by the data
/// directory's real path.
export function placeInTemporaries(directory: string): Place {
  const hash = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 16)
  const own = join(tmpdir(), `volumer-${hash}`)
  mkdirSync(own, { recursive: true })
  return { directory: own, address: name => join(own, name), close: () => {} }
}

const VISIBLE = /^lock-(\d+)-([0-9a-f]{16})$/

/// Locks the directory by sockets that lie in `place`.
export async function lockIn(place: Place, directory: string, clock: Clock): Promise<DirectoryLock> {
  try {
    const socket = await contend(place, directory, clock)
    const release = async () => {
      await socket.close()
      place.close()
    }
    return { release }
  } catch (error) {
    place.close()
    throw error
  }
}

interface Contender {
  held: boolean
  /// Process that was told `yield`.
  yieldedTo: string | null
}

async function contend(
  place: Place,
  directory: string,
  clock: Clock,
): Promise<{ readonly close: () => Promise<void> }> {
  const nonce = randomBytes(8).toString('hex')
  const name = `lock-${process.pid}-${nonce}`
  const starting = `starting-${process.pid}-${nonce}`
  const own: Contender = { held: false, yieldedTo: null }
  const server = await listen(place.address(starting), (pid, other) => {
    if (!own.held && other < nonce) own.yieldedTo = pid
    return own.yieldedTo === null ? 'held' : 'yield'
  })
  const close = async () => {
    rmSync(join(place.directory, name), { force: true })
    await new Promise<void>(resolve => server.close(() => resolve()))
  }
  try {
    makeVisible(place, starting, name, directory)
    const others = readdirSync(place.directory).filter(other => other !== name && VISIBLE.test(other))
    for (const other of others) {
      const told = await ask(place.address(other), `${process.pid} ${nonce}`, clock)
      if (told === 'dead') rmSync(join(place.directory, other), { force: true })
      else if (told !== 'yield') throw locked(directory, VISIBLE.exec(other)?.[1])
    }
    if (own.yieldedTo !== null) throw locked(directory, own.yieldedTo)
    own.held = true
  } catch (error) {
    await close()
    throw error
  }
  // Left over from starters that were killed; a live one finds its name gone and gives up, as it must now.
  for (const left of readdirSync(place.directory)) {
    if (left.startsWith('starting-')) rmSync(join(place.directory, left), { force: true })
  }
  return { close }
}

function makeVisible(place: Place, starting: string, name: string, directory: string): void {
  try {
    renameSync(join(place.directory, starting), join(place.directory, name))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') throw locked(directory, undefined)
    throw error
  }
}

const locked = (directory: string, pid: string | undefined) =>
  new LockedError(
    `The data directory ${directory} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}. Stop that process, or choose another directory with --data.`,
  )

/// `answer` is given the process id and the nonce of whoever asks.
function listen(address: string, answer: (pid: string, nonce: string) => Told): Promise<Server> {
  const server = createServer(socket => {
    let text = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
      const [, pid, nonce] = /^(\d+) ([0-9a-f]{16})\n/.exec(text) ?? []
      if (pid !== undefined && nonce !== undefined) socket.end(answer(pid, nonce))
      else if (text.length > 100) socket.destroy()
    })
  })
  // The lock alone keeps no process alive.
  server.unref()
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(address, () => {
      server.removeListener('error', reject)
      resolve(server)
    })
  })
}

type Told = 'held' | 'yield' | 'dead' | 'silent'

function ask(address: string, question: string, clock: Clock): Promise<Told> {
  return new Promise(resolve => {
    const socket = connect(address)
    let text = ''
    const cancel = clock.at(epochMs(clock.now() + ANSWER_MS_MAX), () => done('silent'))
    const done = (told: Told) => {
      cancel()
      // A second event of a socket that is done resolves nothing.
      socket.destroy()
      resolve(told)
    }
    socket.on('connect', () => socket.write(`${question}\n`))
    socket.on('data', bytes => {
      text += bytes.toString('latin1')
    })
    socket.on('end', () => done(text === 'yield' ? 'yield' : text === 'held' ? 'held' : 'silent'))
    // Refused: a socket without a process. Anything else says nothing about the process.
    socket.on('error', error => {
      done(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK'].includes(errorCode(error)) ? 'dead' : 'silent')
    })
  })
}
