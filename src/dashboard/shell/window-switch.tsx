/// The choice of a window: buttons where there is room, a list to choose from where there is none.

import { windowLabel } from '../numbers/format.js'
import { Segments } from './segments.js'

export interface WindowSwitchProps {
  readonly windows: readonly string[]
  readonly value: string
  readonly onChoose: (window: string) => void
}

export function WindowSwitch({ windows, value, onChoose }: WindowSwitchProps) {
  if (windows.length === 0) return null
  const options = windows.map(name => ({ value: name, label: windowLabel(name) }))
  return (
    <div class="window-switch">
      <Segments label="Window" options={options} value={value} onChoose={onChoose} />
      <select aria-label="Window" value={value} onChange={event => onChoose(event.currentTarget.value)}>
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  )
}

/// The window that is shown: the one asked for where there is such, else an hour, else the one in the middle.
export function windowOf(asked: string | null, windows: readonly string[]): string {
  if (asked !== null && windows.includes(asked)) return asked
  return windows.includes('h1') ? 'h1' : (windows[Math.floor(windows.length / 2)] ?? '')
}
