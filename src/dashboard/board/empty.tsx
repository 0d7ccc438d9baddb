/// Why the table is empty, and the way out.

import type { VolumerError } from '../../client/client.js'

export interface NoTokensProps {
  readonly filtered: boolean
  /// What the server refused; null for a table that is empty because nothing matches.
  readonly fault: VolumerError | null
  readonly onClear: () => void
}

export function NoTokens({ filtered, fault, onClear }: NoTokensProps) {
  if (fault !== null) {
    return (
      <div class="empty" role="status">
        <h2>
          {fault.code === 'invalidRequest' ? 'The server does not understand this view' : 'No rows for now'}
        </h2>
        <p>{fault.message}</p>
        {filtered && (
          <button type="button" onClick={onClear}>
            Clear search and filter
          </button>
        )}
      </div>
    )
  }
  if (filtered) {
    return (
      <div class="empty" role="status">
        <h2>No token matches</h2>
        <p>Names are searched for a part of them, in upper or lower case; bounds count within the window.</p>
        <button type="button" onClick={onClear}>
          Clear search and filter
        </button>
      </div>
    )
  }
  return (
    <div class="empty" role="status">
      <h2>No swaps yet</h2>
      <p>Nobody has traded lately. Send some, and they are here as soon as they are counted:</p>
      <pre>
        {`curl -H 'Content-Type: application/x-ndjson' ${location.origin}/v1/trades \\
  --data '{"id":"1","time":'$(date +%s000)',"who":"alice","token":"MYTOKEN","side":"buy","amount":"1000","usd":"250.50"}'`}
      </pre>
      <p>
        <a href="./docs">All routes and messages</a>
      </p>
    </div>
  )
}
