/// The head of the table: a button for each column, which sorts by it, and the other way round when it does already.

import type { BoardView, Sort } from '../route/route.js'
import { type Column, hasLine } from './columns.js'
import { Arrow } from './token-row.js'

export interface GridHeadProps {
  readonly columns: readonly Column[]
  readonly width: number
  readonly view: BoardView
  readonly onSort: (sort: Sort) => void
}

export function GridHead({ columns, width, view, onSort }: GridHeadProps) {
  return (
    <div role="rowgroup">
      <div role="row" aria-rowindex={1} class="row head">
        <span role="columnheader" class="pin" aria-label="Pinned" />
        <span role="columnheader" class="rank">
          #
        </span>
        {columns.map(({ sort, label, about, kind }) => {
          const sorted = view.sort === sort
          return (
            <span
              key={sort}
              role="columnheader"
              class={kind === 'name' ? 'name' : kind === 'split' ? 'split' : 'number'}
              aria-sort={sorted ? (view.order === 'asc' ? 'ascending' : 'descending') : 'none'}
            >
              <button
                type="button"
                title={`Sort by: ${about}`}
                class={sorted ? 'sorted' : ''}
                onClick={() => onSort(sort)}
              >
                {label}
                {sorted && <Arrow tone={view.order === 'asc' ? 'up' : 'down'} />}
              </button>
            </span>
          )
        })}
        {hasLine(width) && (
          <span role="columnheader" class="line">
            Trend
          </span>
        )}
      </div>
    </div>
  )
}
