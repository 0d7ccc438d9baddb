/// The table of the board: all tokens in their order, of which only those on the screen have elements. Rows lie at their place by a
/// transform, so that a row whose place has changed glides there.
///
/// The grid has the keyboard's focus and says which row is active (aria-activedescendant), so a row may go without taking the focus with it.

import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { go } from '../route/navigation.js'
import type { BoardView, Sort } from '../route/route.js'
import type { FollowedTokens } from '../session/followed-tokens.js'
import type { Session } from '../session/session.js'
import { type Column, gridTemplate } from './columns.js'
import { DrawingBudget } from './drawing-budget.js'
import { GridHead } from './grid-head.js'
import { isPinned, pins, togglePin } from './pins.js'
import type { PriceLines, Wish } from './price-lines.js'
import type { RankedRows } from './ranked-rows.js'
import { TokenRow } from './token-row.js'

/// Elements are as tall as browsers allow; beyond that a table has no rows. Some half a million of them.
const HEIGHT_MAX = 15_000_000
/// Rows that have elements beyond what is seen, on each side.
const OVERSCAN = 6
/// A row that moves farther is there at once.
const GLIDE_MAX = 12
/// Rows keep their places for so long after the pointer or a key was used among them.
const HOLD_MS = 1500

export interface GridProps {
  readonly session: Session
  readonly view: BoardView
  readonly window: string
  readonly columns: readonly Column[]
  readonly width: number
  readonly rowHeight: number
  readonly rows: RankedRows
  readonly pinned: FollowedTokens | null
  readonly lines: PriceLines
  readonly onSort: (sort: Sort) => void
}

/// What is active: a pinned row, or a place in the order.
type Active = { readonly pin: number } | { readonly place: number }

