/// The queues of extremes (extremes.ts), built from the newest value to the oldest: how a restart comes upon them. A
/// value joins when it is larger than all newer ones, so nothing that joined ever has to go.

import { grownFloat64, grownInt32 } from '../tables/columns.js'
import type { Extremes } from '../view/extremes.js'

const NEVER_PAST = Number.NEGATIVE_INFINITY

const NONE = -1

export class Staircases {
  /// By queue: the oldest entry that joined, and its value, which is the largest.
  readonly #top: Int32Array
  readonly #most: Float64Array
  #tick = new Int32Array(1024)
  #value = new Float64Array(1024)
  /// The entry that joined before, which is newer.
  #newer = new Int32Array(1024)
  #count = 0

  constructor(queues: number) {
    this.#top = new Int32Array(queues).fill(NONE)
    this.#most = new Float64Array(queues).fill(Number.NEGATIVE_INFINITY)
  }

  /// Offers a value; ticks must not increase.
  offer(queue: number, tick: number, value: number): void {
    if (this.wants(queue, value)) this.#push(queue, tick, value)
  }

  /// Whether a value would join.
  wants(queue: number, value: number): boolean {
    return value > (this.#most[queue] as number)
  }

  /// Moves everything into queues that are empty.
  settle(extremes: Extremes): void {
    for (let queue = 0; queue < this.#top.length; queue++) {
      for (let at = this.#top[queue] as number; at !== NONE; at = this.#newer[at] as number) {
        extremes.add(queue, this.#tick[at] as number, this.#value[at] as number, NEVER_PAST)
      }
    }
  }

  #push(queue: number, tick: number, value: number): void {
    const at = this.#count++
    if (at === this.#tick.length) {
      this.#tick = grownInt32(this.#tick, at + 1)
      this.#value = grownFloat64(this.#value, at + 1)
      this.#newer = grownInt32(this.#newer, at + 1)
    }
    this.#tick[at] = tick
    this.#value[at] = value
    this.#newer[at] = this.#top[queue] as number
    this.#top[queue] = at
    this.#most[queue] = value
  }
}
