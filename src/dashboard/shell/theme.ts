/// Light or dark: as the system has it, unless the reader says otherwise.

import { effect, signal } from '@preact/signals'
import { keep, kept } from './kept.js'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const darkSystem = matchMedia('(prefers-color-scheme: dark)')
const lessMotion = matchMedia('(prefers-reduced-motion: reduce)')

export const theme = signal<Theme>(THEMES.find(each => each === kept('theme')) ?? 'system')
/// What is shown, for what is drawn and not styled.
export const shownDark = signal(darkSystem.matches)

/// Whether things may move.
export const motionWanted = (): boolean => !lessMotion.matches

export function applyTheme(): void {
  const show = () => {
    shownDark.value = theme.value === 'system' ? darkSystem.matches : theme.value === 'dark'
  }
  darkSystem.addEventListener('change', show)
  effect(() => {
    document.documentElement.dataset.theme = theme.value
    keep('theme', theme.value === 'system' ? null : theme.value)
    show()
  })
}
