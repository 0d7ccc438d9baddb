import { MemoryRolls } from '../../src/adapters/memory/rolls.js'
import { SystemClock } from '../../src/adapters/system/clock.js'
import { sharedStateContract } from './shared-state.js'
import { stateStoreContract } from './state-store.js'

sharedStateContract('memory', async () => {
  const rolls = new MemoryRolls(new SystemClock())
  return { open: () => rolls.openState(0) }
})

stateStoreContract('memory, shared', () => new MemoryRolls(new SystemClock()).openState(0))
