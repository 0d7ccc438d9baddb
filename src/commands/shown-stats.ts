/// The statistics that tables show, read from the API's JSON. Read with care, because it comes over the network.

export interface ShownWindow {
  readonly name: string
  readonly volume: string
  readonly buys: number
  readonly sells: number
  readonly traders: number
  readonly open: string | null
  readonly high: string | null
  readonly low: string | null
  readonly close: string | null
  readonly priceChange: number | null
}

export interface ShownStats {
  readonly token: string
  readonly priceUsd: string | null
  readonly asOf: number
  readonly windows: readonly ShownWindow[]
}

/// null when the document is no token statistics.
export function readStats(document: unknown): ShownStats | null {
  const token = field(document, 'token')
  const volume = field(document, 'volume')
  if (typeof token !== 'string' || typeof volume !== 'object' || volume === null) return null
  return {
    token,
    priceUsd: text(field(document, 'priceUsd')),
    asOf: number(field(document, 'asOf')) ?? Number.NaN,
    windows: Object.keys(volume).map(name => {
      const txns = field(field(document, 'txns'), name)
      const priced = (key: string) => text(field(field(document, key), name))
      return {
        name,
        volume: text(field(volume, name)) ?? '0',
        buys: number(field(txns, 'buys')) ?? 0,
        sells: number(field(txns, 'sells')) ?? 0,
        traders: number(field(txns, 'traders')) ?? 0,
        open: priced('open'),
        high: priced('high'),
        low: priced('low'),
        close: priced('close'),
        priceChange: number(field(field(document, 'priceChange'), name)),
      }
    }),
  }
}

/// The document's own field of that name; undefined when it is no object or has none.
export function field(document: unknown, name: string): unknown {
  if (typeof document !== 'object' || document === null) return undefined
  return Object.getOwnPropertyDescriptor(document, name)?.value
}

const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
const number = (value: unknown): number | null => (typeof value === 'number' ? value : null)
