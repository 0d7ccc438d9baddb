import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { tokenQueriesContract } from './token-queries.js'

tokenQueriesContract('a roller in this process', (_t, { roller }) => {
  return new RollerQueries({ roller, stopwatch: systemStopwatch, nextTurn })
})
