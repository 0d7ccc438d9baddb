/// Tokens that the reader keeps at the top of the board. They are the reader's, so they stay in this browser and are not in the address.

import { effect, signal } from '@preact/signals'
import { keep, kept } from '../shell/kept.js'

const PINS_MAX = 30

export const pins = signal<readonly string[]>(parsed(kept('pins')))

export const isPinned = (token: string): boolean => pins.value.includes(token)

export function togglePin(token: string): void {
  pins.value = isPinned(token)
    ? pins.value.filter(each => each !== token)
    : [...pins.value, token].slice(-PINS_MAX)
}

export function keepPins(): void {
  effect(() => keep('pins', pins.value.length === 0 ? null : JSON.stringify(pins.value)))
}

function parsed(text: string | null): readonly string[] {
  try {
    const list: unknown = JSON.parse(text ?? '[]')
    return Array.isArray(list) ? list.filter(each => typeof each === 'string').slice(0, PINS_MAX) : []
  } catch {
    return []
  }
}
