/// Builds the page in src/dashboard into dist/dashboard with Vite, and says how large it became. Fails when what a browser loads
/// first exceeds its budget, or when a built file names an address outside of this server.

import { copyFileSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'

const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')
const PAGE = join(ROOT, 'src/dashboard')
export const OUT = join(ROOT, 'dist/dashboard')

/// Bytes of script, gzipped, that are loaded before anything is shown.
export const FIRST_LOAD_MAX = 150 * 1024

/// Of a built folder.
export interface Sizes {
  /// Gzipped, by file name.
  readonly scripts: ReadonlyMap<string, number>
  /// Those that the page names; the others are loaded when they are wanted.
  readonly firstLoad: number
}

export function sizesOf(folder: string): Sizes {
  const html = readFileSync(join(folder, 'index.html'), 'utf8')
  const scripts = new Map<string, number>()
  let firstLoad = 0
  for (const name of readdirSync(join(folder, 'assets')).filter(each => each.endsWith('.js'))) {
    const size = gzipSync(readFileSync(join(folder, 'assets', name)), { level: 9 }).length
    scripts.set(name, size)
    if (html.includes(name)) firstLoad += size
  }
  return { scripts, firstLoad }
}

/// Names of XML, and the credit that the chart library's licence asks for: a link that people may follow, nothing that is loaded.
const HARMLESS: readonly string[] = ['http://www.w3.org', 'https://www.tradingview.com']

/// Addresses of other hosts that the built files name: there must be none, since the page works offline.
export function addressesOutside(folder: string): readonly string[] {
  const texts = ['index.html', ...readdirSync(join(folder, 'assets')).map(name => join('assets', name))]
    .filter(path => /\.(html|js|css|svg)$/.test(path))
    .map(path => readFileSync(join(folder, path), 'utf8'))
  const found = texts.flatMap(text => text.match(/\bhttps?:\/\/[\w.-]+/g) ?? [])
  return [...new Set(found)].filter(address => !HARMLESS.includes(address))
}

async function main(): Promise<void> {
  await build({
    root: PAGE,
    configFile: false,
    // Relative, so that a proxy may serve the page below a path.
    base: './',
    logLevel: 'warn',
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: OUT,
      emptyOutDir: true,
      target: 'es2022',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // How long plugins took is no warning.
      rolldownOptions: { checks: { pluginTimings: false } },
    },
  })
  copyFileSync(
    join(ROOT, 'node_modules/@fontsource-variable/inter/LICENSE'),
    join(OUT, 'assets/inter-LICENSE.txt'),
  )
  const { scripts, firstLoad } = sizesOf(OUT)
  const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`
  const later = [...scripts.values()].reduce((sum, size) => sum + size, 0) - firstLoad
  console.log(`Dashboard: ${kib(firstLoad)} of script gzipped at first, ${kib(later)} later`)
  const outside = addressesOutside(OUT)
  if (outside.length > 0) throw new Error(`the page names other hosts: ${outside.join(', ')}`)
  if (firstLoad > FIRST_LOAD_MAX) throw new Error(`that is more than ${kib(FIRST_LOAD_MAX)}`)
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main()
