/// A process that appends to a log until it is refused a few times, under the limits it was given.
///   node append-until-full.js DIRECTORY

import { append } from './append.js'
import { openLog } from './embedded-stores.js'
import { lines } from './trade-log.js'

const log = openLog(process.argv[2] ?? '', { segmentBytes: 2 ** 30 })
let end = 0
let refusals = 0
// Ever smaller appends: after a large one found no room, a small one still fits.
for (let count = 400; count >= 1; count = Math.floor(count / 2)) {
  for (;;) {
    try {
      await append(log, 0, lines(end, count), count)
      end += count
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'E_STORAGE_FULL')) throw error
      refusals++
      break
    }
  }
}
await log.close()
console.log(JSON.stringify({ end, refusals }))
