/// The partitions of the trade log: who rolls them, and how far behind they are.

import type { StatusReport } from '../../delivery/wire/status.js'
import { clockTime, count, delay, whole } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

export function PartitionsPanel({ status }: { readonly status: StatusReport }) {
  const { partitions, now } = status
  return (
    <Panel title="Partitions" class="partitions">
      {partitions.length === 0 ? (
        <p class="muted">This process rolls none.</p>
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
              {partitions.map(({ partition, first, end, rolled, checkpointed, lag, viewTime }) => (
                <tr key={partition}>
                  <td class="number">{partition}</td>
                  <td>this process</td>
                  <td class={lag > 0 ? 'number' : 'number muted'} title={whole(lag)}>
                    {count(lag)}
                  </td>
                  <td class="number" title={whole(rolled - checkpointed)}>
                    {count(rolled - checkpointed)}
                  </td>
                  <td class="number" title={`offsets ${whole(first)} to ${whole(end)}`}>
                    {count(end - first)}
                  </td>
                  <td class="number" title={viewTime === null ? undefined : clockTime(viewTime)}>
                    {delay(viewTime === null ? null : Math.max(0, now - viewTime))}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
