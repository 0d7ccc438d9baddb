import { EmbeddedTradeLog } from '../../src/adapters/embedded/trade-log.js'
import { MemoryTradeLog } from '../../src/adapters/memory/trade-log.js'
import { scratchDirectory } from './scratch.js'
import { tradeLogContract } from './trade-log.js'

tradeLogContract('memory', (_, opening) => new MemoryTradeLog(opening))
tradeLogContract(
  'embedded',
  (t, opening) => new EmbeddedTradeLog({ ...opening, directory: scratchDirectory(t), segmentBytes: 2000 }),
)
