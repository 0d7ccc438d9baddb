/// Holds the walls of the layout: imports point one way (core ← ports ← adapters, delivery, roles ← commands,
/// main), src/core is pure and synchronous, the clock and timers are read only in src/adapters/system, and the
/// environment only in src/config*. Tests are excepted. And no two decisions in docs/adr share a number. Run by `make
/// test`; exits 1 with one line per violation.
///
/// It reads the source as text, without a compiler: comments and the insides of strings are blanked first, so
/// that prose may mention what code must not do.

import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Violation {
  readonly file: string
  readonly line: number
  readonly what: string
}

/// What each layer may import of src. A layer is the first folder below src; files directly in src are `main`
/// or `config`. `node` and `packages` say whether it may import node: modules and npm packages.
const LAYERS: Readonly<Record<string, { imports: readonly string[]; node: boolean; packages: boolean }>> = {
  core: { imports: ['core'], node: false, packages: false },
  ports: { imports: ['core', 'ports'], node: false, packages: false },
  adapters: { imports: ['core', 'ports', 'adapters'], node: true, packages: true },
  delivery: { imports: ['core', 'ports', 'delivery'], node: true, packages: true },
  roles: { imports: ['core', 'ports', 'delivery', 'roles'], node: true, packages: true },
  config: { imports: ['core', 'config'], node: true, packages: true },
  commands: {
    imports: ['core', 'ports', 'delivery', 'roles', 'config', 'commands', 'client'],
    node: true,
    packages: true,
  },
  main: {
    imports: ['core', 'ports', 'adapters', 'delivery', 'roles', 'config', 'commands'],
    node: true,
    packages: true,
  },
  // Runs in browsers. What it takes of the wire are types, which leave nothing in the built file (a test looks).
  client: { imports: ['client', 'delivery/wire'], node: false, packages: false },
  dashboard: { imports: ['dashboard', 'client', 'delivery/wire'], node: false, packages: true },
}

/// The composition roots: the only places outside src/adapters that may import adapters.
const COMPOSITION_ROOTS = [
  /^src\/main\.ts$/,
  /^src\/commands\/(start|repair|keys|export|backfill|verify)[\w-]*\.ts$/,
]

