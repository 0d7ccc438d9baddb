/// Above the table: the usual views, the window, search and filter.

import { useEffect, useRef, useState } from 'preact/hooks'
import { count } from '../numbers/format.js'
import { go } from '../route/navigation.js'
import { BOARD, type BoardView, SORTS, type Sort } from '../route/route.js'
import { Segments } from '../shell/segments.js'
import { WindowSwitch } from '../shell/window-switch.js'
import { COLUMNS } from './columns.js'
import { FilterForm } from './filter-form.js'

const SEARCH_PAUSE_MS = 180
const ORDERS = ['desc', 'asc'] as const

type Usual = 'top' | 'gainers' | 'losers' | 'trending' | 'new'

const USUAL: readonly {
  readonly value: Usual
  readonly label: string
  readonly title: string
  readonly sort: Sort
  readonly order: 'asc' | 'desc'
}[] = [
  { value: 'top', label: 'Top', title: 'Most volume', sort: 'volume', order: 'desc' },
  { value: 'gainers', label: 'Gainers', title: 'Greatest rise of the price', sort: 'change', order: 'desc' },
  { value: 'losers', label: 'Losers', title: 'Greatest fall of the price', sort: 'change', order: 'asc' },
  {
    value: 'trending',
    label: 'Trending',
    title: 'Many traders and more volume than usual',
    sort: 'trending',
    order: 'desc',
  },
  { value: 'new', label: 'New', title: 'First seen last', sort: 'first', order: 'desc' },
]

export interface ToolbarProps {
  readonly view: BoardView
  readonly windows: readonly string[]
  readonly window: string
  readonly total: number | null
  readonly fault: string | null
  /// The search field was left with Enter: the table is wanted.
  readonly onSearched: () => void
}

export function Toolbar({ view, windows, window: name, total, fault, onSearched }: ToolbarProps) {
  const usual = USUAL.find(({ sort, order }) => sort === view.sort && order === view.order)?.value ?? null
  return (
    <div class="toolbar">
      <Segments
        label="Views"
        options={USUAL}
        value={usual}
        onChoose={chosen => {
          const { sort, order } = USUAL.find(({ value }) => value === chosen) ?? BOARD
          go({ ...view, sort, order })
        }}
      />
      <WindowSwitch windows={windows} value={name} onChoose={chosen => go({ ...view, window: chosen })} />
      <SortMenu view={view} />
      <span class="space" />
      <span class="matches" role="status">
        {total === null ? '' : `${count(total)} ${total === 1 ? 'token' : 'tokens'}`}
      </span>
      <Search view={view} onSearched={onSearched} />
      <FilterForm view={view} window={name} fault={fault} />
    </div>
  )
}

/// Where there is no room for the table's head.
function SortMenu({ view }: { readonly view: BoardView }) {
  return (
    <select
      class="sort-menu"
      aria-label="Sort by"
      value={`${view.sort} ${view.order}`}
      onChange={event => {
        const [text, order] = event.currentTarget.value.split(' ')
        const sort = SORTS.find(each => each === text) ?? BOARD.sort
        go({ ...view, sort, order: order === 'asc' ? 'asc' : 'desc' })
      }}
    >
      {COLUMNS.flatMap(({ sort, label }) =>
        ORDERS.map(order => (
          <option key={`${sort} ${order}`} value={`${sort} ${order}`}>
            {label} {order === 'asc' ? '↑' : '↓'}
          </option>
        )),
      )}
      <option value={`trending ${view.sort === 'trending' ? view.order : 'desc'}`}>Trending</option>
    </select>
  )
}

function Search({ view, onSearched }: { readonly view: BoardView; readonly onSearched: () => void }) {
  const [typed, setTyped] = useState(view.search)
  const input = useRef<HTMLInputElement>(null)
  const newest = useRef(view)
  newest.current = view

  // Back, forward and links change it from elsewhere.
  useEffect(() => {
    if (document.activeElement !== input.current) setTyped(view.search)
  }, [view.search])
  useEffect(() => {
    if (typed === newest.current.search) return
    const timer = window.setTimeout(
      () => go({ ...newest.current, search: typed }, 'replace'),
      SEARCH_PAUSE_MS,
    )
    return () => window.clearTimeout(timer)
  }, [typed])
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.matches('input, select, textarea')
      if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      input.current?.focus()
      input.current?.select()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])

  return (
    <input
      ref={input}
      class="search"
      type="search"
      placeholder="Search  /"
      aria-label="Search tokens by name"
      aria-keyshortcuts="/"
      autocomplete="off"
      spellcheck={false}
      maxLength={128}
      value={typed}
      onInput={event => setTyped(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Escape') setTyped('')
        if (event.key !== 'Enter' && event.key !== 'ArrowDown') return
        event.preventDefault()
        if (typed !== view.search) go({ ...view, search: typed }, 'replace')
        onSearched()
      }}
    />
  )
}
