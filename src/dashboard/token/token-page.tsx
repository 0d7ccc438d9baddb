/// One token: its price, candles, swaps, traders, and its statistics over every window, live.

import type { TokenStatistics } from '../../delivery/wire/token-statistics.js'
import { isPinned, togglePin } from '../board/pins.js'
import { Arrow } from '../board/token-row.js'
import { changeCell } from '../numbers/cells.js'
import { dateTime, exact, price, span, windowLabel } from '../numbers/format.js'
import { go } from '../route/navigation.js'
import { BOARD, hashOf, type TokenView } from '../route/route.js'
import { FollowedTokens } from '../session/followed-tokens.js'
import type { Session } from '../session/session.js'
import { useLive } from '../shell/use-live.js'
import { WindowSwitch, windowOf } from '../shell/window-switch.js'
import { ChartPanel } from './chart-panel.js'
import { Pressure } from './pressure.js'
import { TapePanel } from './tape-panel.js'
import { TokenFatesPanel } from './token-fates-panel.js'
import { TradersPanel } from './traders-panel.js'
import { FIELDS, WindowsTable } from './windows-table.js'

export interface TokenPageProps {
  readonly session: Session
  readonly view: TokenView
}

export function TokenPage({ session, view }: TokenPageProps) {
  const { token } = view
  const windows = session.windows.value
  const live = useLive(
    () => new FollowedTokens(session.client, [token], { fields: FIELDS, updatesPerSecond: 10 }),
    [session, token],
  )
  void live?.revision.value
  const stats = live?.of(token)
  const name = windowOf(view.window, windows)
  return (
    <main class="token">
      <Heading session={session} view={view} window={name} stats={stats ?? null} />
      {stats === null && <Unknown token={token} longest={windowLabel(windows.at(-1) ?? 'h24')} />}
      {stats && name !== '' && (
        <div class="parts">
          <ChartPanel session={session} view={view} window={name} stats={stats} />
          <TapePanel session={session} token={token} average={Number(stats.averageTrade?.[name] ?? 0)} />
          <Pressure stats={stats} windows={windows} />
          <TradersPanel session={session} token={token} window={name} />
          <WindowsTable stats={stats} windows={windows} chosen={name} />
          <TokenFatesPanel session={session} token={token} />
        </div>
      )}
    </main>
  )
}

interface HeadingProps {
  readonly session: Session
  readonly view: TokenView
  readonly window: string
  readonly stats: TokenStatistics | null
}

function Heading({ session, view, window: name, stats }: HeadingProps) {
  const { token } = view
  const pinned = isPinned(token)
  const change = changeCell(stats?.priceChange?.[name])
  const priceUsd = stats?.priceUsd
  const lastSeen = stats?.lastSeen
  return (
    <div class="heading">
      <a class="back" href={hashOf(BOARD)}>
        <span class="hidden">All tokens</span>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M10 3L5 8l5 5" />
        </svg>
      </a>
      <h1 title={token}>{token}</h1>
      <button type="button" class="pinned-switch" aria-pressed={pinned} onClick={() => togglePin(token)}>
        {pinned ? 'Pinned' : 'Pin'}
      </button>
      <span class="price-now" title={priceUsd ? `$${exact(priceUsd)} per token` : 'no price is known'}>
        {priceUsd ? `$${price(priceUsd)}` : price(null)}
      </span>
      <span class={`change ${change.tone ?? ''}`} title={change.exact}>
        {change.tone !== undefined && <Arrow tone={change.tone} />}
        {change.text}
      </span>
      {lastSeen !== undefined && (
        <span class="muted" title={dateTime(lastSeen)}>
          last swap {span(session.now.value + session.clock.ms - lastSeen)} ago
        </span>
      )}
      <span class="space" />
      <WindowSwitch
        windows={session.windows.value}
        value={name}
        onChoose={chosen => go({ ...view, window: chosen }, 'replace')}
      />
    </div>
  )
}

function Unknown({ token, longest }: { readonly token: string; readonly longest: string }) {
  return (
    <div class="empty-token" role="status">
      <h2>No swap of this token within the last {longest}</h2>
      <p>
        Nobody has traded <b>{token}</b> lately, or the name is another one: upper and lower case differ. When
        it is traded, it is shown here.
      </p>
      <p>
        <a href={hashOf({ ...BOARD, search: token.slice(0, 128) })}>Search for names like it</a>
      </p>
    </div>
  )
}
