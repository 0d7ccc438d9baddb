/// Branded units. Each is a plain number at run time; the brand keeps milliseconds, ticks and offsets from
/// being passed for one another. Only the constructors below cast.

/// Milliseconds since the Unix epoch, of an event or of a log append.
export type EpochMs = number & { readonly unit: 'EpochMs' }

/// Index of a slice of event time: floor(epoch ms / resolution). With the default resolution of 1000 ms a tick
/// is an epoch second.
export type Tick = number & { readonly unit: 'Tick' }

/// Position of a record in one partition of the trade log; the first is 0. Positions have no holes in the
/// embedded log; in others they may (compaction, transaction markers).
export type Offset = number & { readonly unit: 'Offset' }

/// Whole micro-dollars: 1 USD = 1_000_000.
export type MicroUsd = number & { readonly unit: 'MicroUsd' }

export const epochMs = (n: number): EpochMs => n as EpochMs
export const tick = (n: number): Tick => n as Tick
export const offset = (n: number): Offset => n as Offset
export const microUsd = (n: number): MicroUsd => n as MicroUsd

/// The slice that an event time belongs to. Example: tickOf(299_999, 1000) = 299, tickOf(300_000, 1000) = 300.
export const tickOf = (ms: number, resolutionMs: number): Tick => Math.floor(ms / resolutionMs) as Tick
