/// A WebSocket that comes back by itself: with growing pauses and jitter, when the server said it should, and not at all when
/// the server said for good. Silence is death: the server says something every second.

/// What is used of a WebSocket, of a browser's as of any other.
export interface SocketLike {
  send(data: string): void
  close(code?: number): void
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: object) => void): void
}

export type SocketConstructor = new (url: string) => SocketLike

export interface ConnectionHandlers {
  onOpen(): void
  onMessage(text: string): void
  onClose(closed: Closed): void
}

/// How a connection ended.
export interface Closed {
  readonly code: number
  readonly reason: string
  /// When the next try is made; null when there is none.
  readonly retryInMs: number | null
}

export interface ConnectionOptions {
  readonly url: string
  readonly WebSocket: SocketConstructor
  /// 0 … 1.
  random(): number
}

const BACKOFF_MS = 250
const BACKOFF_MS_MAX = 10_000
const SILENCE_MS_MAX = 10_000
/// Codes after which coming back is no use: the client is at fault, or its key.
const FINAL_CODES: readonly number[] = [1003, 1007, 1008, 1009]
const TOO_MANY_MESSAGES = 4029

export class Connection {
  readonly #options: ConnectionOptions
  readonly #handlers: ConnectionHandlers
  #socket: SocketLike | null = null
  #isOpen = false
  #ended = false
  #attempts = 0
  #notBeforeMs = 0
  #retry: ReturnType<typeof setTimeout> | null = null
  #silence: ReturnType<typeof setTimeout> | null = null

  constructor(options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#options = options
    this.#handlers = handlers
    this.#connect()
  }

  /// False when there is no connection right now.
  send(message: object): boolean {
    if (!this.#isOpen || this.#socket === null) return false
    this.#socket.send(JSON.stringify(message))
    return true
  }

  /// The server said when to come back.
  postpone(ms: number): void {
    this.#notBeforeMs = ms
  }

  /// The pause that is waited for, if one is, ends now.
  retry(): void {
    if (this.#retry === null) return
    clearTimeout(this.#retry)
    this.#connect()
  }

  close(): void {
    this.#ended = true
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#cancelSilence()
    this.#socket?.close(1000)
    this.#socket = null
    this.#isOpen = false
  }

  #connect(): void {
    this.#retry = null
    const socket = new this.#options.WebSocket(this.#options.url)
    this.#socket = socket
    let gone = false
    const lost = (code: number, reason: string) => {
      if (gone || this.#socket !== socket) return
      gone = true
      this.#lost(code, reason)
    }
    socket.addEventListener('open', () => {
      if (this.#socket !== socket) return
      this.#isOpen = true
      this.#attempts = 0
      this.#listen(lost)
      this.#handlers.onOpen()
    })
    socket.addEventListener('message', event => {
      if (this.#socket !== socket) return
      this.#listen(lost)
      this.#handlers.onMessage(String(Reflect.get(event, 'data')))
    })
    let failure = ''
    socket.addEventListener('error', event => {
      const message: unknown = Reflect.get(event, 'message')
      failure = typeof message === 'string' ? message : ''
    })
    socket.addEventListener('close', event => {
      const code = Number(Reflect.get(event, 'code'))
      const reason: unknown = Reflect.get(event, 'reason')
      const said = typeof reason === 'string' ? reason : ''
      lost(code, said || failure || `code ${code}`)
    })
    // A connection that is never made must not be waited for either.
    this.#listen(lost)
  }

  #listen(lost: (code: number, reason: string) => void): void {
    this.#cancelSilence()
    this.#silence = setTimeout(() => {
      const socket = this.#socket
      lost(1006, `nothing heard for ${SILENCE_MS_MAX / 1000} s`)
      socket?.close()
    }, SILENCE_MS_MAX)
  }

  #cancelSilence(): void {
    if (this.#silence !== null) clearTimeout(this.#silence)
    this.#silence = null
  }

  #lost(code: number, reason: string): void {
    this.#cancelSilence()
    this.#socket = null
    this.#isOpen = false
    if (this.#ended) return
    if (FINAL_CODES.includes(code)) {
      this.#ended = true
      this.#handlers.onClose({ code, reason, retryInMs: null })
      return
    }
    const growing = Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** this.#attempts++)
    const least = code === TOO_MANY_MESSAGES ? BACKOFF_MS_MAX : this.#notBeforeMs
    this.#notBeforeMs = 0
    // Half to one and a half of the pause, so that many clients do not come back together.
    const retryInMs = Math.round(least + growing * (0.5 + this.#options.random()))
    this.#retry = setTimeout(() => this.#connect(), retryInMs)
    this.#handlers.onClose({ code, reason, retryInMs })
  }
}
