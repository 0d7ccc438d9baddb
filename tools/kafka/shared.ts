/// The broker that a whole test run shares, with a listener of every kind.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeCertificates } from './certificates.js'
import { TestCluster } from './cluster.js'

/// The environment variable that hands a SharedBroker to test files, as JSON.
export const SHARED_BROKER = 'TEST_KAFKA'

export interface SharedBroker {
  readonly plaintext: string
  readonly ssl: string
  readonly saslPlaintext: string
  readonly saslSsl: string
  readonly user: string
  readonly password: string
  /// PEM files for clients: whom to trust, and a certificate of their own.
  readonly ca: string
  readonly clientCertificate: string
  readonly clientKey: string
}

export async function startSharedBroker(): Promise<{ shared: SharedBroker; close: () => Promise<void> }> {
  const directory = mkdtempSync(join(tmpdir(), 'volumer-kafka-'))
  const certificates = await makeCertificates(directory)
  const user = 'volumer'
  const password = 'a-password'
  const security = { keyStore: certificates.brokerStore, trustStore: certificates.ca, user, password }
  const cluster = await TestCluster.start({ directory, brokers: 1, security })
  const { ca, clientCertificate, clientKey } = certificates
  return {
    shared: {
      plaintext: cluster.bootstrap(),
      ssl: cluster.bootstrap('SSL'),
      saslPlaintext: cluster.bootstrap('SASL_PLAINTEXT'),
      saslSsl: cluster.bootstrap('SASL_SSL'),
      user,
      password,
      ca,
      clientCertificate,
      clientKey,
    },
    close: async () => {
      await cluster.close()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
