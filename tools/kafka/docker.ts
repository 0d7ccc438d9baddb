/// Brokers in Docker, from compose.yaml.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { KafkaToolError, TOOLS } from './jars.js'

/// What keeps this machine from running brokers in Docker; null when nothing does. A client without an engine, or
/// without the compose plugin, is not enough.
export function dockerProblem(): string | null {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' })
  if (engine.error !== undefined) return 'there is no `docker` on the path'
  if (engine.status !== 0) return 'the Docker engine does not answer (`docker version` fails)'
  const compose = spawnSync('docker', ['compose', 'version'], { encoding: 'utf8' })
  return compose.status === 0 ? null : 'Docker has no `docker compose`'
}

/// `ports` are those of the brokers on this machine.
export function dockerUp(ports: readonly number[]): void {
  compose(profileOf(ports.length), ['up', '--detach'], ports)
}

/// Stops and removes the containers; the data stay in their volumes.
export function dockerDown(brokers: number): void {
  compose(profileOf(brokers), ['down', '--timeout', '60'], [])
}

/// The last lines of the brokers' logs.
export function dockerLog(brokers: number): string {
  return compose(profileOf(brokers), ['logs', '--tail', '40'], [])
}

const profileOf = (brokers: number): string => (brokers === 1 ? 'one' : 'three')

function compose(profile: string, command: readonly string[], ports: readonly number[]): string {
  const names = Object.fromEntries(ports.map((port, i) => [`KAFKA_PORT_${i + 1}`, String(port)]))
  const { status, stdout, stderr } = spawnSync(
    'docker',
    ['compose', '--file', join(TOOLS, 'compose.yaml'), '--profile', profile, ...command],
    { encoding: 'utf8', env: { ...process.env, ...names } },
  )
  if (status !== 0)
    throw new KafkaToolError(`docker compose ${command[0]} failed:\n${(stdout + stderr).slice(-4000)}`)
  return stdout
}
