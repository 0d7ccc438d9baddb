/// The view that the address bar says, as a signal.

import { signal } from '@preact/signals'
import { hashOf, type View, viewOf } from './route.js'

export const view = signal<View>(viewOf(location.hash))

/// Follows the address bar: links, back and forward.
export function followAddress(): void {
  window.addEventListener('hashchange', () => {
    view.value = viewOf(location.hash)
  })
}

/// Goes to a view. `replace` leaves no step for “back”: for what changes while one types.
export function go(to: View, how: 'push' | 'replace' = 'push'): void {
  const hash = hashOf(to)
  if (how === 'replace') history.replaceState(null, '', hash)
  else if (hash !== location.hash) history.pushState(null, '', hash)
  view.value = to
}
