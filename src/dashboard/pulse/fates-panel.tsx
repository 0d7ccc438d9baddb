/// What became of the swaps, since the beginning of the log.

import type { StatusReport } from '../../delivery/wire/status.js'
import { count, whole } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

type Fates = NonNullable<StatusReport['fates']>

const FATES: readonly { readonly fate: keyof Fates; readonly about: string }[] = [
  { fate: 'accepted', about: 'counted' },
  { fate: 'duplicate', about: 'had been accepted before' },
  { fate: 'late', about: 'older than the retention; kept as dead letters' },
  { fate: 'early', about: 'dated too far ahead; kept as dead letters' },
  { fate: 'invalid', about: 'no swaps; kept as dead letters' },
  { fate: 'conflict', about: 'duplicates with another content; they are among the duplicates' },
]

export function FatesPanel({ fates }: { readonly fates: Fates | null }) {
  const all = fates === null ? 0 : fates.accepted + fates.duplicate + fates.late + fates.early + fates.invalid
  return (
    <Panel title="Fates" class="fates">
      {fates === null ? (
        <p class="muted">This process does not roll; ask one that does.</p>
      ) : (
        <table>
          <thead class="hidden">
            <tr>
              <th scope="col">Fate</th>
              <th scope="col">Swaps</th>
              <th scope="col">Share</th>
            </tr>
          </thead>
          <tbody>
            {FATES.map(({ fate, about }) => (
              <tr key={fate}>
                <th scope="row">
                  <b>{fate}</b> <span class="about">{about}</span>
                </th>
                <td class="number" title={whole(fates[fate])}>
                  {count(fates[fate])}
                </td>
                <td class="number muted">{share(fates[fate], all)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  )
}

function share(part: number, all: number): string {
  if (all === 0 || part === 0) return ''
  const percent = (100 * part) / all
  return percent < 0.01 ? '<0.01 %' : `${percent.toFixed(percent >= 99.995 ? 0 : 2)} %`
}
