/// Asks for an API key, where the server wants one.

import { useState } from 'preact/hooks'

const WHY: Readonly<Record<string, string>> = {
  'key-missing': 'This server asks for an API key',
  'key-unknown': 'This API key is not known, or was revoked',
  'scope-missing': 'This API key may not read statistics',
}

export interface KeyFormProps {
  readonly code: string
  readonly message: string
  readonly onKey: (key: string, until: 'good' | 'session') => void
}

export function KeyForm({ code, message, onKey }: KeyFormProps) {
  const [key, setKey] = useState('')
  const [remember, setRemember] = useState(false)
  return (
    <main class="key">
      <form
        onSubmit={event => {
          event.preventDefault()
          if (key.trim() !== '') onKey(key.trim(), remember ? 'good' : 'session')
        }}
      >
        <h1>{WHY[code] ?? message}</h1>
        <p>
          Whoever runs it makes one: <code>volumer keys create --name NAME --scope read</code>
        </p>
        <label for="key">API key</label>
        <input
          id="key"
          type="password"
          autocomplete="off"
          spellcheck={false}
          value={key}
          onInput={event => setKey(event.currentTarget.value)}
        />
        <label class="check">
          <input
            type="checkbox"
            checked={remember}
            onChange={event => setRemember(event.currentTarget.checked)}
          />
          Keep it in this browser. Otherwise it is forgotten with this tab.
        </label>
        <button type="submit" class="primary" disabled={key.trim() === ''}>
          Connect
        </button>
      </form>
    </main>
  )
}
