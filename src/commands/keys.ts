/// `volumer keys`: makes, lists and revokes API keys.

import { randomBytes } from 'node:crypto'
import { FileApiKeys } from '../adapters/file/api-keys.js'
import type { Config } from '../config.js'
import { hashOf } from '../delivery/guard/guard.js'
import { SCOPES, type Scope } from '../ports/api-keys.js'
import { pause } from '../ports/pause.js'
import type { CommandContext } from './context.js'
import { CommandError, EXIT, type ExitCode } from './failure.js'
import { isoSecond } from './stats.js'
import { columnsText, printable } from './table.js'

export type KeysCommand =
  | { readonly do: 'create'; readonly name: string; readonly scopes: readonly Scope[] }
  | { readonly do: 'list' }
  | { readonly do: 'revoke'; readonly id: string }

const KEY_BYTES = 32
const ID_BYTES = 4

export async function keys(
  { keysFile }: Config,
  command: KeysCommand,
  { clock, stdout, stderr }: CommandContext,
): Promise<ExitCode> {
  const store = await FileApiKeys.open(keysFile, ms => pause(clock, ms))
  switch (command.do) {
    case 'create': {
      // The prefix lets scanners for leaked secrets find it.
      const key = `volumer_${randomBytes(KEY_BYTES).toString('base64url')}`
      const id = randomBytes(ID_BYTES).toString('hex')
      const { name, scopes } = command
      await store.add({ id, name, scopes, hash: hashOf(key), createdAt: clock.now(), revokedAt: null })
      stdout.write(`${key}\n`)
      stderr.write(
        `Key ${id} (${scopes.join(', ')}) is in ${keysFile}, as its hash: this is the only time it is shown.\n`,
      )
      return EXIT.done
    }
    case 'list': {
      const second = (ms: number) => isoSecond(Math.floor(ms / 1000) * 1000)
      const rows = store
        .list()
        .map(({ id, name, scopes, createdAt, revokedAt }) => [
          id,
          printable(name),
          scopes.join(','),
          second(createdAt),
          revokedAt === null ? '-' : second(revokedAt),
        ])
      stdout.write(columnsText([['id', 'name', 'scopes', 'created', 'revoked'], ...rows]))
      return EXIT.done
    }
    case 'revoke':
      if (!(await store.revoke(command.id, clock.now()))) {
        throw new CommandError(`${command.id}: there is no such key in ${keysFile}, or it was revoked before`)
      }
      stdout.write(`Key ${command.id} is revoked.\n`)
      return EXIT.done
    default:
      return command satisfies never
  }
}

/// `read,ingest`. Throws CommandError for anything else.
export function parseScopes(text: string): readonly Scope[] {
  const wanted = text.split(',').map(each => each.trim())
  const wrong = wanted.find(each => !SCOPES.some(scope => scope === each))
  if (wrong !== undefined || text === '') {
    throw new CommandError(`--scope ${text}: wants a list of ${SCOPES.join(', ')}`, EXIT.usage)
  }
  return SCOPES.filter(scope => wanted.includes(scope))
}
