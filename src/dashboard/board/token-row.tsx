/// One row of the board. It is drawn anew only when its statistics, its place or its line have changed.

import { Component, type ComponentChild } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { count, shortCount, shortName } from '../numbers/format.js'
import { hashOf } from '../route/route.js'
import { motionWanted } from '../shell/theme.js'
import { type Column, hasLine } from './columns.js'
import { type PriceLine, pathOf } from './price-lines.js'

export interface TokenRowProps {
  readonly id: string
  /// From 1, as it is shown; null for a pinned row.
  readonly rank: number | null
  readonly ariaIndex: number
  readonly token: string
  readonly stats: TokenStatistics | null
  readonly window: string
  readonly columns: readonly Column[]
  readonly width: number
  readonly line: PriceLine | undefined
  readonly top: number | null
  /// It came from far away: it is there at once instead of flying over the others.
  readonly jumped: boolean
  readonly active: boolean
  readonly pinned: boolean
  /// Minutes, so that ages move on without every second drawing every row.
  readonly minute: number
  readonly onPin: (token: string) => void
}

export class TokenRow extends Component<TokenRowProps> {
  override shouldComponentUpdate(next: Readonly<TokenRowProps>): boolean {
    const props = this.props
    return (Object.keys(next) as (keyof TokenRowProps)[]).some(name => next[name] !== props[name])
  }

  override render(): ComponentChild {
    const { id, rank, ariaIndex, token, stats, columns, width, top, jumped, active, pinned, onPin } =
      this.props
    const href = hashOf({ at: 'token', token, window: this.props.window, interval: null })
    return (
      <div
        id={id}
        role="row"
        aria-rowindex={ariaIndex}
        aria-selected={active}
        class={`row${active ? ' active' : ''}${jumped ? ' jumped' : ''}`}
        data-token={token}
        style={top === null ? undefined : { transform: `translateY(${top}px)` }}
      >
        <span role="gridcell" class="pin">
          <button
            type="button"
            tabIndex={-1}
            aria-pressed={pinned}
            aria-label={`Pin ${token}`}
            title={pinned ? 'Unpin' : 'Pin to the top'}
            onClick={() => onPin(token)}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M8 1.8l1.9 3.9 4.3.6-3.1 3 .7 4.3L8 11.6l-3.8 2 .7-4.3-3.1-3 4.3-.6z" />
            </svg>
          </button>
        </span>
        <span role="gridcell" class="rank">
          {rank === null ? '' : count(rank)}
        </span>
        {columns.map(column =>
          column.kind === 'name' ? (
            <span role="gridcell" class="name" key="token">
              <a href={href} tabIndex={-1} title={token}>
                {shortName(token)}
              </a>
            </span>
          ) : (
            <Cell key={column.sort} column={column} {...this.props} />
          ),
        )}
        {hasLine(width) && (
          <span role="gridcell" class="line">
            {stats !== null && <Sparkline {...this.props} stats={stats} />}
          </span>
        )}
      </div>
    )
  }
}

function Cell({ column, stats, window: name }: TokenRowProps & { readonly column: Column }) {
  if (stats === null) {
    return (
      <span role="gridcell" class={`number muted c-${column.sort}`} title="No swap within the retention">
        —
      </span>
    )
  }
  const cell = column.cell(stats, name, stats.asOf)
  if (column.kind === 'split') return <Split stats={stats} window={name} total={cell.exact} />
  if (column.kind === 'price')
    return <Price text={cell.text} exact={cell.exact} price={Number(stats.priceUsd)} />
  return (
    <span
      role="gridcell"
      class={`number c-${column.sort}${cell.tone === undefined ? '' : ` ${cell.tone}`}`}
      title={cell.exact}
    >
      {column.sort === 'change' && cell.tone !== undefined && <Arrow tone={cell.tone} />}
      {cell.text}
    </span>
  )
}

/// Up and down by shape too, not by colour alone.
export function Arrow({ tone }: { readonly tone: 'up' | 'down' }) {
  return (
    <svg class="arrow" viewBox="0 0 8 8" aria-hidden="true">
      <path d={tone === 'up' ? 'M4 1.5L7 6H1z' : 'M4 6.5L1 2h6z'} />
    </svg>
  )
}

const GLOW = { duration: 900, easing: 'ease-out' }

/// The price, with a glow that fades when what is shown of it has changed.
function Price({
  text,
  exact,
  price,
}: {
  readonly text: string
  readonly exact: string
  readonly price: number
}) {
  const element = useRef<HTMLSpanElement>(null)
  const before = useRef(price)
  useEffect(() => {
    const last = before.current
    before.current = price
    if (element.current === null || price === last || Number.isNaN(last) || !motionWanted()) return
    // A variable, not its value: reading that would make the browser style the page once for each row.
    const color = price > last ? 'var(--glow-up)' : 'var(--glow-down)'
    element.current.animate([{ backgroundColor: color }, { backgroundColor: 'transparent' }], GLOW)
  }, [text])
  return (
    <span role="gridcell" class="number price c-price" title={exact}>
      <span ref={element}>{text}</span>
    </span>
  )
}

function Split({
  stats,
  window: name,
  total,
}: {
  readonly stats: TokenStatistics
  readonly window: string
  readonly total: string
}) {
  const { buys = 0, sells = 0 } = stats.txns?.[name] ?? {}
  const share = buys + sells === 0 ? 0.5 : buys / (buys + sells)
  const title = `${count(buys)} buys, ${count(sells)} sells: ${total}`
  return (
    <span role="gridcell" class="split" title={title}>
      <span class="up">{shortCount(buys)}</span>
      <span class="down">{shortCount(sells)}</span>
      <SplitBar share={buys + sells === 0 ? null : share} />
    </span>
  )
}

/// Buys on the left, sells on the right; null for neither.
export function SplitBar({ share }: { readonly share: number | null }) {
  return (
    <span class={`bar${share === null ? ' none' : ''}`} aria-hidden="true">
      {share !== null && <span style={{ transform: `translateX(${((share - 1) * 100).toFixed(1)}%)` }} />}
    </span>
  )
}

const LINE_WIDTH = 96
const LINE_HEIGHT = 24

function Sparkline({ line, stats, window: name }: TokenRowProps & { readonly stats: TokenStatistics }) {
  const change = stats.priceChange?.[name] ?? 0
  const tone = change > 0 ? 'up' : change < 0 ? 'down' : ''
  return (
    <svg
      viewBox={`0 0 ${LINE_WIDTH} ${LINE_HEIGHT}`}
      preserveAspectRatio="none"
      class={tone}
      aria-hidden="true"
    >
      <path
        d={pathOf(line, Number(stats.priceUsd), LINE_WIDTH, LINE_HEIGHT)}
        vector-effect="non-scaling-stroke"
      />
    </svg>
  )
}
