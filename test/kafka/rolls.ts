/// States on topic rolls, for tests.
import type { TestContext } from 'node:test'
import type { KafkaCluster } from '../../src/adapters/kafka/cluster.js'
import { LeaderEpochs } from '../../src/adapters/kafka/leader-epochs.js'
import type { TopicPoison } from '../../src/adapters/kafka/poison.js'
import { Rolls, type RollsOptions } from '../../src/adapters/kafka/rolls.js'
import type { KafkaStateStore } from '../../src/adapters/kafka/state-store.js'
import { scratchDirectory } from '../contract/scratch.js'
import { connect, freshTopics } from './connect.js'

export const RULES = {
  resolutionMs: 1000,
  retentionMs: 86_400_000,
  earlyToleranceMs: 60_000,
  dedupeHorizonMs: 3_600_000,
}

export interface Machine {
  readonly rolls: Rolls
  readonly directory: string
  readonly poison: TopicPoison[]
  readonly said: string[]
  open(partition?: number): Promise<KafkaStateStore>
}

/// Machines with directories of their own, which share the topics. Each call of `machine` begins a process on it.
export async function machines(t: TestContext, bootstrap: string, partitions = 1) {
  const { cluster } = await connect(t, bootstrap)
  const { trades, rolls } = await freshTopics(cluster, partitions)
  const directories = new Map<string, string>()

  async function machine(name: string, more: Partial<RollsOptions> = {}): Promise<Machine> {
    const directory = directories.get(name) ?? scratchDirectory(t)
    directories.set(name, directory)
    const poison: TopicPoison[] = []
    const said: string[] = []
    const opened = await Rolls.open({
      cluster,
      topic: rolls,
      tradesTopic: trades,
      rules: RULES,
      epochs: new LeaderEpochs(),
      directory,
      onPoison: one => poison.push(one),
      say: message => said.push(message),
      ...more,
    })
    t.after(() => opened.close())
    const open = (partition = 0) => opened.openState(partition, () => {}, new AbortController().signal)
    return { rolls: opened, directory, poison, said, open }
  }
  return { cluster, trades, topic: rolls, machine }
}

export type Machines = { readonly cluster: KafkaCluster } & Awaited<ReturnType<typeof machines>>
