/// How the system itself is: what comes in, how long it takes to this screen, what became of it, who has it, who reads.

import { windowMs } from '../numbers/format.js'
import type { Session } from '../session/session.js'
import { useLive } from '../shell/use-live.js'
import { DelayPanel } from './delay-panel.js'
import { FatesPanel } from './fates-panel.js'
import { MeasuredTokens } from './measured-tokens.js'
import { PartitionsPanel } from './partitions-panel.js'
import { RatePanel } from './rate-panel.js'
import { ArchivePanel, ClientsPanel, ServerPanel } from './server-panels.js'

export function Pulse({ session }: { readonly session: Session }) {
  const [shortest] = session.windows.value.toSorted((a, b) => windowMs(a) - windowMs(b))
  const measured = useLive(
    () => (shortest === undefined ? null : new MeasuredTokens(session, shortest)),
    [session, shortest],
  )
  const status = session.status.value
  return (
    <main class="pulse">
      <h1 class="hidden">Pulse</h1>
      <div class="parts">
        <RatePanel session={session} />
        <DelayPanel session={session} measured={measured} />
        {status !== null && (
          <>
            <FatesPanel fates={status.fates} />
            <PartitionsPanel status={status} />
            <ClientsPanel clients={status.clients} />
            <ArchivePanel archive={status.archive} />
            <ServerPanel status={status} now={session.serverNow()} />
          </>
        )}
      </div>
    </main>
  )
}