export function Grid(props: GridProps) {
  const { session, view, window: name, columns, width, rowHeight, rows, pinned, lines, onSort } = props
  const scroller = useRef<HTMLDivElement>(null)
  const head = useRef<HTMLDivElement>(null)
  const scrollTop = useSignal(0)
  const height = useSignal(800)
  const active = useSignal<Active | null>(null)
  const topHeight = useSignal(0)
  const frames = useSignal(0)
  const places = useRef(new Map<string, number>())
  const drawn = useRef(new Map<string, TokenStatistics | null>())
  const heldUntil = useRef(0)

  // Read, so that this is drawn anew when they change.
  void rows.revision.value
  void lines.revision.value
  void pinned?.revision.value
  void frames.value
  const pinnedTokens = pins.value
  const minute = Math.floor(session.now.value / 60_000)
  const total = rows.total.value ?? 0
  const shownMax = Math.floor(HEIGHT_MAX / rowHeight)
  const size = Math.min(total, shownMax)

  const first = Math.max(0, Math.floor(scrollTop.value / rowHeight) - OVERSCAN)
  const last = Math.max(
    0,
    Math.min(size - 1, Math.ceil((scrollTop.value + height.value - topHeight.value) / rowHeight) + OVERSCAN),
  )

  useEffect(() => {
    rows.show(first, rows.total.value === null ? Math.ceil(height.value / rowHeight) : last)
  }, [rows, first, last])

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight
      topHeight.value = head.current?.offsetHeight ?? 0
    })
    observer.observe(element)
    if (head.current !== null) observer.observe(head.current)
    return () => observer.disconnect()
  }, [])

  // Another order begins at its top.
  useLayoutEffect(() => {
    places.current = new Map()
    active.value = null
    scroller.current?.scrollTo({ top: 0 })
    scrollTop.value = 0
  }, [rows])

  const hold = () => {
    heldUntil.current = Date.now() + HOLD_MS
    rows.hold(true)
  }
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (Date.now() > heldUntil.current) rows.hold(false)
      lines.want(
        wishesOf(scroller.current, rows, pinned, session, rowHeight, head.current),
        session.serverNow(),
      )
    }, 400)
    return () => window.clearInterval(timer)
  }, [rows, pinned, lines, rowHeight])

  const show = (place: number) => {
    const element = scroller.current
    if (element === null) return
    const top = place * rowHeight
    const room = element.clientHeight - topHeight.value
    if (top < element.scrollTop) element.scrollTop = top
    else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room
  }
  const activate = (to: Active) => {
    active.value = to
    if ('place' in to) show(to.place)
    else document.getElementById(`pin-${to.pin}`)?.scrollIntoView({ block: 'nearest' })
  }
  const activeToken = (): string | null => {
    const at = active.value
    if (at === null) return null
    return ('pin' in at ? pinnedTokens[at.pin] : rows.at(at.place)?.token) ?? null
  }

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.target !== event.currentTarget) return
    const token = activeToken()
    const page = Math.max(1, Math.floor(height.value / rowHeight) - 2)
    switch (event.key) {
      case 'ArrowDown':
      case 'ArrowUp':
      case 'PageDown':
      case 'PageUp': {
        const by = (event.key.startsWith('Arrow') ? 1 : page) * (event.key.endsWith('Down') ? 1 : -1)
        activate(moved(active.value, by, pinnedTokens.length, size))
        break
      }
      case 'Home':
        activate(pinnedTokens.length > 0 ? { pin: 0 } : { place: 0 })
        break
      case 'End':
        activate({ place: Math.max(0, size - 1) })
        break
      case 'Enter':
        if (token === null) return
        go({ at: 'token', token, window: view.window, interval: null })
        break
      case 'p':
      case ' ':
        if (token === null) return
        togglePin(token)
        break
      default:
        return
    }
    event.preventDefault()
    hold()
  }

  const budget = new DrawingBudget(drawn.current)
  const seen = new Set<string>()
  const shown = []
  const newPlaces = new Map<string, number>()
  for (let place = first; place <= last && place < size; place++) {
    const row = rows.at(place)
    const stats = row === undefined ? undefined : budget.take(row.token, row.stats)
    if (row === undefined || stats === undefined || seen.has(row.token)) {
      shown.push(
        <div
          key={`#${place}`}
          class="row blank"
          aria-hidden="true"
          style={{ transform: `translateY(${place * rowHeight}px)` }}
        />,
      )
      continue
    }
    seen.add(row.token)
    newPlaces.set(row.token, place)
    const before = places.current.get(row.token)
    const at = active.value
    shown.push(
      <TokenRow
        key={row.token}
        id={`row-${place}`}
        rank={place + 1}
        ariaIndex={place + 2 + pinnedTokens.length}
        token={row.token}
        stats={stats}
        window={name}
        columns={columns}
        width={width}
        line={lines.of(row.token)}
        top={place * rowHeight}
        jumped={before === undefined || Math.abs(before - place) > GLIDE_MAX}
        active={at !== null && 'place' in at && at.place === place}
        pinned={isPinned(row.token)}
        minute={minute}
        onPin={togglePin}
      />,
    )
  }
  places.current = newPlaces
  const pinnedStats = new Map(
    pinnedTokens.map(token => [token, budget.take(`pinned ${token}`, pinned?.of(token) ?? null)]),
  )
  drawn.current = budget.drawn
  const more = budget.isSpent
  useEffect(() => {
    if (!more) return
    const frame = requestAnimationFrame(() => frames.value++)
    return () => cancelAnimationFrame(frame)
  })

  const at = active.value
  const activeId = at === null ? undefined : 'pin' in at ? `pin-${at.pin}` : `row-${at.place}`
  return (
    <div
      ref={scroller}
      class="grid"
      style={{ '--columns': gridTemplate(columns, width) }}
      role="grid"
      tabIndex={0}
      aria-label="Tokens"
      aria-rowcount={total + 1 + pinnedTokens.length}
      aria-activedescendant={activeId}
      onScroll={event => {
        scrollTop.value = event.currentTarget.scrollTop
      }}
      onKeyDown={onKeyDown}
      onPointerMove={event => {
        if (event.movementX !== 0 || event.movementY !== 0) hold()
      }}
      onPointerDown={hold}
      onFocus={() => {
        if (active.value === null && size > 0)
          active.value = { place: Math.ceil(scrollTop.value / rowHeight) }
      }}
    >
      <div ref={head} class="top">
        <GridHead columns={columns} width={width} view={view} onSort={onSort} />
        {pinnedTokens.length > 0 && (
          <div role="rowgroup" class="pinned" aria-label="Pinned">
            {pinnedTokens.map((token, i) => (
              <TokenRow
                key={token}
                id={`pin-${i}`}
                rank={null}
                ariaIndex={i + 2}
                token={token}
                stats={pinnedStats.get(token) ?? null}
                window={name}
                columns={columns}
                width={width}
                line={lines.of(token)}
                top={null}
                jumped={false}
                active={at !== null && 'pin' in at && at.pin === i}
                pinned={true}
                minute={minute}
                onPin={togglePin}
              />
            ))}
          </div>
        )}
      </div>
      <div role="rowgroup" class="rows" style={{ height: `${size * rowHeight}px` }}>
        {shown}
      </div>
      {total > size && size > 0 && (
        <p class="beyond">{(total - size).toLocaleString('en')} more: filter, search or sort to see them.</p>
      )}
    </div>
  )
}

/// The pinned rows come before the first place.
function moved(from: Active | null, by: number, pinned: number, size: number): Active {
  const index = from === null ? pinned - Math.sign(by) : 'pin' in from ? from.pin : pinned + from.place
  const to = Math.min(pinned + size - 1, Math.max(0, index + by))
  return to < pinned ? { pin: to } : { place: Math.max(0, to - pinned) }
}

/// The rows that are on the screen now.
function wishesOf(
  scroller: HTMLElement | null,
  rows: RankedRows,
  pinned: FollowedTokens | null,
  session: Session,
  rowHeight: number,
  head: HTMLElement | null,
): Wish[] {
  if (scroller === null || document.hidden) return []
  const now = session.serverNow()
  const wishes: Wish[] = []
  const add = (token: string, priceUsd: string | null | undefined, firstSeen: number | undefined) => {
    if (priceUsd === null || priceUsd === undefined) return
    wishes.push({ token, since: firstSeen ?? 0, now, price: Number(priceUsd) })
  }
  for (const token of pins.peek()) {
    const stats = pinned?.of(token)
    if (stats) add(token, stats.priceUsd, stats.firstSeen)
  }
  const first = Math.floor(scroller.scrollTop / rowHeight)
  const room = scroller.clientHeight - (head?.offsetHeight ?? 0)
  for (let place = first; place <= first + Math.ceil(room / rowHeight); place++) {
    const row = rows.at(place)
    if (row !== undefined) add(row.token, row.stats.priceUsd, row.stats.firstSeen)
  }
  return wishes
}
