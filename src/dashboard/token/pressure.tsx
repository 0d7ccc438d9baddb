/// Who is more eager: dollars bought against dollars sold, and buyers against sellers, over each window.

import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { SplitBar } from '../board/token-row.js'
import { exact, shortCount, usd, whole, windowLabel } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

export interface PressureProps {
  readonly stats: TokenStatistics
  readonly windows: readonly string[]
}

export function Pressure({ stats, windows }: PressureProps) {
  return (
    <Panel title="Buy and sell pressure" class="pressure">
      <table>
        <thead>
          <tr>
            <th scope="col">Window</th>
            <th scope="col" class="number">
              Bought
            </th>
            <th scope="col">
              <span class="hidden">Share of what was bought</span>
            </th>
            <th scope="col">Sold</th>
            <th scope="col" class="number">
              Buyers
            </th>
            <th scope="col" class="number">
              Sellers
            </th>
          </tr>
        </thead>
        <tbody>
          {windows.map(name => (
            <PressureRow key={name} stats={stats} window={name} />
          ))}
        </tbody>
      </table>
    </Panel>
  )
}

function PressureRow({ stats, window: name }: { readonly stats: TokenStatistics; readonly window: string }) {
  const bought = stats.buyVolume?.[name] ?? '0'
  const sold = stats.sellVolume?.[name] ?? '0'
  const sum = Number(bought) + Number(sold)
  const share = sum === 0 ? null : Number(bought) / sum
  const percent = share === null ? '' : `${(share * 100).toFixed(0)} % bought`
  const txns = stats.txns?.[name]
  return (
    <tr>
      <th scope="row">{windowLabel(name)}</th>
      <td class="number up" title={`$${exact(bought)} in ${whole(txns?.buys)} buys`}>
        {usd(bought)}
      </td>
      <td class="share" title={percent}>
        <SplitBar share={share} />
        <span class="hidden">{percent}</span>
      </td>
      <td class="down" title={`$${exact(sold)} in ${whole(txns?.sells)} sells`}>
        {usd(sold)}
      </td>
      <td class="number" title={`${whole(txns?.buyers)} distinct buyers`}>
        {shortCount(txns?.buyers)}
      </td>
      <td class="number" title={`${whole(txns?.sellers)} distinct sellers`}>
        {shortCount(txns?.sellers)}
      </td>
    </tr>
  )
}
