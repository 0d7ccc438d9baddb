/// Runs a command of the program to its end.

import { type ChildProcess, spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from './server.js'

const MAIN = resolve(fileURLToPath(import.meta.url), '../../../src/main.js')

export interface Ran {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly output: string
}

/// `during` may kill it.
export async function run(
  args: readonly string[],
  during: (child: ChildProcess) => Promise<void> = async () => {},
): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: cleanEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  }
  const gone = new Promise<Ran>(done => {
    child.on('close', (code, signal) => done({ code, signal, output }))
  })
  await during(child)
  return gone
}
