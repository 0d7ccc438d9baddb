/// Which web pages may talk to the server. A browser sends the page's `Origin`; other programs send none.

const ALLOWED_HEADERS =
  'Authorization, X-API-Key, Content-Type, Content-Encoding, If-None-Match, Last-Event-ID'
const EXPOSED_HEADERS = 'ETag, Retry-After, RateLimit, RateLimit-Policy'
const PREFLIGHT_SECONDS = '600'

export class Origins {
  readonly #allowed: ReadonlySet<string>
  readonly #all: boolean

  /// `*` allows every page; else each is an origin such as `https://app.example`.
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed)
    this.#all = this.#allowed.has('*')
  }

  /// Whether pages of other sites are allowed at all.
  get any(): boolean {
    return this.#allowed.size > 0
  }

  /// Whether the request comes from a page of a site that is neither this one nor allowed. `host` is the request's own.
  refuses(origin: string | undefined, host: string | undefined): boolean {
    if (origin === undefined) return false
    return !this.#allows(origin) && !isSame(origin, host)
  }

  /// The headers that let an allowed page read the answer; empty for all others.
  headers(origin: string | undefined): Readonly<Record<string, string>> {
    if (this.#allowed.size === 0) return {}
    // Caches must not give one page's answer to another.
    if (origin === undefined || !this.#allows(origin)) return { vary: 'Origin' }
    return {
      vary: 'Origin',
      'access-control-allow-origin': this.#all ? '*' : origin,
      'access-control-expose-headers': EXPOSED_HEADERS,
    }
  }

  /// The answer to a preflight; null when the page may not.
  preflight(origin: string | undefined): Readonly<Record<string, string>> | null {
    if (origin === undefined || !this.#allows(origin)) return null
    return {
      ...this.headers(origin),
      'access-control-allow-methods': 'GET, HEAD, POST',
      'access-control-allow-headers': ALLOWED_HEADERS,
      'access-control-max-age': PREFLIGHT_SECONDS,
    }
  }

  #allows(origin: string): boolean {
    return this.#all || this.#allowed.has(origin)
  }
}

function isSame(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
