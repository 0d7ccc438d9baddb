/// `volumer config`: what the configuration comes to, and where each value comes from.

import type { Resolved } from '../config.js'
import { KEYS } from '../config-keys.js'

export function showConfig({ outcome }: Resolved, format: 'table' | 'json'): string {
  if (format === 'json') {
    const entries = outcome.map(({ key, value, source }) => [key, { value, source }])
    return `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`
  }
  const width = (texts: readonly string[]) => Math.max(...texts.map(text => text.length))
  const keyWidth = width(outcome.map(row => row.key))
  const valueWidth = width(outcome.map(row => row.value))
  const sourceWidth = width(outcome.map(row => row.source))
  return outcome
    .map(({ key, value, source }) =>
      [key.padEnd(keyWidth), value.padEnd(valueWidth), source.padEnd(sourceWidth), KEYS[key].doc].join('  '),
    )
    .map(line => `${line}\n`)
    .join('')
}
