/// Brokers for tests. The test run starts one broker and hands its address to every test file (tools/run-tests.ts);
/// a file that runs alone starts its own. Tests that stop or kill brokers start clusters of their own.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type ClusterOptions, TestCluster } from '../../tools/kafka/cluster.js'
import { SHARED_BROKER, type SharedBroker, startSharedBroker } from '../../tools/kafka/shared.js'

/// The broker that all tests share, with every listener. Topics are the test's own: take a fresh prefix.
export async function sharedBroker(): Promise<SharedBroker> {
  const given = process.env[SHARED_BROKER]
  if (given !== undefined) return JSON.parse(given)
  const { shared, close } = await startSharedBroker()
  after(close)
  return shared
}

/// A cluster of the file's own; gone with it.
export async function ownCluster(options: Omit<ClusterOptions, 'directory'>): Promise<TestCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-kafka-'))
  const cluster = await TestCluster.start({ ...options, directory })
  after(async () => {
    await cluster.close()
    rmSync(directory, { recursive: true, force: true })
  })
  return cluster
}
