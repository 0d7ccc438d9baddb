/// How many swaps a token has.

import type { Ledger } from '../ledger.js'
import { COUNT, INTS } from '../tables/lines.js'

/// Swaps of a token within the retention, but for those of the future.
export function swapsOf({ view }: Ledger, token: number): number {
  const { tokens, windows } = view
  const { ints } = tokens.lines
  const total = (token * (windows + 1) + windows) * INTS + COUNT
  const expired = total - INTS
  const swapsOfSide = (side: number) =>
    ((ints[total + side] as number) - (ints[expired + side] as number)) | 0
  return swapsOfSide(0) + swapsOfSide(1)
}
