/// Lets somebody sleep until there is something to do. A call of `wake` before `sleep` is not lost.
export class Doorbell {
  #rung = false
  #wake: (() => void) | null = null

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /// Resolves at once when it was rung since the last time.
  async sleep(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
      this.#wake = null
    }
    this.#rung = false
  }
}
