/// A state that is one JSON document with fixed keys: the totals, the status.

import type { EpochMs } from '../../core/units.js'
import { changesOf } from './changes.js'
import { type MessageParts, partsOf } from './parts.js'
import type { StateSource } from './state-feed.js'

/// By field and window, as the changes of a token's statistics are.
const CHANGE_DEPTH = 2

export interface DocumentSourceOptions {
  readonly channel: 'totals' | 'status'
  readonly delta: boolean
  read(): unknown
  /// Event time of what the document says; null where it has none.
  event(): number | null
}

export class DocumentSource implements StateSource {
  readonly #options: DocumentSourceOptions
  #document: unknown
  #text: string | null = null
  #change: unknown

  constructor(options: DocumentSourceOptions) {
    this.#options = options
  }

  get ready(): boolean {
    return this.#text !== null
  }

  refresh(): boolean {
    const document = this.#options.read()
    const text = JSON.stringify(document)
    if (text === this.#text) return false
    this.#change =
      this.#options.delta && this.#text !== null
        ? changesOf(this.#document, document, CHANGE_DEPTH)
        : document
    this.#document = document
    this.#text = text
    return true
  }

  whole(type: 'snapshot' | 'update', _name: string, sent: EpochMs): MessageParts {
    if (!this.ready) this.refresh()
    return this.#message(type, this.#document, sent)
  }

  change(_name: string, sent: EpochMs): MessageParts {
    return this.#message('update', this.#change, sent)
  }

  close(): void {}

  #message(type: 'snapshot' | 'update', document: unknown, sent: EpochMs): MessageParts {
    const { channel, event } = this.#options
    return partsOf(type, { channel, [channel]: document, times: { event: event(), rolled: null, sent } })
  }
}
