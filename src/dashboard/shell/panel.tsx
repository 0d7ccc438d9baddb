/// A part of a page, with its heading.

import type { ComponentChildren } from 'preact'

export interface PanelProps {
  readonly title: string
  /// Beside the heading.
  readonly aside?: ComponentChildren
  readonly class?: string
  readonly children: ComponentChildren
}

export function Panel({ title, aside, class: name, children }: PanelProps) {
  return (
    <section class={`panel ${name ?? ''}`} aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  )
}
