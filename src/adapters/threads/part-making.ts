/// Makes parts in a thread of its own: encoding takes half of the processor that a backfill takes, and a block is soon handed
/// over, since its columns move and are not copied.

import { Worker } from 'node:worker_threads'
import type { FilledBlock, PartMakerOptions } from '../../core/roller/rebuild/part-maker.js'
import type { MadePart, PartMaking } from '../../ports/part-making.js'
import { blockOf, buffersIn } from './moved.js'

interface Waiting {
  resolve(made: MadePart): void
  reject(error: Error): void
}

export function startPartThread(options: PartMakerOptions): PartMaking {
  return new PartThread(options)
}

class PartThread implements PartMaking {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #failure: Error | null = null

  constructor(options: PartMakerOptions) {
    this.#worker = new Worker(new URL('./part-worker.js', import.meta.url), { workerData: options })
    this.#worker.on('message', ({ part, rows }: MadePart) => {
      this.#waiting.shift()?.resolve({ part, rows: blockOf(rows) })
    })
    this.#worker.on('error', error => this.#fail(error instanceof Error ? error : new Error(String(error))))
    this.#worker.on('exit', () => this.#fail(new Error('The thread that makes parts has ended')))
  }

  make(filled: FilledBlock): Promise<MadePart> {
    if (this.#failure !== null) return Promise.reject(this.#failure)
    const made = new Promise<MadePart>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#worker.postMessage(filled, buffersIn(filled.rows, filled.newIds))
    return made
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure ??= error
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure)
  }
}
