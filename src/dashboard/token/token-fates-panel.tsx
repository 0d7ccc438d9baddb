/// What became of the swaps that name the token.

import { dateTime, span } from '../numbers/format.js'
import type { Session } from '../session/session.js'
import { FateTable } from '../shell/fate-table.js'
import { Panel } from '../shell/panel.js'
import { useLive } from '../shell/use-live.js'
import { Polled } from './polled.js'

export interface TokenFatesPanelProps {
  readonly session: Session
  readonly token: string
}

export function TokenFatesPanel({ session, token }: TokenFatesPanelProps) {
  const polled = useLive(() => new Polled(() => session.client.fates(token), null), [session, token])
  const known = polled?.answer.value ?? null
  const problem = polled?.problem.value ?? null
  const now = session.now.value + session.clock.ms
  return (
    <Panel
      title="Fates of its swaps"
      class="fates"
      aside={
        known !== null && (
          <span class="muted" title={`since ${dateTime(known.since)}`}>
            of {span(now - known.since)}
          </span>
        )
      }
    >
      {problem !== null && known === null && <p class="muted">{problem}</p>}
      {known !== null && (
        <div class="with-note">
          <FateTable fates={known.fates} />
          <p class="note muted">
            Counted since {dateTime(known.since)}, when it had its first swap, and for as long as there always
            is one within the retention. What is invalid counts for no token; the Pulse has it.
          </p>
        </div>
      )}
    </Panel>
  )
}
