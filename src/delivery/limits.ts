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
  /// TCP connections, WebSockets included.
  readonly connectionsMax: number
  readonly webSocketsMax: number
  readonly tokensPerWebSocketMax: number
  /// Of one message that a WebSocket client sends.
  readonly requestBytesMax: number
  /// Messages and pings that a WebSocket client sends; bursts of four seconds' worth are taken.
  readonly requestsPerSecond: number
  /// Unsent bytes of a WebSocket above which its updates are conflated.
  readonly unsentSoftBytes: number
  /// Unsent bytes of a WebSocket above which it is closed.
  readonly unsentHardBytes: number
  /// How long a WebSocket may stay above the soft bound without taking what was sent to it.
  readonly slowReaderMs: number
  /// How often a silent WebSocket is pinged, and how long it may stay silent.
  readonly pingEveryMs: number
  readonly silenceMs: number
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
  connectionsMax: 4096,
  webSocketsMax: 1000,
  tokensPerWebSocketMax: 1000,
  requestBytesMax: 64 * 1024,
  requestsPerSecond: 50,
  unsentSoftBytes: 256 * 1024,
  unsentHardBytes: 1024 * 1024,
  slowReaderMs: 10_000,
  pingEveryMs: 15_000,
  silenceMs: 45_000,
  drainMs: 2_000,
  reconnectSpreadMs: 5_000,
})
