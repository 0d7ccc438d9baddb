/// Kafka's jars from Maven Central, in a cache outside of the repository. The folder is named after the content of
/// pom.xml, so a new version of the pom makes a new folder; it appears under that name only when it is complete.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(fileURLToPath(import.meta.url), '../../../..')
/// Sources of this folder: pom.xml, log4j2.yaml, compose.yaml.
export const TOOLS = join(ROOT, 'tools/kafka')
const JAVA_WANTED = 17

/// A broker cannot be brought up on this machine; the message says what is missing.
export class KafkaToolError extends Error {
  override readonly name = 'KafkaToolError'
}

/// What keeps this machine from running a broker from Maven's artifacts; null when nothing does.
export function javaProblem(): string | null {
  const version = spawnSync('java', ['-version'], { encoding: 'utf8' })
  if (version.error !== undefined) return 'there is no `java` on the path'
  const major = Number(/version "(?:1\.)?(\d+)/.exec(version.stderr)?.[1])
  if (!(major >= JAVA_WANTED)) return `\`java\` is version ${major}, and Kafka needs ${JAVA_WANTED} or newer`
  if (existsSync(jarsDirectory())) return null
  if (spawnSync('mvn', ['-v']).error !== undefined) return 'there is no `mvn` (Maven) on the path'
  return null
}

/// $XDG_CACHE_HOME/volumer/kafka-HASH
function jarsDirectory(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const hash = createHash('sha256')
    .update(readFileSync(join(TOOLS, 'pom.xml')))
    .digest('hex')
    .slice(0, 12)
  return join(cache, 'volumer', `kafka-${hash}`)
}

/// The class path of broker and tools; fetches what is missing. Throws KafkaToolError.
export function classPath(say: (line: string) => void): string {
  const directory = jarsDirectory()
  if (!existsSync(directory)) fetchJars(directory, say)
  return join(directory, '*')
}

function fetchJars(directory: string, say: (line: string) => void): void {
  const problem = javaProblem()
  if (problem !== null) throw new KafkaToolError(`Kafka cannot be run: ${problem}.`)
  say(`Fetching Kafka from Maven Central into ${directory}, once.`)
  mkdirSync(resolve(directory, '..'), { recursive: true })
  const scratch = mkdtempSync(`${directory}-`)
  const arguments_ = [
    '-q',
    '-B',
    '-f',
    join(TOOLS, 'pom.xml'),
    'dependency:copy-dependencies',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${scratch}`,
  ]
  const { status, stdout, stderr } = spawnSync('mvn', arguments_, { encoding: 'utf8' })
  if (status !== 0) {
    rmSync(scratch, { recursive: true })
    throw new KafkaToolError(`Maven could not fetch Kafka:\n${(stdout + stderr).slice(-4000)}`)
  }
  try {
    renameSync(scratch, directory)
  } catch (error) {
    // Another process was faster.
    rmSync(scratch, { recursive: true })
    if (!existsSync(directory)) throw error
  }
}
