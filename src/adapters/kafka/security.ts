/// How brokers are spoken to: over TLS or not, as whom.

import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from '@platformatic/kafka'

export interface KafkaSecurity {
  /// Null: no TLS.
  readonly tls: {
    /// PEM files. Without a `ca`, the authorities that Node.js knows.
    readonly ca: string | null
    readonly certificate: string | null
    readonly key: string | null
  } | null
  /// Null: no authentication.
  readonly sasl: {
    readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'
    readonly user: string
    readonly password: string
  } | null
}

export const NO_SECURITY: KafkaSecurity = { tls: null, sasl: null }

/// The part of a connection's options that it means. Throws the file system's errors.
export function connectionOptions({ tls, sasl }: KafkaSecurity): Pick<ConnectionOptions, 'tls' | 'sasl'> {
  return {
    ...(tls === null
      ? {}
      : { tls: { ...file('ca', tls.ca), ...file('cert', tls.certificate), ...file('key', tls.key) } }),
    ...(sasl === null
      ? {}
      : { sasl: { mechanism: sasl.mechanism, username: sasl.user, password: sasl.password } }),
  }
}

function file(option: 'ca' | 'cert' | 'key', path: string | null): Partial<Record<typeof option, Buffer>> {
  return path === null ? {} : { [option]: readFileSync(path) }
}
