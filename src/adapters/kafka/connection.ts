/// One connection to one broker: the client library's, with what it lacks. A request either gets its answer or fails
/// with a KafkaFault; after a failure or a time-out the connection is closed, because an answer that comes late would
/// be taken for the next one's.

import { isIP } from 'node:net'
import {
  type API,
  AuthenticationError,
  Connection,
  MultipleErrors,
  ResponseError,
  Writer,
} from '@platformatic/kafka'
import { PortError } from '../../ports/errors.js'
import type { connectionOptions } from './security.js'

export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

export const addressText = ({ host, port }: BrokerAddress): string => `${host}:${port}`

/// A broker could not be reached, did not answer, or said no.
export class KafkaFault extends PortError {
  override readonly name = 'KafkaFault'
  readonly code = 'E_KAFKA'
  /// False when trying again cannot help: the broker refuses who we are.
  readonly retryable: boolean
  constructor(message: string, retryable: boolean, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause })
    this.retryable = retryable
  }
}

/// A request whose bytes are made and read here, not by the library.
export interface Request<Answer> {
  readonly key: number
  readonly version: number
  readonly body: Buffer
  parse(answer: Buffer): Answer
}

export interface ConnectionSettings {
  readonly clientId: string
  readonly security: ReturnType<typeof connectionOptions>
  readonly connectMsMax: number
  readonly requestMsMax: number
}

export class BrokerConnection {
  readonly address: BrokerAddress
  readonly #connection: Connection

  private constructor(address: BrokerAddress, connection: Connection) {
    this.address = address
    this.#connection = connection
  }

  /// Rejects with KafkaFault.
  static async open(address: BrokerAddress, settings: ConnectionSettings): Promise<BrokerConnection> {
    const connection = new Connection(settings.clientId, {
      ...settings.security,
      // A name that routers by name see; an address may not be one.
      ...(isIP(address.host) === 0 ? { tlsServerName: true } : {}),
      connectTimeout: settings.connectMsMax,
      requestTimeout: settings.requestMsMax,
      maxInflights: 1,
    })
    // Without a listener an error would be thrown into the event loop; it reaches the request that waits, too.
    connection.on('error', () => {})
    try {
      await connection.connect(address.host, address.port)
    } catch (error) {
      void connection.close().catch(() => {})
      throw faultOf(address, error)
    }
    return new BrokerConnection(address, connection)
  }

  /// Calls once it is closed, by whomever.
  onClosed(call: () => void): void {
    this.#connection.once('close', call)
  }

  get usable(): boolean {
    return this.#connection.isConnected()
  }

  /// Asks with one of the library's requests. Error codes within an answer are the caller's to look at.
  async call<Arguments extends unknown[], Answer>(
    api: API<Arguments, Answer>,
    ...arguments_: Arguments
  ): Promise<Answer> {
    try {
      return await api.async(this.#connection, ...arguments_)
    } catch (error) {
      // The library throws when any part of an answer has an error code; the answer is with it.
      if (error instanceof ResponseError && error.response !== undefined) return error.response
      void this.close()
      throw faultOf(this.address, error)
    }
  }

  /// Asks with a request of our own.
  request<Answer>({ key, version, body, parse }: Request<Answer>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => {
        void this.close()
        reject(faultOf(this.address, error))
      }
      this.#connection.send<Answer>(
        key,
        version,
        () => Writer.create().append(body),
        (_correlation, _key, _version, reader) => parse(reader.buffer.buffer),
        true,
        true,
        (error, answer) => {
          if (error !== null || answer === undefined) fail(error)
          else resolve(answer)
        },
      )
    })
  }

  /// At once: what is under way fails. A broker that reads nothing could else hold a connection open for ever.
  async close(): Promise<void> {
    const closed = this.#connection.close().catch(() => {})
    this.#connection.socket.destroy()
    await closed
  }
}

function faultOf(address: BrokerAddress, error: unknown): KafkaFault {
  const denied = error instanceof AuthenticationError || causeOf(error) instanceof AuthenticationError
  const why = rootMessage(error)
  const what = denied ? 'refuses who we say we are' : 'does not answer'
  return new KafkaFault(`The Kafka broker at ${addressText(address)} ${what}: ${why}`, !denied, error)
}

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined)

/// The message of what went wrong first: the library wraps it.
function rootMessage(error: unknown): string {
  if (error instanceof MultipleErrors && error.errors.length > 0) return rootMessage(error.errors[0])
  const cause = causeOf(error)
  if (cause instanceof Error && !(cause instanceof ResponseError)) return rootMessage(cause)
  return error instanceof Error ? error.message : String(error)
}
