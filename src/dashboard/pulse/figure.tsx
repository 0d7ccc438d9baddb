/// One number and what it is.

export interface FigureProps {
  readonly label: string
  readonly value: string
  readonly title?: string
  readonly large?: boolean
}

export function Figure({ label, value, title, large }: FigureProps) {
  return (
    <div class={large ? 'figure large' : 'figure'} title={title}>
      <span class="value">{value}</span> <span class="label">{label}</span>
    </div>
  )
}
