/// How far the server's clock is ahead of this browser's, from requests that tell the server's time. The answer with the shortest way
/// is believed: the server read its clock somewhere between question and answer, and half of the way is the best guess.

const KEPT_MS = 10 * 60_000
/// Answers that are compared.
const ANSWERS = 8

export class ClockOffset {
  #ms = 0
  #wayMs = Number.POSITIVE_INFINITY
  #at = 0
  #answers = 0

  /// To be added to this browser's clock.
  get ms(): number {
    return this.#ms
  }

  /// The way of the request that is believed; the offset is not off by more than half of it.
  get wayMs(): number {
    return this.#wayMs
  }

  /// False while more answers would make it better.
  isSure(now: number): boolean {
    return this.#answers >= ANSWERS && now - this.#at < KEPT_MS
  }

  note(askedAt: number, answeredAt: number, serverNow: number): void {
    const wayMs = answeredAt - askedAt
    this.#answers = answeredAt - this.#at < KEPT_MS ? this.#answers + 1 : 1
    if (wayMs > this.#wayMs && answeredAt - this.#at < KEPT_MS) return
    this.#ms = serverNow - (askedAt + answeredAt) / 2
    this.#wayMs = wayMs
    this.#at = answeredAt
  }
}
