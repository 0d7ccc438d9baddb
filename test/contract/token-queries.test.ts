import { RemoteTokenQueries } from '../../src/adapters/http/remote-token-queries.js'
import { systemStopwatch } from '../../src/adapters/system/stopwatch.js'
import { nextTurn } from '../../src/adapters/system/turn.js'
import { RollerQueries } from '../../src/roles/roller-queries.js'
import { startWeb } from '../delivery/web-harness.js'
import { QUERY_RULES, tokenQueriesContract } from './token-queries.js'

tokenQueriesContract('a roller in this process', (_t, { roller }) => {
  return new RollerQueries({ roller, stopwatch: systemStopwatch, nextTurn })
})

tokenQueriesContract('a roller in another process', async (t, { roller }) => {
  const queries = new RollerQueries({ roller, stopwatch: systemStopwatch, nextTurn })
  const { url } = await startWeb(t, { peers: { secret: 'sesame', queries } })
  return new RemoteTokenQueries({
    rules: QUERY_RULES,
    ownerOf: () => ({ address: url, secret: 'sesame' }),
  })
})
