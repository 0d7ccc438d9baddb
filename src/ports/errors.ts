/// Errors that ports promise. Each has a stable code and says whether trying again can help.

export abstract class PortError extends Error {
  abstract readonly code: string
  /// True when the same call may succeed later without anybody mending anything by hand.
  abstract readonly retryable: boolean
}

/// The log's queue is full for now (back off and retry).
export class LogFullError extends PortError {
  override readonly name = 'LogFullError'
  readonly code = 'E_LOG_FULL'
  readonly retryable = true
  /// Seconds after which a retry makes sense.
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/// A networked log did not confirm in time. The records may be there, or come to be, or not: appending them again is
/// safe.
export class LogUnavailableError extends PortError {
  override readonly name = 'LogUnavailableError'
  readonly code = 'E_LOG_UNAVAILABLE'
  readonly retryable = true
  /// Seconds after which a retry makes sense.
  readonly retryAfterSeconds: number
  constructor(message: string, retryAfterSeconds: number) {
    super(message)
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/// The disk (or a configured bound) is full: what was stored before is safe, the call stored nothing.
export class StorageFullError extends PortError {
  override readonly name = 'StorageFullError'
  readonly code = 'E_STORAGE_FULL'
  readonly retryable = true
}

/// The position asked for is not (or no longer) in the log.
export class OffsetGoneError extends PortError {
  override readonly name = 'OffsetGoneError'
  readonly code = 'E_OFFSET_GONE'
  readonly retryable = false
}

/// Stored data that was acknowledged is missing or fails its checksum. Never served, never skipped.
export class DamagedError extends PortError {
  override readonly name = 'DamagedError'
  readonly code = 'E_DAMAGED'
  readonly retryable = false
  /// What the operator can do, as one sentence or a few.
  readonly wayOut: string
  constructor(message: string, wayOut: string) {
    super(message)
    this.wayOut = wayOut
  }
}

/// Another process holds the data directory.
export class LockedError extends PortError {
  override readonly name = 'LockedError'
  readonly code = 'E_LOCKED'
  readonly retryable = true
}

/// Data written by a version of a format that this program does not know.
export class UnknownFormatError extends PortError {
  override readonly name = 'UnknownFormatError'
  readonly code = 'E_UNKNOWN_FORMAT'
  readonly retryable = false
}

/// The disk failed a write or could not promise that one is durable; the call stored nothing. What was acknowledged
/// before is kept, and the next start verifies it. After a failed promise the store takes nothing more in this process.
export class StorageFailedError extends PortError {
  override readonly name = 'StorageFailedError'
  readonly code = 'E_STORAGE_FAILED'
  readonly retryable = false
}

/// The data were made with settings that this start does not have and that cannot change afterwards.
export class SettingsMismatchError extends PortError {
  override readonly name = 'SettingsMismatchError'
  readonly code = 'E_SETTINGS_MISMATCH'
  readonly retryable = false
}

/// Somebody began to write a state and has not ended it: it is not whole, and is not served.
export class UnfinishedStateError extends PortError {
  override readonly name = 'UnfinishedStateError'
  readonly code = 'E_UNFINISHED_STATE'
  readonly retryable = false
}

/// Another state has taken the place of the one that is open: what is written to it is void.
export class StateReplacedError extends PortError {
  override readonly name = 'StateReplacedError'
  readonly code = 'E_STATE_REPLACED'
  readonly retryable = false
}

/// What answers elsewhere (a database server) is away or does not answer in time.
export class UnavailableError extends PortError {
  override readonly name = 'UnavailableError'
  readonly code = 'E_UNAVAILABLE'
  readonly retryable = true
}

/// More is asked at a time than is answered; the call did nothing.
export class BusyError extends PortError {
  override readonly name = 'BusyError'
  readonly code = 'E_BUSY'
  readonly retryable = true
}

/// Somebody else has written meanwhile: read the position again and go on from there.
export class PositionMovedError extends PortError {
  override readonly name = 'PositionMovedError'
  readonly code = 'E_POSITION_MOVED'
  readonly retryable = true
}

/// The networked log refuses what is appended, and will again: rights or settings are wrong.
export class LogRefusedError extends PortError {
  override readonly name = 'LogRefusedError'
  readonly code = 'E_LOG_REFUSED'
  readonly retryable = false
}
