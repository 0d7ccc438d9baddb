/// The whole page: header, what is to be said about the connection, the view.

import { useEffect, useState } from 'preact/hooks'
import { Board } from '../board/board.js'
import { Pulse } from '../pulse/pulse.js'
import { view } from '../route/navigation.js'
import type { View } from '../route/route.js'
import { Session } from '../session/session.js'
import { TokenPage } from '../token/token-page.js'
import { Banner } from './banner.js'
import { Header } from './header.js'
import { keep, kept } from './kept.js'
import { KeyForm } from './key-form.js'
import { Notices } from './notices.js'

export function App({ url }: { readonly url: string }) {
  const [session, setSession] = useState<Session | null>(null)
  const connect = (key: string | null) =>
    setSession(before => {
      before?.end()
      const fresh = new Session({ url, key })
      void fresh.start()
      return fresh
    })
  useEffect(() => connect(kept('key')), [])
  useEffect(() => {
    document.title = titleOf(view.value)
  }, [view.value])
  if (session === null) return null

  const phase = session.phase.value
  const refused = phase.is === 'refused'
  return (
    <>
      <Header session={session} view={view.value} onForgetKey={() => forgetKey(connect)} />
      <Banner session={session} onReconnect={() => connect(kept('key'))} />
      {refused ? (
        <KeyForm
          code={phase.code}
          message={phase.message}
          onKey={(key, until) => {
            keep('key', key, until)
            connect(key)
          }}
        />
      ) : (
        <Shown session={session} view={view.value} />
      )}
      <Notices session={session} />
    </>
  )
}

function Shown({ session, view: shown }: { readonly session: Session; readonly view: View }) {
  switch (shown.at) {
    case 'board':
      return <Board session={session} view={shown} />
    case 'token':
      return <TokenPage key={shown.token} session={session} view={shown} />
    case 'pulse':
      return <Pulse session={session} />
    default:
      return shown satisfies never
  }
}

function titleOf(shown: View): string {
  switch (shown.at) {
    case 'board':
      return 'Volumer'
    case 'token':
      return `${shown.token} · Volumer`
    case 'pulse':
      return 'Pulse · Volumer'
    default:
      return shown satisfies never
  }
}

function forgetKey(connect: (key: string | null) => void): void {
  keep('key', null)
  connect(null)
}
