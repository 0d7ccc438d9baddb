/// One of a few: buttons in a row, of which one is pressed.

export interface SegmentsProps<T extends string> {
  readonly label: string
  readonly options: readonly { readonly value: T; readonly label: string; readonly title?: string }[]
  readonly value: T | null
  readonly onChoose: (value: T) => void
}

export function Segments<T extends string>({ label, options, value, onChoose }: SegmentsProps<T>) {
  return (
    <div role="group" aria-label={label} class="segments">
      {options.map(option => (
        <button
          key={option.value}
          type="button"
          aria-pressed={option.value === value}
          title={option.title}
          onClick={() => onChoose(option.value)}
        >
          {option.label}
        </button>
      ))}
    </div>
  )
}
