import { EmbeddedStateStore } from '../../src/adapters/embedded/state-store.js'
import { ManualClock } from '../../src/adapters/memory/clock.js'
import { MemoryStateStore } from '../../src/adapters/memory/state-store.js'
import { scratchDirectory } from './scratch.js'
import { stateStoreContract } from './state-store.js'

stateStoreContract('memory', () => new MemoryStateStore())
stateStoreContract(
  'embedded',
  t =>
    new EmbeddedStateStore({
      directory: scratchDirectory(t),
      partition: 0,
      clock: new ManualClock(0),
      deltaSegmentBytes: 400,
    }),
)
