/// What follows the server for as long as a view is shown: made after it is on the screen, ended before the next one is made, so that two
/// never follow the same.

import { useEffect, useState } from 'preact/hooks'

/// null until it is made. `depends` says when another one is needed; `make` may say that there is nothing to follow.
export function useLive<T extends { end(): void }>(
  make: () => T | null,
  depends: readonly unknown[],
): T | null {
  const [made, setMade] = useState<T | null>(null)
  useEffect(() => {
    const fresh = make()
    setMade(fresh)
    return () => fresh?.end()
  }, depends)
  return made
}
