/// The top of every view: where one is, the market in four numbers, the connection, the theme.

import { count, exact, usd, windowLabel } from '../numbers/format.js'
import { BOARD, hashOf, type View } from '../route/route.js'
import { staleSince } from '../session/phase.js'
import type { Session } from '../session/session.js'
import { THEMES, theme } from './theme.js'
import { windowOf } from './window-switch.js'

export interface HeaderProps {
  readonly session: Session
  readonly view: View
  readonly onForgetKey: () => void
}

export function Header({ session, view, onForgetKey }: HeaderProps) {
  return (
    <header class="header">
      <a class="brand" href={hashOf(BOARD)} aria-label="Volumer, all tokens">
        <svg viewBox="0 0 20 20" aria-hidden="true">
          <rect x="1" y="10" width="5" height="9" rx="1.5" />
          <rect x="7.5" y="5.5" width="5" height="13.5" rx="1.5" />
          <rect x="14" y="1" width="5" height="18" rx="1.5" class="third" />
        </svg>
        <span>Volumer</span>
      </a>
      <nav aria-label="Views">
        <a href={hashOf(BOARD)} aria-current={view.at === 'pulse' ? undefined : 'page'}>
          Board
        </a>
        <a href={hashOf({ at: 'pulse' })} aria-current={view.at === 'pulse' ? 'page' : undefined}>
          Pulse
        </a>
      </nav>
      <Market session={session} asked={view.at === 'pulse' ? null : view.window} />
      <span class="space" />
      <Link session={session} />
      {session.hasKey && (
        <button type="button" class="quiet" title="Forget the API key of this page" onClick={onForgetKey}>
          Forget key
        </button>
      )}
      <ThemeSwitch />
    </header>
  )
}

function Market({ session, asked }: { readonly session: Session; readonly asked: string | null }) {
  const totals = session.totals.value
  const name = windowOf(asked, session.windows.value)
  const label = windowLabel(name)
  const volume = totals?.volume[name]
  const perSecond = session.status.value?.rates.appendedPerSecond
  return (
    <dl class="market">
      <div title={volume === undefined ? undefined : `$${exact(volume)}`}>
        <dt>Volume {label}</dt>
        <dd>{usd(volume)}</dd>
      </div>
      <div title={totals === null ? undefined : `${count(totals.txns[name]?.total)} swaps`}>
        <dt>Swaps {label}</dt>
        <dd>{count(totals?.txns[name]?.total)}</dd>
      </div>
      <div title="Tokens with a swap within the window">
        <dt>Active tokens</dt>
        <dd>{count(totals?.active[name])}</dd>
      </div>
      <div title="Swaps in per second, over the last ten seconds">
        <dt>Swaps/s</dt>
        <dd>{count(perSecond === undefined || perSecond === null ? null : Math.round(perSecond))}</dd>
      </div>
    </dl>
  )
}

/// Whether what is shown is live: by colour, shape and word.
function Link({ session }: { readonly session: Session }) {
  const phase = session.phase.value
  const stale = staleSince(phase, session.heardAt.value, session.now.value) !== null
  const state =
    phase.is === 'live'
      ? stale
        ? 'stale'
        : 'live'
      : phase.is === 'connecting'
        ? 'connecting'
        : phase.is === 'refused'
          ? 'locked'
          : 'offline'
  return (
    <span class={`link ${state}`} role="status" aria-label={`Connection: ${state}`}>
      <svg viewBox="0 0 10 10" aria-hidden="true">
        {state === 'live' ? <circle cx="5" cy="5" r="4" /> : <circle cx="5" cy="5" r="3.25" class="ring" />}
      </svg>
      <span class="word">{state}</span>
    </span>
  )
}

const THEME_ICONS = {
  system: 'M3 4h14v9H3zM7 16h6M10 13v3',
  light:
    'M10 6.5a3.5 3.5 0 100 7 3.5 3.5 0 000-7M10 1.5v2M10 16.5v2M1.5 10h2M16.5 10h2M4 4l1.4 1.4M14.6 14.6L16 16M4 16l1.4-1.4M14.6 5.4L16 4',
  dark: 'M16.5 12A7 7 0 118 3.5a5.5 5.5 0 008.5 8.5z',
} as const

function ThemeSwitch() {
  const now = theme.value
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? 'system'
  return (
    <button
      type="button"
      class="quiet theme"
      aria-label={`Theme: ${now}. Change to ${next}`}
      title={`Theme: ${now}`}
      onClick={() => {
        theme.value = next
      }}
    >
      <svg viewBox="0 0 20 20" aria-hidden="true">
        <path d={THEME_ICONS[now]} />
      </svg>
    </button>
  )
}
