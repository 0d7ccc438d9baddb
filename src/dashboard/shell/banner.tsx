/// One line about the connection, when there is something to say: what is the matter, since when numbers stand still, what happens next.

import { clockTime, span } from '../numbers/format.js'
import { BEHIND_MS, staleSince } from '../session/phase.js'
import type { Session } from '../session/session.js'

export interface BannerProps {
  readonly session: Session
  /// Begins anew, where there is no coming back by itself.
  readonly onReconnect: () => void
}

export function Banner({ session, onReconnect }: BannerProps) {
  const said = sentence(session)
  const version = session.newVersion.value
  return (
    <div role="status" class="banners">
      {said !== null && (
        <p class={`banner ${said.tone}`}>
          <span>{said.text}</span>
          {said.action === 'retry' && (
            <button type="button" onClick={() => session.client.retry()}>
              Try now
            </button>
          )}
          {said.action === 'reconnect' && (
            <button type="button" onClick={onReconnect}>
              Connect again
            </button>
          )}
        </p>
      )}
      {version !== null && (
        <p class="banner info">
          <span>The server is version {version} now; this page is older.</span>
          <button type="button" onClick={() => location.reload()}>
            Reload
          </button>
        </p>
      )}
    </div>
  )
}

interface Sentence {
  readonly text: string
  readonly tone: 'info' | 'warning'
  readonly action?: 'retry' | 'reconnect'
}

function sentence(session: Session): Sentence | null {
  const phase = session.phase.value
  const now = session.now.value
  const since = staleSince(phase, session.heardAt.value, now)
  const still = since === null ? '' : ` Numbers stand still since ${clockTime(since)}.`
  switch (phase.is) {
    case 'connecting':
    case 'live':
      if (since !== null)
        return { tone: 'warning', text: `Nothing heard from the server for ${span(now - since)}.${still}` }
      return (
        starting(session) ??
        (phase.is === 'connecting' ? { tone: 'info', text: 'Connecting …' } : behind(session))
      )
    case 'away': {
      const seconds = Math.max(0, Math.ceil((phase.retryAt - now) / 1000))
      const next = seconds === 0 ? 'Trying again …' : `Next try in ${seconds} s.`
      const what = phase.draining ? 'The server is restarting.' : `Not connected: ${phase.reason}.`
      return { tone: 'warning', text: `${what}${still} ${next}`, action: 'retry' }
    }
    case 'ended':
      return {
        tone: 'warning',
        text: `The server closed the connection for good: ${phase.reason}.${still}`,
        action: 'reconnect',
      }
    case 'refused':
      return null
    default:
      return phase satisfies never
  }
}

/// A server that restores its state has no complete numbers yet.
function starting(session: Session): Sentence | null {
  const status = session.status.value
  if (status === null || status.ready) return null
  const percent = status.percent === null ? '' : ` (${status.percent} %)`
  return { tone: 'info', text: `The server is getting ready: ${status.reason ?? 'starting'}${percent}.` }
}

function behind(session: Session): Sentence | null {
  const asOf = session.totals.value?.asOf ?? null
  // What was heard before the connection broke says nothing about the server of now.
  if (asOf === null || !session.current.value) return null
  const ms = session.now.value + session.clock.ms - asOf
  if (ms < BEHIND_MS) return null
  return {
    tone: 'warning',
    text: `The server is connected, but its statistics stand still since ${clockTime(asOf - session.clock.ms)}.`,
  }
}
