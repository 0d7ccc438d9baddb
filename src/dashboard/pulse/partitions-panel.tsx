/// The partitions of the trade log: who rolls them, and how far behind they are.

import type { PartitionStatus, StatusReport } from '../../delivery/wire/status.js'
import { clockTime, count, delay, whole } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

export function PartitionsPanel({ status }: { readonly status: StatusReport }) {
  const { partitions } = status
  return (
    <Panel title="Partitions" class="partitions">
      {partitions.length === 0 ? (
        <p class="muted">There are none.</p>
      ) : (
        <div class="scrolls" data-scrolls role="region" aria-label="Partitions" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  Partition
                </th>
                <th scope="col">Owner</th>
                <th scope="col" class="number" title="Records not yet counted">
                  Lag
                </th>
                <th scope="col" class="number" title="Records that a crash now would roll again">
                  Not yet saved
                </th>
                <th scope="col" class="number" title="Records in the log">
                  In the log
                </th>
                <th
                  scope="col"
                  class="number"
                  title="The second at which windows end, against the server's clock"
                >
                  Behind the clock
                </th>
              </tr>
            </thead>
            <tbody>
              {partitions.map(partition => (
                <Row
                  key={`${partition.partition} ${partition.replica ?? ''}`}
                  partition={partition}
                  status={status}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

interface RowProps {
  readonly partition: PartitionStatus
  readonly status: StatusReport
}

/// What nobody has said is a dash.
function Row({ partition, status }: RowProps) {
  const { first, end, rolled, checkpointed, lag, viewTime } = partition
  const unsaved = difference(rolled, checkpointed)
  const kept = difference(end, first)
  return (
    <tr>
      <td class="number">{partition.partition}</td>
      <td title={partition.owner ?? undefined}>{ownerText(partition, status)}</td>
      <td class={lag !== null && lag > 0 ? 'number' : 'number muted'} title={exact(lag)}>
        {shown(lag)}
      </td>
      <td class="number" title={exact(unsaved)}>
        {shown(unsaved)}
      </td>
      <td
        class="number"
        title={first === null || end === null ? undefined : `offsets ${whole(first)} to ${whole(end)}`}
      >
        {shown(kept)}
      </td>
      <td class="number" title={viewTime === null ? undefined : clockTime(viewTime)}>
        {delay(viewTime === null ? null : Math.max(0, status.now - viewTime))}
      </td>
    </tr>
  )
}

function ownerText({ owner, replica, state }: PartitionStatus, { instance }: StatusReport): string {
  if (owner === null) return 'nobody'
  const who = owner === instance ? 'this process' : owner
  const set = replica === null || replica === 'a' ? '' : `, set ${replica}`
  return `${who}${set}${state === 'live' ? '' : `: ${state}`}`
}

const difference = (a: number | null, b: number | null): number | null =>
  a === null || b === null ? null : a - b
const shown = (value: number | null): string => (value === null ? '–' : count(value))
const exact = (value: number | null): string | undefined => (value === null ? undefined : whole(value))
