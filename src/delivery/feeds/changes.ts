/// What of a JSON document has changed.

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/// The part of `after` that differs from `before`, key by key in objects down to `depth`, arrays and other values whole;
/// undefined when nothing does. Both have the same keys.
export function changesOf(before: unknown, after: unknown, depth: number): unknown {
  if (depth === 0 || !isObject(before) || !isObject(after)) {
    return JSON.stringify(before) === JSON.stringify(after) ? undefined : after
  }
  const changed: [string, unknown][] = []
  for (const [key, value] of Object.entries(after)) {
    const change = changesOf(before[key], value, depth - 1)
    if (change !== undefined) changed.push([key, change])
  }
  return changed.length === 0 ? undefined : Object.fromEntries(changed)
}
