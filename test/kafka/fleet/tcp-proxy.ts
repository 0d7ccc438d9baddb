/// Stands between clients and a port of this machine, which may be another one for each connection, as with a load balancer; can be cut
/// like a cable: what is sent then gets nowhere, and nobody is told.
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  private constructor(target: () => number | null) {
    this.#server = createServer(client => {
      this.#keep(client)
      if (this.#cut) return
      const port = target()
      if (port === null) {
        client.destroy()
        return
      }
      const upstream = createConnection(port, '127.0.0.1')
      this.#keep(upstream)
      client.pipe(upstream)
      upstream.pipe(client)
      client.on('close', () => upstream.destroy())
      upstream.on('close', () => client.destroy())
    })
  }

  /// Where there is no target, connections are closed at once.
  static async listen(t: TestContext, port: number, target: () => number | null): Promise<TcpProxy> {
    const proxy = new TcpProxy(target)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject).listen(port, '127.0.0.1', resolve)
    })
    t.after(() => proxy.#close())
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('no TCP address')
    return address.port
  }

  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) {
      socket.unpipe()
      socket.pause()
    }
  }

  /// Connections of before are lost, as after a long cut.
  mend(): void {
    this.#cut = false
    for (const socket of this.#sockets) socket.destroy()
  }

  #close(): void {
    this.mend()
    this.#server.close()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
