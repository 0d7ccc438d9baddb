/// How long a swap takes to this screen, measured here: from the time in the swap to the frame that shows it, and where that time goes.

import { delay, price, shortName } from '../numbers/format.js'
import type { DelayReport, Percentiles } from '../session/delays.js'
import type { Session } from '../session/session.js'
import { Panel } from '../shell/panel.js'
import { Figure } from './figure.js'
import type { MeasuredTokens } from './measured-tokens.js'

export interface DelayPanelProps {
  readonly session: Session
  readonly measured: MeasuredTokens | null
}

export function DelayPanel({ session, measured }: DelayPanelProps) {
  // Once a second: a figure that changes with each frame cannot be read.
  void session.now.value
  const report = session.delays.report(session.serverNow())
  const shown = measured?.shown.value ?? []
  return (
    <Panel
      title="From swap to this screen"
      class="delay"
      aside={
        <span class="muted">
          {report === null ? 'no swap seen yet' : `${report.samples} swaps of the last minute`}
        </span>
      }
    >
      <div class="figures">
        <Figure
          label="p50"
          value={delay(report?.total.p50)}
          title="Half of the swaps were on this screen within so long"
          large
        />
        <Figure label="p99" value={delay(report?.total.p99)} title="99 of 100 were" large />
      </div>
      <Parts report={report} server={session.status.value?.delay ?? null} />
      <ul class="measured" aria-label="The tokens by which it is measured">
        {shown.map(({ token, stats, delayMs }) => (
          <li key={token} title={token}>
            <span class="name">{shortName(token)}</span>
            <span class="number">{price(stats.priceUsd)}</span>
            <span class="number muted">{delay(delayMs)}</span>
          </li>
        ))}
      </ul>
      <p class="muted note">
        The server’s clock is {clockText(session.clock.ms)} this browser’s, give or take{' '}
        {delay(session.clock.wayMs / 2)}. The time in a swap is its producer’s.
      </p>
    </Panel>
  )
}

function clockText(ms: number): string {
  if (Math.abs(ms) < 1) return 'the same as'
  return `${delay(Math.abs(Math.round(ms)))} ${ms > 0 ? 'ahead of' : 'behind'}`
}

interface PartsProps {
  readonly report: DelayReport | null
  readonly server: { readonly p50Ms: number | null; readonly p99Ms: number | null } | null
}

function Parts({ report, server }: PartsProps) {
  const row = (label: string, about: string, part: Percentiles | undefined) => (
    <tr>
      <th scope="row" title={about}>
        {label}
      </th>
      <td class="number">{delay(part?.p50)}</td>
      <td class="number">{delay(part?.p99)}</td>
    </tr>
  )
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Part of the way</th>
          <th scope="col" class="number">
            p50
          </th>
          <th scope="col" class="number">
            p99
          </th>
        </tr>
      </thead>
      <tbody>
        {row('Swap → counted', 'From the time in the swap until the roller has it', report?.toRolled)}
        {row('Counted → sent', 'Until its statistics left the server', report?.toSent)}
        {row('Sent → screen', 'Network, this browser, and its next frame', report?.toScreen)}
        <tr>
          <th
            scope="row"
            title="As the server measures it, over all updates: from the append to the log until they leave"
          >
            Log → sent, all
          </th>
          <td class="number">{delay(server?.p50Ms)}</td>
          <td class="number">{delay(server?.p99Ms)}</td>
        </tr>
      </tbody>
    </table>
  )
}
