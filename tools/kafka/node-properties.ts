/// The settings of one broker of a cluster on this machine: KRaft, each node broker and controller at once.

/// A way in for clients besides PLAINTEXT.
export interface SecureListener {
  readonly name: 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  readonly port: number
}

export interface Security {
  /// PEM files: key and certificate of the broker, and whom it trusts as clients.
  readonly keyStore: string
  readonly trustStore: string
  /// The user of every mechanism (PLAIN, SCRAM-SHA-256, SCRAM-SHA-512).
  readonly user: string
  readonly password: string
}

export interface NodePorts {
  readonly broker: number
  readonly controller: number
  readonly secure: readonly SecureListener[]
  /// A plain listener that says it is at another port, where something stands between it and its clients.
  readonly proxied?: { readonly listens: number; readonly advertises: number }
}

export interface NodeSettings {
  /// From 1.
  readonly id: number
  /// Of every node, in the order of their ids.
  readonly ports: readonly NodePorts[]
  readonly dataDirectory: string
  readonly security: Security | null
}

const HOST = '127.0.0.1'

export function nodeProperties(settings: NodeSettings): string {
  const { id, ports, dataDirectory } = settings
  const own = ports[id - 1]
  if (own === undefined) throw new Error(`there is no node ${id}`)
  const replicas = Math.min(3, ports.length)
  const clients = [
    `PLAINTEXT://${HOST}:${own.broker}`,
    ...own.secure.map(at => `${at.name}://${HOST}:${at.port}`),
  ]
  const { proxied } = own
  const behind = (port: number | undefined) => (port === undefined ? [] : [`PROXIED://${HOST}:${port}`])
  const properties: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': id,
    'controller.quorum.voters': ports.map((at, i) => `${i + 1}@${HOST}:${at.controller}`).join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: [...clients, ...behind(proxied?.listens), `CONTROLLER://${HOST}:${own.controller}`].join(','),
    'advertised.listeners': [...clients, ...behind(proxied?.advertises)].join(','),
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': dataDirectory,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': replicas,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': Math.min(2, replicas),
    'transaction.state.log.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': Math.min(2, replicas),
    'share.coordinator.state.topic.num.partitions': 1,
    // A group on a laptop or in a test need not wait for others to join at the same time.
    'group.initial.rebalance.delay.ms': 0,
    // And one that died is missed sooner than after the default of 45 s.
    'group.consumer.session.timeout.ms': 6000,
    'group.consumer.min.session.timeout.ms': 6000,
    'group.consumer.heartbeat.interval.ms': 1000,
    'group.consumer.min.heartbeat.interval.ms': 1000,
    // A broker that was killed is missed sooner than after the default of 9 s.
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 4000,
    'log.retention.check.interval.ms': 10_000,
    'log.segment.delete.delay.ms': 1000,
    ...(settings.security === null ? {} : secureProperties(settings.security)),
  }
  return Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('')
}

function secureProperties({ keyStore, trustStore, user, password }: Security): Record<string, string> {
  const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule'
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
  const found: Record<string, string> = {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': keyStore,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': trustStore,
    'ssl.client.auth': 'requested',
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
  }
  for (const listener of ['sasl_plaintext', 'sasl_ssl']) {
    const at = `listener.name.${listener}`
    found[`${at}.plain.sasl.jaas.config`] = `${plain} required user_${user}="${password}";`
    found[`${at}.scram-sha-256.sasl.jaas.config`] = scram
    found[`${at}.scram-sha-512.sasl.jaas.config`] = scram
  }
  return found
}