/// Packages that one folder alone may import: what stands behind a port is nobody else's business.
const PACKAGE_HOMES: readonly (readonly [RegExp, string])[] = [
  [/^(@platformatic\/|fzstd$)/, 'src/adapters/kafka/'],
  [/^@duckdb\//, 'src/adapters/duckdb/'],
  [/^pg(-|$)/, 'src/adapters/postgres/'],
  [/^(preact|@preact|lightweight-charts|@fontsource)/, 'src/dashboard/'],
]

interface Ban {
  readonly pattern: RegExp
  readonly what: string
  /// Where the ban holds, as a pattern over paths.
  readonly where: RegExp
  readonly except?: RegExp
}

const BANS: readonly Ban[] = [
  { pattern: /\basync\b/, what: 'async', where: /^src\/core\// },
  { pattern: /\bawait\b/, what: 'await', where: /^src\/core\// },
  { pattern: /\bPromise\b/, what: 'Promise', where: /^src\/core\// },
  { pattern: /\bMath\s*\.\s*random\b/, what: 'Math.random', where: /^src\/core\// },
  { pattern: /\bprocess\s*\./, what: 'process', where: /^src\/(core|ports)\// },
  { pattern: /\bconsole\s*\./, what: 'console', where: /^src\/(core|ports)\// },
  { pattern: /\b(fetch|queueMicrotask)\s*\(/, what: 'fetch or queueMicrotask', where: /^src\/core\// },
  { pattern: /\bcrypto\s*\./, what: 'crypto', where: /^src\/core\// },
  {
    pattern:
      /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)|\bperformance\s*\.\s*now\b|\bprocess\s*\.\s*hrtime\b/,
    what: 'a reading of the clock (only src/adapters/system does that)',
    where: /^src\//,
    except: /^src\/(adapters\/system|dashboard|client)\//,
  },
  { pattern: /\bnew\s+Date\b|\bDate\s*\(/, what: 'Date', where: /^src\/core\// },
  {
    pattern: /\b(setTimeout|setInterval|setImmediate)\b/,
    what: 'a timer (only src/adapters/system sets one)',
    where: /^src\//,
    except: /^src\/(adapters\/system|dashboard|client)\//,
  },
  {
    pattern: /\bprocess\s*\.\s*env\b|\bprocess\s*\[/,
    what: 'the environment (only src/config* reads it)',
    where: /^src\//,
    except: /^src\/config[\w-]*(\.ts$|\/)/,
  },
]

/// Blanks comments, and string and template contents when `strings` says so, keeping every line break.
export function blank(source: string, strings: boolean): string {
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\[\s\S]|[^'\\\n])*'|"(?:\\[\s\S]|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g
  return source.replace(token, text => {
    const comment = text.startsWith('/')
    // Templates may hold code in ${}: they are kept, prose in them included.
    if (!comment && (!strings || text.startsWith('`'))) return text
    return text.replace(/[^\n]/g, ' ')
  })
}

function layerOf(path: string): string {
  const rest = path.slice('src/'.length)
  const slash = rest.indexOf('/')
  if (slash >= 0) return rest.slice(0, slash)
  return rest.startsWith('config') ? 'config' : 'main'
}

function importFault(file: string, specifier: string): string | null {
  const layer = layerOf(file)
  const rules = LAYERS[layer]
  if (rules === undefined) return `src/${layer} is not a layer of the design; add its rules to the check`
  if (specifier.startsWith('node:')) return rules.node ? null : `src/${layer} imports ${specifier}`
  if (!specifier.startsWith('.')) {
    const home = PACKAGE_HOMES.find(([pattern]) => pattern.test(specifier))?.[1]
    if (home !== undefined && !file.startsWith(home)) return `${specifier} is imported outside of ${home}`
    return rules.packages ? null : `src/${layer} imports the package ${specifier}`
  }

  const target = posix.normalize(posix.join(posix.dirname(file), specifier))
  if (!target.startsWith('src/')) return `src imports ${target}, which is outside of src`
  if (/\.test\.js$/.test(target)) return `src imports the test ${target}`
  const targetLayer = layerOf(target)
  const allowed = rules.imports.some(
    name => name === targetLayer || [`src/${name}.`, `src/${name}/`].some(start => target.startsWith(start)),
  )
  if (targetLayer === 'adapters' && layer !== 'adapters') {
    if (COMPOSITION_ROOTS.some(root => root.test(file))) return null
    return `src/${layer} imports ${target}: only the composition root constructs adapters`
  }
  return allowed ? null : `src/${layer} imports ${target}: imports point the other way`
}

/// The violations of one source file; `file` is its path from the root with forward slashes.
export function check(file: string, source: string): Violation[] {
  if (!file.startsWith('src/') || file.endsWith('.test.ts')) return []
  const found: Violation[] = []
  const lineOf = (text: string, index: number) => text.slice(0, index).split('\n').length

  const code = blank(source, false)
  const imports = /\b(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/g
  for (const match of code.matchAll(imports)) {
    const what = importFault(file, match[2] ?? '')
    if (what !== null) found.push({ file, line: lineOf(code, match.index), what })
  }

  const lines = blank(source, true).split('\n')
  for (const ban of BANS) {
    if (!ban.where.test(file) || ban.except?.test(file)) continue
    lines.forEach((text, index) => {
      if (ban.pattern.test(text)) found.push({ file, line: index + 1, what: `uses ${ban.what}` })
    })
  }
  return found.sort((a, b) => a.line - b.line)
}

/// Decisions that share a number: a reference by number would mean either.
export function sharedNumbers(names: readonly string[]): Violation[] {
  return names.flatMap((name, i) => {
    const first = names.find(other => other.slice(0, 4) === name.slice(0, 4))
    const what = `has the number of ${first}`
    return first === undefined || names.indexOf(first) === i
      ? []
      : [{ file: `docs/adr/${name}`, line: 1, what }]
  })
}

function main(root: string): number {
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
    .filter(path => /\.tsx?$/.test(path))
    .map(path => posix.join('src', path.replaceAll('\\', '/')))
    .sort()
  const violations = [
    ...files.flatMap(file => check(file, readFileSync(join(root, file), 'utf8'))),
    ...sharedNumbers(readdirSync(join(root, 'docs/adr')).sort()),
  ]
  for (const { file, line, what } of violations) console.error(`${file}:${line} ${what}`)
  console.log(`Architecture: ${files.length} files, ${violations.length} violations`)
  return violations.length === 0 && files.length > 0 ? 0 : 1
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = main(resolve(fileURLToPath(import.meta.url), '../../..'))
}
