/// All windows side by side: the statistics of a token, a column for each window.

import type { FieldName } from '../../delivery/wire/fields.js'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { type CellText, changeCell, dollars, netDollars, number, perToken, tokens } from '../numbers/cells.js'
import { windowLabel } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

/// What the page of a token shows.
export const FIELDS: readonly FieldName[] = [
  'priceUsd',
  'firstSeen',
  'lastSeen',
  'volume',
  'buyVolume',
  'sellVolume',
  'netVolume',
  'amount',
  'txns',
  'priceChange',
  'open',
  'high',
  'low',
  'close',
  'vwap',
  'largestTrade',
  'averageTrade',
]

interface Line {
  readonly label: string
  readonly about: string
  readonly cell: (stats: TokenStatistics, window: string) => CellText
}

const LINES: readonly Line[] = [
  {
    label: 'Change',
    about: 'From open to close',
    cell: (stats, name) => changeCell(stats.priceChange?.[name]),
  },
  {
    label: 'Volume',
    about: 'Dollars of buys and sells',
    cell: (stats, name) => dollars(stats.volume?.[name]),
  },
  {
    label: 'Net volume',
    about: 'Buys minus sells',
    cell: (stats, name) => netDollars(stats.netVolume?.[name]),
  },
  { label: 'Amount', about: 'Tokens traded', cell: (stats, name) => tokens(stats.amount?.[name]) },
  {
    label: 'Swaps',
    about: 'Buys and sells',
    cell: (stats, name) => number(stats.txns?.[name]?.total, 'swaps'),
  },
  {
    label: 'Buys',
    about: 'Number of buys',
    cell: (stats, name) => number(stats.txns?.[name]?.buys, 'buys'),
  },
  {
    label: 'Sells',
    about: 'Number of sells',
    cell: (stats, name) => number(stats.txns?.[name]?.sells, 'sells'),
  },
  {
    label: 'Traders',
    about: 'Distinct',
    cell: (stats, name) => number(stats.txns?.[name]?.traders, 'distinct traders'),
  },
  { label: 'Open $', about: 'First price', cell: (stats, name) => perToken(stats.open?.[name]) },
  { label: 'High $', about: 'Greatest price', cell: (stats, name) => perToken(stats.high?.[name]) },
  { label: 'Low $', about: 'Least price', cell: (stats, name) => perToken(stats.low?.[name]) },
  { label: 'Close $', about: 'Last price', cell: (stats, name) => perToken(stats.close?.[name]) },
  {
    label: 'VWAP $',
    about: 'Average price, weighted by volume',
    cell: (stats, name) => perToken(stats.vwap?.[name]),
  },
  { label: 'Largest', about: 'Largest swap', cell: (stats, name) => dollars(stats.largestTrade?.[name]) },
  { label: 'Average', about: 'Average swap', cell: (stats, name) => dollars(stats.averageTrade?.[name]) },
]

export interface WindowsTableProps {
  readonly stats: TokenStatistics
  readonly windows: readonly string[]
  readonly chosen: string
}

export function WindowsTable({ stats, windows, chosen }: WindowsTableProps) {
  return (
    <Panel title="All windows" class="windows">
      <div class="scrolls" data-scrolls role="region" aria-label="All windows, side by side" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">Statistic</span>
              </th>
              {windows.map(name => (
                <th key={name} scope="col" class={name === chosen ? 'number chosen' : 'number'}>
                  {windowLabel(name)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {LINES.map(({ label, about, cell }) => (
              <tr key={label}>
                <th scope="row" title={about}>
                  {label}
                </th>
                {windows.map(name => {
                  const { text, exact: exactly, tone } = cell(stats, name)
                  const classes = ['number', tone ?? '', name === chosen ? 'chosen' : ''].join(' ').trim()
                  return (
                    <td key={name} class={classes} title={exactly}>
                      {text}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
