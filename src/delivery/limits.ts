/// What one web process grants its clients. Everything that a client could make grow has its bound here.

export interface WebLimits {
  /// Of one request body, before and after inflation.
  readonly bodyBytesMax: number
  /// Of all request bodies that are not yet answered.
  readonly bodyBytesInFlightMax: number
  /// From the request's header until its body is complete.
  readonly bodyTimeoutMs: number
  /// Swaps a second that are taken over HTTP; null for no limit of its own.
  readonly swapsPerSecond: number | null
  /// Units of cost a second of a key, or of an address without one; null for no limit.
  readonly costPerSecond: number | null
  /// TCP connections, WebSockets included.
  readonly connectionsMax: number
  /// WebSockets and streams of events.
  readonly clientsMax: number
  /// The same, of one address; null for no limit of its own.
  readonly clientsPerAddressMax: number | null
  readonly tokensPerClientMax: number
  /// Rankings, totals and statuses that a client follows.
  readonly statesPerClientMax: number
  /// Of one message that a WebSocket client sends.
  readonly requestBytesMax: number
  /// Frames that one message of a WebSocket client may come in.
  readonly fragmentsMax: number
  /// From the connection until the header of a request is complete.
  readonly headersTimeoutMs: number
  /// Messages and pings that a WebSocket client sends; bursts of four seconds' worth are taken.
  readonly requestsPerSecond: number
  /// Unsent bytes of a client above which its updates are conflated.
  readonly unsentSoftBytes: number
  /// Unsent bytes of a client above which it is closed.
  readonly unsentHardBytes: number
  /// How long a client may stay above the soft bound without taking what was sent to it.
  readonly slowReaderMs: number
  /// How often a silent WebSocket is pinged, and how long it may stay silent.
  readonly pingEveryMs: number
  readonly silenceMs: number
  /// How long updates are kept for clients that come back, and how many bytes of them.
  readonly resumeMs: number
  readonly resumeBytesMax: number
  /// How long a drain waits for requests under way and for clients to say goodbye.
  readonly drainMs: number
  /// Over how long clients are told to spread their return.
  readonly reconnectSpreadMs: number
}

export const DEFAULT_WEB_LIMITS: WebLimits = Object.freeze({
  bodyBytesMax: 8 * 1024 * 1024,
  bodyBytesInFlightMax: 64 * 1024 * 1024,
  bodyTimeoutMs: 30_000,
  swapsPerSecond: null,
  costPerSecond: null,
  connectionsMax: 4096,
  clientsMax: 1000,
  clientsPerAddressMax: null,
  tokensPerClientMax: 1000,
  statesPerClientMax: 16,
  requestBytesMax: 64 * 1024,
  fragmentsMax: 64,
  headersTimeoutMs: 10_000,
  requestsPerSecond: 50,
  unsentSoftBytes: 256 * 1024,
  unsentHardBytes: 1024 * 1024,
  slowReaderMs: 10_000,
  pingEveryMs: 15_000,
  silenceMs: 45_000,
  resumeMs: 120_000,
  resumeBytesMax: 256 * 1024 * 1024,
  drainMs: 2_000,
  reconnectSpreadMs: 5_000,
})
