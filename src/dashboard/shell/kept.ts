/// What this browser keeps for its reader, where it lets pages keep anything.

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`volumer.${name}`) ?? sessionStorage.getItem(`volumer.${name}`)
  } catch {
    return null
  }
}

/// `session` keeps it until the tab is closed.
export function keep(name: string, value: string | null, until: 'good' | 'session' = 'good'): void {
  try {
    localStorage.removeItem(`volumer.${name}`)
    sessionStorage.removeItem(`volumer.${name}`)
    if (value === null) return
    const storage = until === 'good' ? localStorage : sessionStorage
    storage.setItem(`volumer.${name}`, value)
  } catch {
    // A browser that keeps nothing shows the page all the same.
  }
}
