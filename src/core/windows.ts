/// Window names and lengths.
///
/// A window of length W at view time T (a tick) holds exactly the accepted swaps with T − W < tick(time) ≤ T.
/// W = 5 m at the default resolution of 1 s: a trade at 0 s is in at 299.999 s (T = 299), out at 300 s (T = 300).
///
/// Field names put the unit first (`m5`, `h24`), as the field's feeds do; people write `5m` and `24h`. Both are
/// read everywhere. Whole hours are hours, else whole minutes are minutes, else seconds, else milliseconds:
/// 90 s is `s90`, 120 s is `m2`, 86400 s is `h24`.

export interface Window {
  /// `m5`
  readonly name: string
  readonly lengthMs: number
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

export const DEFAULT_WINDOWS = '1m,5m,15m,30m,1h,2h,4h,6h,8h,12h,24h'

/// Canonical field name of a length.
export function windowName(lengthMs: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const ms = UNIT_MS[unit] ?? 1
    if (lengthMs % ms === 0) return `${unit}${lengthMs / ms}`
  }
  return `ms${lengthMs}`
}

/// The length as people write it: `5m`, `24h`, `90s`.
export function windowLabel(lengthMs: number): string {
  const name = windowName(lengthMs)
  const unit = name.replace(/\d+$/, '')
  return name.slice(unit.length) + unit
}

/// Reads `5m`, `m5`, `24h`, `h24`, `90s`, `1d`, `500ms`; null for anything else. Lengths are positive integers.
export function parseDuration(text: string): number | null {
  const match = /^(?:(\d{1,9})(ms|s|m|h|d)|(ms|s|m|h|d)(\d{1,9}))$/.exec(text.trim())
  if (match === null) return null
  const count = Number(match[1] ?? match[4])
  const unit = UNIT_MS[match[2] ?? match[3] ?? '']
  if (unit === undefined || count <= 0) return null
  return count * unit
}

/// The window that a name in either spelling means.
export function parseWindow(text: string): Window | null {
  const lengthMs = parseDuration(text)
  return lengthMs === null ? null : { name: windowName(lengthMs), lengthMs }
}

/// A comma-separated list, shortest first, without repetition. Returns the entries that are not durations instead
/// when there are any.
export function parseWindows(text: string): { windows: Window[] } | { wrong: string[] } {
  const windows = new Map<number, Window>()
  const wrong: string[] = []
  for (const entry of text.split(',')) {
    const window = parseWindow(entry)
    if (window === null) wrong.push(entry.trim())
    else windows.set(window.lengthMs, window)
  }
  if (wrong.length > 0) return { wrong }
  return { windows: [...windows.values()].sort((a, b) => a.lengthMs - b.lengthMs) }
}
