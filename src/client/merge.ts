/// Puts a change into a state: key by key in objects, arrays and other values whole. Nothing is changed in place, so a
/// state that was handed out stays what it was.

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export function merged<T>(state: T, change: unknown): T
export function merged(state: unknown, change: unknown): unknown {
  if (!isObject(state) || !isObject(change)) return change
  const entries = new Map<string, unknown>(Object.entries(state))
  for (const [key, value] of Object.entries(change)) entries.set(key, merged(entries.get(key), value))
  return Object.fromEntries(entries)
}

/// Negative when version a (`partition:offset:second`) is older than b. Versions of two partitions do not compare: then
/// a counts as newer.
export function compareVersions(a: string, b: string): number {
  const [aPartition, aOffset, aSecond] = a.split(':').map(Number)
  const [bPartition, bOffset, bSecond] = b.split(':').map(Number)
  if (aPartition !== bPartition) return 1
  return (aOffset ?? 0) - (bOffset ?? 0) || (aSecond ?? 0) - (bSecond ?? 0)
}
