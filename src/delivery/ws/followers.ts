/// Who follows which token: both directions of the same relation, kept together.

import type { Client } from './client.js'

export class Followers {
  readonly #byToken = new Map<string, Set<Client>>()

  of(token: string): Iterable<Client> | undefined {
    return this.#byToken.get(token)
  }

  add(client: Client, token: string): void {
    client.subscriptions.add(token)
    const clients = this.#byToken.get(token)
    if (clients === undefined) this.#byToken.set(token, new Set([client]))
    else clients.add(client)
  }

  delete(client: Client, token: string): void {
    client.subscriptions.delete(token)
    client.owed.delete(token)
    const clients = this.#byToken.get(token)
    clients?.delete(client)
    if (clients?.size === 0) this.#byToken.delete(token)
  }

  forget(client: Client): void {
    for (const token of client.subscriptions) this.delete(client, token)
  }
}
