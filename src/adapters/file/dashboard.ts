/// Reads the built dashboard from its folder: `index.html`, and `assets/` beside it.

import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import type { Asset, Dashboard } from '../../ports/dashboard.js'

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

/// null when it was not built. Rejects when it is there and cannot be read.
export async function readDashboard(folder: string): Promise<Dashboard | null> {
  let page: Buffer
  try {
    page = await readFile(join(folder, 'index.html'))
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return null
    throw error
  }
  const assets = new Map<string, Asset>()
  for (const name of await readdir(join(folder, 'assets'))) {
    const type = TYPES[extname(name)]
    // A licence text, say, that lies beside what it is about.
    if (type !== undefined) assets.set(name, { type, bytes: await readFile(join(folder, 'assets', name)) })
  }
  return { page, assets }
}
