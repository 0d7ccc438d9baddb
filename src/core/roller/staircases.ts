/// The queues of extremes (extremes.ts), built from the newest value to the oldest: how a restart comes upon them. A
/// value joins when it is larger than all newer ones, so nothing that joined ever has to go.

import { grownFloat64, grownInt32 } from './columns.js'
import type { Extremes } from './extremes.js'

const NONE = -1

export class Staircases {
  /// The newest entry that joined, by queue: the oldest, and the largest.
  #top = new Int32Array(256).fill(NONE)
  #tick = new Int32Array(1024)
  #value = new Float64Array(1024)
  /// The entry that joined before, which is newer.
  #newer = new Int32Array(1024)
  #count = 0

  /// Offers a value; ticks must not increase.
  offer(queue: number, tick: number, value: number): void {
    const top = queue < this.#top.length ? (this.#top[queue] as number) : NONE
    if (top !== NONE && (this.#value[top] as number) >= value) return
    this.#push(queue, top, tick, value)
  }

  /// Moves everything into queues that are empty.
  settle(extremes: Extremes): void {
    for (let queue = 0; queue < this.#top.length; queue++) {
      for (let at = this.#top[queue] as number; at !== NONE; at = this.#newer[at] as number) {
        extremes.add(queue, this.#tick[at] as number, this.#value[at] as number, NEVER_PAST)
      }
    }
    this.#top.fill(NONE)
    this.#count = 0
  }

  #push(queue: number, newer: number, tick: number, value: number): void {
    if (queue >= this.#top.length) {
      const top = grownInt32(this.#top, queue + 1)
      top.fill(NONE, this.#top.length)
      this.#top = top
    }
    const at = this.#count++
    if (at === this.#tick.length) {
      this.#tick = grownInt32(this.#tick, at + 1)
      this.#value = grownFloat64(this.#value, at + 1)
      this.#newer = grownInt32(this.#newer, at + 1)
    }
    this.#tick[at] = tick
    this.#value[at] = value
    this.#newer[at] = newer
    this.#top[queue] = at
  }
}

const NEVER_PAST = Number.NEGATIVE_INFINITY
