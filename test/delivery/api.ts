/// A running web role and its documents, to hold one against the other.

import type { TestContext } from 'node:test'
import { Api } from './documents.js'
import { type Running, type Setting, startWeb } from './web-harness.js'

export interface RunningApi extends Api {
  readonly running: Running
  /// Calls the server; the answer must be as the operation documents it.
  call(
    method: string,
    path: string,
    target: string,
    init?: RequestInit,
  ): Promise<{ status: number; text: string }>
}

export async function api(t: TestContext, setting: Setting = {}): Promise<RunningApi> {
  const running = await startWeb(t, setting)
  const documents = await Api.of(running.url)
  return Object.assign(documents, {
    running,
    async call(method: string, path: string, target: string, init: RequestInit = {}) {
      const response = await fetch(running.url + target, { ...init, method })
      const text = await response.text()
      documents.assertAnswer(method, path, response.status, response.headers.get('content-type'), text)
      return { status: response.status, text }
    },
  })
}
