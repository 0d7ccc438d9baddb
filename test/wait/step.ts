/// Steps of tests of many processes: each is bounded, and one that fails says which it was.
import { setTimeout as pause } from 'node:timers/promises'

/// A step that failed, or did not come to an end in time.
export class StepError extends Error {
  override readonly name = 'StepError'
}

/// The result of `work`. Rejects with StepError, which names the step and tells `around()`, what was seen then; of steps in one
/// another the innermost tells it.
export async function step<T>(
  what: string,
  limitMs: number,
  work: Promise<T>,
  around: () => string = () => '',
): Promise<T> {
  const abort = new AbortController()
  const limit = pause(limitMs, undefined, { signal: abort.signal }).then(() => {
    throw new Error(`it has not come to an end after ${limitMs} ms`)
  })
  limit.catch(() => {})
  try {
    return await Promise.race([work, limit])
  } catch (error) {
    const why = `step “${what}”: ${error instanceof Error ? error.message : String(error)}`
    // What was seen is read once.
    if (error instanceof StepError) throw new StepError(why)
    throw new StepError(`${why}\n${around()}`, { cause: error })
  } finally {
    abort.abort()
    // It may end badly after its limit; then nobody waits for it.
    work.catch(() => {})
  }
}

/// The last lines of an output that are no table, each cut to a readable length.
export function lastLines(output: string, lines = 6, columns = 240): string {
  return output
    .split('\n')
    .filter(line => line.trim() !== '' && !line.startsWith('  '))
    .slice(-lines)
    .map(line => `    ${line.length > columns ? `${line.slice(0, columns)}…` : line}\n`)
    .join('')
}
