/// Where the real swaps are. The full files lie outside of the repository; without them, a committed sample serves.

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')

export interface RealSwaps {
  readonly csvPaths: readonly string[]
  /// True where only the committed sample was found.
  readonly sample: boolean
}

export function realSwaps(): RealSwaps {
  const given = process.env.VOLUMER_SHARED
  const csvPaths = csvFilesIn(join(given ?? join(ROOT, '../shared'), 'data'))
  if (csvPaths.length > 0) return { csvPaths, sample: false }
  if (given !== undefined) throw new Error(`VOLUMER_SHARED: no data/*.csv.gz below ${given}`)
  return { csvPaths: csvFilesIn(join(ROOT, 'test/data')), sample: true }
}

function csvFilesIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  const names = readdirSync(folder).filter(name => name.endsWith('.csv.gz'))
  return names.sort().map(name => join(folder, name))
}
