/// A window beside the one before it.

type Json = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null

/// `then` and `now` are statistics by field and window. `previous` has those of then for every window in `names`, null
/// where there are none; `change` by how much each number differs, in percent.
export function changesBetween(
  then: Json,
  now: Json,
  names: readonly string[],
): { readonly previous: Json; readonly change: Json } {
  const previous: Record<string, Json> = {}
  const change: Record<string, Json> = {}
  for (const [field, values] of Object.entries(now)) {
    const before = isObject(then[field]) ? then[field] : {}
    previous[field] = Object.fromEntries(names.map(name => [name, before[name] ?? null]))
    change[field] = Object.fromEntries(
      names.map(name => [name, changeOf(before[name] ?? null, isObject(values) ? values[name] : null)]),
    )
  }
  return { previous, change }
}

/// Of numbers and decimal texts, and key by key of objects.
function changeOf(before: unknown, now: unknown): unknown {
  if (isObject(before) && isObject(now)) {
    return Object.fromEntries(Object.entries(now).map(([key, value]) => [key, changeOf(before[key], value)]))
  }
  return before === null || now === null ? null : percentOf(Number(before), Number(now))
}

/// (now − before) ÷ |before| × 100 in binary64 in this order, rounded to six decimals; null where before is 0, and where
/// the quotient is no finite number. Example: 80 → 100 is 25, −80 → −100 is −25.
export function percentOf(before: number, now: number): number | null {
  const percent = Math.round(((now - before) / Math.abs(before)) * 100 * 1e6) / 1e6
  // Adding 0 turns -0 into 0.
  return Number.isFinite(percent) ? percent + 0 : null
}
