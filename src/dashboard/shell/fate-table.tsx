/// What became of swaps: how many had which fate.

import type { StatusReport } from '../../delivery/wire/status.js'
import { count, whole } from '../numbers/format.js'

type Fates = NonNullable<StatusReport['fates']>

const FATES: readonly { readonly fate: keyof Fates; readonly about: string }[] = [
  { fate: 'accepted', about: 'counted' },
  { fate: 'duplicate', about: 'had been accepted before' },
  { fate: 'late', about: 'older than the retention; kept as dead letters' },
  { fate: 'early', about: 'dated too far ahead; kept as dead letters' },
  { fate: 'invalid', about: 'no swaps; kept as dead letters' },
  { fate: 'conflict', about: 'duplicates with another content; they are among the duplicates' },
]

/// Fates that are not given have no line.
export function FateTable({ fates }: { readonly fates: Partial<Fates> }) {
  const { accepted = 0, duplicate = 0, late = 0, early = 0, invalid = 0 } = fates
  const all = accepted + duplicate + late + early + invalid
  return (
    <table>
      <thead class="hidden">
        <tr>
          <th scope="col">Fate</th>
          <th scope="col">Swaps</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {FATES.map(({ fate, about }) => {
          const swaps = fates[fate]
          return (
            swaps !== undefined && (
              <tr key={fate}>
                <th scope="row">
                  <b>{fate}</b> <span class="about">{about}</span>
                </th>
                <td class="number" title={whole(swaps)}>
                  {count(swaps)}
                </td>
                <td class="number muted">{share(swaps, all)}</td>
              </tr>
            )
          )
        })}
      </tbody>
    </table>
  )
}

function share(part: number, all: number): string {
  if (all === 0 || part === 0) return ''
  const percent = (100 * part) / all
  return percent < 0.01 ? '<0.01 %' : `${percent.toFixed(percent >= 99.995 ? 0 : 2)} %`
}
