/// The thread of part-making.ts.

import { parentPort, workerData } from 'node:worker_threads'
import { type FilledBlock, PartMaker, type PartMakerOptions } from '../../core/roller/rebuild/part-maker.js'
import type { MadePart } from '../../ports/part-making.js'
import { blockOf, buffersIn } from './moved.js'

const options: PartMakerOptions = workerData
const maker = new PartMaker(options)

parentPort?.on('message', ({ block, rows, newIds }: FilledBlock) => {
  const made: MadePart = { part: maker.make({ block, rows: blockOf(rows), newIds }), rows }
  parentPort?.postMessage(made, buffersIn(rows, made.part))
})
