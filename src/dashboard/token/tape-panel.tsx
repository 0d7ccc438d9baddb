/// The tape: swaps as they come.

import { clockTime, dateTime, exact, price, quantity, shortName, usd } from '../numbers/format.js'
import type { Session } from '../session/session.js'
import { Panel } from '../shell/panel.js'
import { useLive } from '../shell/use-live.js'
import { Tape } from './tape.js'

/// From this share of the average swap on, a swap is a large one.
const LARGE = 5

export interface TapePanelProps {
  readonly session: Session
  readonly token: string
  /// Dollars of an average swap.
  readonly average: number
}

export function TapePanel({ session, token, average }: TapePanelProps) {
  const tape = useLive(() => new Tape(session.client, token), [session, token])
  const swaps = tape?.swaps.value ?? []
  return (
    <Panel title="Swaps" class="tape" aside={<span class="muted">as they are counted</span>}>
      <div class="scrolls" data-scrolls role="region" aria-label="The newest swaps" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Time</th>
              <th scope="col">Side</th>
              <th scope="col" class="number">
                Dollars
              </th>
              <th scope="col" class="number">
                Price $
              </th>
              <th scope="col" class="number amount">
                Amount
              </th>
              <th scope="col">Trader</th>
            </tr>
          </thead>
          <tbody>
            {swaps.map(swap => (
              <tr key={swap.key} class={`${swap.live ? 'fresh' : ''} ${swap.side}`}>
                <td title={dateTime(swap.time)}>{clockTime(swap.time)}</td>
                <td class={swap.side === 'buy' ? 'up' : 'down'}>{swap.side}</td>
                <td
                  class={Number(swap.usd) > LARGE * average ? 'number large' : 'number'}
                  title={`$${exact(swap.usd)}`}
                >
                  {usd(swap.usd)}
                </td>
                <td
                  class="number"
                  title={swap.price === null ? 'not known' : `$${exact(swap.price)} per token`}
                >
                  {price(swap.price)}
                </td>
                <td class="number amount muted" title={`${exact(swap.amount)} tokens`}>
                  {quantity(swap.amount)}
                </td>
                <td class="who muted" title={swap.who}>
                  {shortName(swap.who)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {swaps.length === 0 && <p class="muted">None yet.</p>}
    </Panel>
  )
}
