/// Who reads, what is archived, and what the server takes.

import type { StatusReport } from '../../delivery/wire/status.js'
import { bytes, count, dateTime, span, whole } from '../numbers/format.js'
import { Panel } from '../shell/panel.js'

interface Fact {
  readonly label: string
  readonly value: string
  readonly title?: string
}

const number = (label: string, value: number | null | undefined, title?: string): Fact => ({
  label,
  value: count(value),
  title: title === undefined ? whole(value) : `${whole(value)}: ${title}`,
})
const size = (label: string, value: number | null | undefined): Fact => ({
  label,
  value: bytes(value),
  title: `${whole(value)} bytes`,
})

function Facts({ facts }: { readonly facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(({ label, value, title }) => (
        <div key={label} title={title}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}

export function ClientsPanel({ clients }: { readonly clients: StatusReport['clients'] }) {
  const facts = [
    number('WebSockets', clients.webSockets, 'this page is one'),
    number('Event streams', clients.eventStreams),
    number('Subscriptions', clients.subscriptions),
    number('Messages sent', clients.messagesSent, 'since the start'),
    number(
      'Updates left out',
      clients.updatesConflated,
      'replaced by a newer one before a slow reader took them',
    ),
    number('Slow readers closed', clients.slowReadersClosed),
    size('Not yet taken', clients.unsentBytes),
  ]
  return (
    <Panel title="Clients" class="clients">
      <Facts facts={facts} />
    </Panel>
  )
}

export function ArchivePanel({ archive }: { readonly archive: StatusReport['archive'] }) {
  return (
    <Panel title="Archive" class="archive">
      {archive === null ? (
        <p class="muted">There is none here: no candles, no history.</p>
      ) : (
        <>
          <Facts
            facts={[
              number('Not yet archived', archive.lag, 'records; some seconds are usual'),
              number('Stored', archive.stored, 'since the start'),
              number('Were there already', archive.duplicates),
              number('Too old to keep', archive.expired),
              number('Lost', archive.lost, 'dropped by the log before they were archived'),
            ]}
          />
          {archive.problem !== null && <p class="down">{archive.problem}</p>}
        </>
      )}
    </Panel>
  )
}

export function ServerPanel({ status, now }: { readonly status: StatusReport; readonly now: number }) {
  const { storage, memory } = status
  return (
    <Panel title="Server" class="server">
      <Facts
        facts={[
          { label: 'Version', value: status.version },
          {
            label: 'Up for',
            value: span(now - status.startedAt),
            title: `since ${dateTime(status.startedAt)}`,
          },
          number('Tokens', status.tokens),
          size('Memory', memory.rssBytes),
          size('Trade log', storage.tradeLogBytes),
          size('State', storage.stateBytes),
          number('Dead letters', storage.deadLettersStored),
        ]}
      />
    </Panel>
  )
}
