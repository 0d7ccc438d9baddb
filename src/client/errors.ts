/// What the server refused, or why it cannot be reached.

export class VolumerError extends Error {
  override readonly name = 'VolumerError'
  /// The problem's type (`unknown-token`), the feed's error code (`tooManyTokens`), or `unreachable`.
  readonly code: string
  /// The HTTP status; null for feeds, and where there was no answer.
  readonly status: number | null
  /// The parameter or field at fault.
  readonly field: string | null
  /// When trying again makes sense; null when the server did not say.
  readonly retryAfterMs: number | null

  constructor(
    message: string,
    about: {
      readonly code: string
      readonly status?: number | null
      readonly field?: string | null
      readonly retryAfterMs?: number | null
      readonly cause?: unknown
    },
  ) {
    super(message, about.cause === undefined ? {} : { cause: about.cause })
    this.code = about.code
    this.status = about.status ?? null
    this.field = about.field ?? null
    this.retryAfterMs = about.retryAfterMs ?? null
  }
}

/// The error that an HTTP answer tells.
export async function errorOf(response: Response): Promise<VolumerError> {
  const text = await response.text()
  let problem: Readonly<Record<string, unknown>> = {}
  try {
    const document: unknown = JSON.parse(text)
    if (typeof document === 'object' && document !== null) problem = { ...document }
  } catch {
    // Not JSON: a proxy's page, say. The status has to do.
  }
  const { type, detail, field } = problem
  const retryAfter = Number(response.headers.get('retry-after') ?? Number.NaN)
  const message = typeof detail === 'string' ? detail : `${response.status} ${response.statusText}`.trim()
  return new VolumerError(message, {
    code: typeof type === 'string' ? type.replace('urn:volumer:problem:', '') : 'http',
    status: response.status,
    field: typeof field === 'string' ? field : null,
    retryAfterMs: Number.isFinite(retryAfter) ? retryAfter * 1000 : null,
  })
}
