/// Certificates for tests of TLS: an authority, one signed for brokers at 127.0.0.1, one for a client.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface Certificates {
  /// PEM file with the authority's certificate: what both sides trust.
  readonly ca: string
  /// PEM file with the broker's key and certificate, as Kafka reads it.
  readonly brokerStore: string
  readonly clientCertificate: string
  readonly clientKey: string
}

const YEARS = 1

/// Writes them into the directory.
export async function makeCertificates(directory: string): Promise<Certificates> {
  const notAfterDate = new Date(Date.now() + YEARS * 365 * 86_400_000)
  const authority = await generate([{ name: 'commonName', value: 'Volumer test authority' }], {
    notAfterDate,
    algorithm: 'sha256',
    keyType: 'ec',
    extensions: [{ name: 'basicConstraints', cA: true, critical: true }],
  })
  const signed = (name: string) =>
    generate([{ name: 'commonName', value: name }], {
      notAfterDate,
      algorithm: 'sha256',
      keyType: 'ec',
      ca: { key: authority.private, cert: authority.cert },
      extensions: [
        { name: 'basicConstraints', cA: false },
        {
          name: 'subjectAltName',
          altNames: [
            { type: 2, value: 'localhost' },
            { type: 7, ip: '127.0.0.1' },
          ],
        },
      ],
    })
  const broker = await signed('broker')
  const client = await signed('client')
  const write = (name: string, content: string): string => {
    const path = join(directory, name)
    writeFileSync(path, content.endsWith('\n') ? content : `${content}\n`)
    return path
  }
  return {
    ca: write('ca.pem', authority.cert),
    brokerStore: write('broker.pem', `${broker.private.trim()}\n${broker.cert}`),
    clientCertificate: write('client.pem', client.cert),
    clientKey: write('client-key.pem', client.private),
  }
}
