/// The FORMAT file of a data directory: which version it has and what cannot change afterwards. Two lines: a JSON
/// object, and the CRC-32 of the first line in hexadecimal.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { DamagedError, SettingsMismatchError, UnknownFormatError } from '../../ports/errors.js'
import { syncDirectory } from './stream-open.js'

export const DIRECTORY_VERSION = 3

/// What the data depend on.
export interface DirectorySettings {
  readonly partitions: number
  readonly resolutionMs: number
}

export const formatPath = (directory: string): string => join(directory, 'FORMAT')

const checksum = (line: string) => crc32(line).toString(16).padStart(8, '0')

/// Written last: its presence says that everything else was created.
export function writeFormat(directory: string, settings: DirectorySettings): void {
  const { partitions, resolutionMs } = settings
  const line = JSON.stringify({ format: 'volumer', version: DIRECTORY_VERSION, partitions, resolutionMs })
  const fresh = `${formatPath(directory)}.new`
  writeFileSync(fresh, `${line}\n${checksum(line)}\n`, { flush: true })
  renameSync(fresh, formatPath(directory))
  syncDirectory(directory)
}

/// What the directory was made with; null when it has no FORMAT file. Throws DamagedError and UnknownFormatError.
export function readFormat(directory: string): DirectorySettings | null {
  const path = formatPath(directory)
  if (!existsSync(path)) return null
  const text = readFileSync(path, 'utf8')
  const [line = '', sum] = text.split('\n')
  if (text !== `${line}\n${checksum(line)}\n` || sum === undefined) {
    const wayOut =
      'Restore the file from a copy, or write it again with `volumer repair --data DIR`; nothing else depends on its bytes.'
    throw new DamagedError(`${path} is damaged: it fails its checksum. All data files may be whole.`, wayOut)
  }
  const stored: Readonly<Record<string, unknown>> = JSON.parse(line)
  const { version, partitions, resolutionMs } = stored
  if (version !== DIRECTORY_VERSION) {
    throw new UnknownFormatError(
      `${path} has version ${version}; this program reads version ${DIRECTORY_VERSION}. Use the version of volumer that wrote it, or a newer one.`,
    )
  }
  return { partitions: Number(partitions), resolutionMs: Number(resolutionMs) }
}

/// Throws SettingsMismatchError when the directory was made with other settings.
export function checkSettings(directory: string, stored: DirectorySettings, wanted: DirectorySettings): void {
  const different = (['partitions', 'resolutionMs'] as const).filter(key => stored[key] !== wanted[key])
  if (different.length === 0) return
  const list = different.map(key => `${key} is ${stored[key]} there and ${wanted[key]} now`).join(', ')
  throw new SettingsMismatchError(
    `The data directory ${directory} was made with other settings: ${list}. Start with the same settings, or with another directory (--data).`,
  )
}
