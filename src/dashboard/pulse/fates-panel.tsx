/// What became of the swaps, since the beginning of the log.

import type { StatusReport } from '../../delivery/wire/status.js'
import { FateTable } from '../shell/fate-table.js'
import { Panel } from '../shell/panel.js'

export function FatesPanel({ fates }: { readonly fates: StatusReport['fates'] }) {
  return (
    <Panel title="Fates" class="fates">
      {fates === null ? (
        <p class="muted">This process does not roll; ask one that does.</p>
      ) : (
        <FateTable fates={fates} />
      )}
    </Panel>
  )
}
