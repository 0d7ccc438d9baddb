/// What passes: a gap that was healed, a connection that is back.

import type { Session } from '../session/session.js'

export function Notices({ session }: { readonly session: Session }) {
  return (
    <div class="notices" role="status">
      {session.notices.value.map(({ id, text }) => (
        <p key={id} class="notice">
          <span>{text}</span>
          <button type="button" aria-label="Dismiss" onClick={() => session.dismiss(id)}>
            <svg viewBox="0 0 10 10" aria-hidden="true">
              <path d="M2 2l6 6M8 2l-6 6" />
            </svg>
          </button>
        </p>
      ))}
    </div>
  )
}
