/// The partitions of the trade log: who rolls them, and how far behind they are.

import type { PartitionStatus, StatusReport } from '../../delivery/wire/status.js'
import { clockTime, count, delay, whole } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

export function PartitionsPanel({ status }: { readonly status: StatusReport }) {
  const { partitions, now, instance } = status
  const replicas = new Set(partitions.map(({ replica }) => replica)).size > 1
  return (
    <Panel title="Partitions" class="partitions">
      {partitions.length === 0 ? (
        <p class="muted">None is known yet.</p>
      ) : (
        <div class="scrolls" data-scrolls role="region" aria-label="Partitions" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col" class="number">
                  Partition
                </th>
                {replicas && <th scope="col">Replica</th>}
                <th scope="col">Owner</th>
                <th scope="col">State</th>
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
                <PartitionRow
                  key={`${partition.partition} ${partition.replica}`}
                  status={partition}
                  replicas={replicas}
                  instance={instance}
                  now={now}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {partitions.flatMap(({ partition, gaps }) =>
        gaps.map(({ from, to, until }) => (
          <p key={`${partition} ${from}`} class="down">
            Partition {partition} misses {whole(to - from)} records that the log had dropped; windows are
            whole again at {clockTime(until)}.
          </p>
        )),
      )}
    </Panel>
  )
}

interface PartitionRowProps {
  readonly status: PartitionStatus
  readonly replicas: boolean
  /// The process that this page talks to.
  readonly instance: string
  readonly now: number
}

const WELL: readonly PartitionStatus['state'][] = ['live']

function PartitionRow({ status, replicas, instance, now }: PartitionRowProps) {
  const { partition, replica, owner, address, state, first, end, rolled, checkpointed, lag, viewTime } =
    status
  const unsaved = less(rolled, checkpointed)
  const held = less(end, first)
  return (
    <tr>
      <td class="number">{partition}</td>
      {replicas && <td>{replica}</td>}
      <td title={address === null ? undefined : `answers at ${address}`}>
        {owner === null ? 'nobody' : owner === instance ? `${owner}, this one` : owner}
      </td>
      <td class={WELL.includes(state) ? '' : 'down'}>{state}</td>
      <td class={lag === 0 ? 'number muted' : 'number'} title={whole(lag)}>
        {count(lag)}
      </td>
      <td class="number" title={whole(unsaved)}>
        {count(unsaved)}
      </td>
      <td class="number" title={`offsets ${whole(first)} to ${whole(end)}`}>
        {count(held)}
      </td>
      <td class="number" title={viewTime === null ? undefined : clockTime(viewTime)}>
        {delay(viewTime === null ? null : Math.max(0, now - viewTime))}
      </td>
    </tr>
  )
}

/// null where either is not known.
const less = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b)
