/// The board: every token in an order, live.

import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { go } from '../route/navigation.js'
import { type BoardView, filterOf, type Sort, usualOrder } from '../route/route.js'
import { FollowedTokens } from '../session/followed-tokens.js'
import type { Session } from '../session/session.js'
import { useLive } from '../shell/use-live.js'
import { windowOf } from '../shell/window-switch.js'
import { type Column, columnsFor, fieldsFor, NARROW, sortPath } from './columns.js'
import { NoTokens } from './empty.js'
import { Grid } from './grid.js'
import { pins } from './pins.js'
import { PriceLines } from './price-lines.js'
import { RankedRows, type Rule, UPDATES_PER_SECOND } from './ranked-rows.js'
import { Toolbar } from './toolbar.js'

const ROW_HEIGHT = 38
const ROW_HEIGHT_NARROW = 56

export interface BoardProps {
  readonly session: Session
  readonly view: BoardView
}

/// Rows and what they were asked for with: what is shown stays together until what comes instead is there.
interface Shown {
  readonly window: string
  readonly columns: readonly Column[]
  readonly rows: RankedRows
  readonly lines: PriceLines
  end(): void
}

export function Board({ session, view }: BoardProps) {
  const board = useRef<HTMLElement>(null)
  const [width, setWidth] = useState(1200)
  useLayoutEffect(() => {
    if (board.current === null) return
    const observer = new ResizeObserver(([entry]) => setWidth(Math.round(entry?.contentRect.width ?? 1200)))
    observer.observe(board.current)
    return () => observer.disconnect()
  }, [])

  const windows = session.windows.value
  const name = windowOf(view.window, windows)
  const columns = columnsFor(width)
  const fields = fieldsFor(columns)
  const shape = `${name} ${fields}`
  const rule: Rule = {
    sort: sortPath(view.sort, name),
    order: view.order,
    filter: filterOf(view, name),
    window: name,
    fields,
  }
  const newest = useLive<Shown>(() => {
    if (name === '') return null
    const rows = new RankedRows(session.client, rule)
    const lines = new PriceLines(session.client, name, windows)
    rows.show(0, Math.ceil(window.innerHeight / ROW_HEIGHT))
    return { window: name, columns, rows, lines, end: () => [rows, lines].map(each => each.end()) }
  }, [session, JSON.stringify(rule)])
  const pinned = useLive(
    () =>
      name === '' || pins.value.length === 0
        ? null
        : new FollowedTokens(session.client, pins.value, {
            windows: [name],
            fields,
            updatesPerSecond: UPDATES_PER_SECOND,
          }),
    [session, shape, pins.value],
  )

  const before = useRef<Shown | null>(null)
  const fault = newest?.rows.fault.value ?? null
  if (newest !== null && newest.rows.total.value !== null) before.current = newest
  const shown = before.current ?? newest
  const total = newest?.rows.total.value ?? null
  const filtered = rule.filter !== null

  const onSort = (sort: Sort) => {
    const order = view.sort !== sort ? usualOrder(sort) : view.order === 'asc' ? 'desc' : 'asc'
    go({ ...view, sort, order })
  }
  return (
    <main ref={board} class="board">
      <h1 class="hidden">Tokens</h1>
      <Toolbar
        view={view}
        windows={windows}
        window={name}
        total={total}
        fault={fault?.field?.endsWith('filter') ? fault.message : null}
        onSearched={() => board.current?.querySelector<HTMLElement>('.grid')?.focus()}
      />
      {shown !== null && (
        <Grid
          session={session}
          view={view}
          window={shown.window}
          columns={shown.columns}
          width={width}
          rowHeight={width < NARROW ? ROW_HEIGHT_NARROW : ROW_HEIGHT}
          rows={shown.rows}
          pinned={pinned}
          lines={shown.lines}
          onSort={onSort}
        />
      )}
      {(total === 0 || fault !== null) && (
        <NoTokens
          filtered={filtered}
          fault={fault}
          onClear={() => go({ ...view, search: '', bounds: {}, filter: '' })}
        />
      )}
    </main>
  )
}
