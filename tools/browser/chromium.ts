/// Finds the browser of the tests: Debian's Chromium, or another build of it on the path. Nothing is downloaded.

import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'] as const

/// The path of the program; null where there is none. `CHROMIUM` names one that is elsewhere.
export function chromium(): string | null {
  const named = process.env.CHROMIUM
  if (named !== undefined && named !== '') return named
  const folders = (process.env.PATH ?? '').split(delimiter)
  const paths = NAMES.flatMap(name => folders.map(folder => join(folder, name)))
  return paths.find(isExecutable) ?? null
}

/// Why no test can have a browser; null when they can.
export function chromiumProblem(): string | null {
  return chromium() === null ? 'there is no `chromium` on the path' : null
}

/// The sandbox needs rights that containers do not have; the pages are our own.
export const CHROMIUM_FLAGS: readonly string[] = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-dev-shm-usage',
]

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
