/// The traders with the most volume in the window that is shown.

import type { TopTrader } from '../../delivery/wire/token-answer.js'
import { SplitBar } from '../board/token-row.js'
import { dollars, netDollars } from '../numbers/cells.js'
import { shortCount, shortName, span, whole, windowLabel } from '../numbers/format.js'
import type { Session } from '../session/session.js'
import { Panel } from '../shell/panel.js'
import { useLive } from '../shell/use-live.js'
import { Polled } from './polled.js'

const TRADERS = 10

export interface TradersPanelProps {
  readonly session: Session
  readonly token: string
  readonly window: string
}

export function TradersPanel({ session, token, window: name }: TradersPanelProps) {
  const top = useLive(
    () =>
      name === ''
        ? null
        : new Polled<readonly TopTrader[]>(
            async () => (await session.client.topTraders(token, { window: name, limit: TRADERS })).traders,
            [],
          ),
    [session, token, name],
  )
  const traders = top?.answer.value ?? null
  const problem = top?.problem.value ?? null
  const now = session.now.value + session.clock.ms
  return (
    <Panel title="Top traders" class="traders" aside={<span class="muted">of {windowLabel(name)}</span>}>
      {problem !== null && traders === null && <p class="muted">{problem}</p>}
      {traders !== null && traders.length === 0 && <p class="muted">Nobody within {windowLabel(name)}.</p>}
      {traders !== null && traders.length > 0 && (
        <div class="scrolls" data-scrolls role="region" aria-label="Top traders" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Trader</th>
                <th scope="col" class="number">
                  Volume
                </th>
                <th scope="col">
                  <span class="hidden">Share of what was bought</span>
                </th>
                <th scope="col" class="number">
                  Net
                </th>
                <th scope="col" class="number">
                  Swaps
                </th>
                <th scope="col" class="number last">
                  Last
                </th>
              </tr>
            </thead>
            <tbody>
              {traders.map(({ who, volume, buyVolume, netVolume, buys, sells, lastSeen }) => {
                const sum = dollars(volume)
                const net = netDollars(netVolume)
                const share = Number(volume) === 0 ? null : Number(buyVolume) / Number(volume)
                const percent = share === null ? '' : `${(share * 100).toFixed(0)} % bought`
                return (
                  <tr key={who}>
                    <th scope="row" title={who}>
                      {shortName(who)}
                    </th>
                    <td class="number" title={sum.exact}>
                      {sum.text}
                    </td>
                    <td class="share" title={percent}>
                      <SplitBar share={share} />
                      <span class="hidden">{percent}</span>
                    </td>
                    <td class={`number ${net.tone ?? ''}`} title={net.exact}>
                      {net.text}
                    </td>
                    <td class="number" title={`${whole(buys)} buys, ${whole(sells)} sells`}>
                      {shortCount(buys + sells)}
                    </td>
                    <td class="number muted last">{span(now - lastSeen)}</td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}
