/// The filter: bounds on the usual statistics of the window that is shown, and an expression of the API for all the rest.

import { useId, useRef, useState } from 'preact/hooks'
import { windowLabel } from '../numbers/format.js'
import { go } from '../route/navigation.js'
import { type BoardView, type Bound, isDecimal } from '../route/route.js'

const FIELDS: readonly { readonly bound: Bound; readonly label: string; readonly unit: string }[] = [
  { bound: 'minVolume', label: 'Volume at least', unit: '$' },
  { bound: 'minSwaps', label: 'Swaps at least', unit: '' },
  { bound: 'minTraders', label: 'Traders at least', unit: '' },
  { bound: 'minChange', label: 'Change at least', unit: '%' },
  { bound: 'maxChange', label: 'Change at most', unit: '%' },
]

export interface FilterFormProps {
  readonly view: BoardView
  readonly window: string
  /// What the server says is wrong with the expression.
  readonly fault: string | null
}

export function FilterForm({ view, window: name, fault }: FilterFormProps) {
  const id = useId()
  const details = useRef<HTMLDetailsElement>(null)
  const active = Object.keys(view.bounds).length + (view.filter === '' ? 0 : 1)
  const close = () => {
    if (details.current === null) return
    details.current.open = false
    details.current.querySelector('summary')?.focus()
  }
  return (
    <details
      ref={details}
      class="filter"
      onKeyDown={event => {
        if (event.key === 'Escape') close()
      }}
      onFocusOut={event => {
        const to = event.relatedTarget
        if (to instanceof Node && !event.currentTarget.contains(to)) event.currentTarget.open = false
      }}
    >
      <summary class={active > 0 ? 'on' : ''}>
        Filter{active > 0 && <span class="badge">{active}</span>}
      </summary>
      <form
        onSubmit={event => {
          event.preventDefault()
          close()
        }}
      >
        {FIELDS.map(({ bound, label, unit }) => (
          <BoundField key={bound} view={view} bound={bound} label={label} unit={unit} id={`${id}-${bound}`} />
        ))}
        <p class="hint">Within {windowLabel(name)}.</p>
        <label for={`${id}-filter`}>Expression</label>
        <input
          id={`${id}-filter`}
          class="expression"
          value={view.filter}
          placeholder="volume.h1>=10000 and txns.m5.buys>3"
          spellcheck={false}
          autocomplete="off"
          maxLength={900}
          aria-invalid={fault !== null}
          aria-describedby={`${id}-fault`}
          onChange={event => go({ ...view, filter: event.currentTarget.value.trim() })}
        />
        <p id={`${id}-fault`} class="fault" role="alert">
          {fault}
        </p>
        <div class="buttons">
          <button
            type="button"
            disabled={active === 0}
            onClick={() => go({ ...view, bounds: {}, filter: '' })}
          >
            Clear
          </button>
          <button type="submit">Done</button>
        </div>
      </form>
    </details>
  )
}

interface BoundFieldProps {
  readonly view: BoardView
  readonly bound: Bound
  readonly label: string
  readonly unit: string
  readonly id: string
}

function BoundField({ view, bound, label, unit, id }: BoundFieldProps) {
  const [faulty, setFaulty] = useState(false)
  return (
    <>
      <label for={id}>
        {label} {unit}
      </label>
      <input
        id={id}
        inputMode="decimal"
        autocomplete="off"
        value={view.bounds[bound] ?? ''}
        aria-invalid={faulty}
        title={faulty ? 'A number such as 10000 or 2.5' : undefined}
        onChange={event => {
          const text = event.currentTarget.value.trim().replaceAll(/[,$%\s]/g, '')
          setFaulty(text !== '' && !isDecimal(text))
          if (text !== '' && !isDecimal(text)) return
          const { [bound]: _, ...rest } = view.bounds
          go({ ...view, bounds: text === '' ? rest : { ...rest, [bound]: text } })
        }}
      />
    </>
  )
}
