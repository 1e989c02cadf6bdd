/** A bounded number of turns at once and a bounded queue for more, first come first served. */
export class Slots {
  readonly #concurrentMax: number
  readonly #queuedMax: number
  readonly #waiting: { start: () => void }[] = []
  #running = 0

  constructor(o: { concurrentMax: number; queuedMax: number }) {
    this.#concurrentMax = o.concurrentMax
    this.#queuedMax = o.queuedMax
  }

  get runningCount(): number {
    return this.#running
  }

  /**
   * Waits for a turn.
   *
   * @param gone aborted when whoever waits went away
   * @returns gives the turn back, or null when the queue is full or `gone` came first
   */
  async take(gone: AbortSignal): Promise<(() => void) | null> {
    if (gone.aborted) return null
    if (this.#running >= this.#concurrentMax) {
      if (this.#waiting.length >= this.#queuedMax) return null
      if (!(await this.#wait(gone))) return null
    } else {
      this.#running += 1
    }
    let isGiven = false
    return () => {
      if (isGiven) return
      isGiven = true
      const next = this.#waiting.shift()
      if (next) next.start()
      else this.#running -= 1
    }
  }

  /** The turn is handed over, never freed in between, so nobody can slip in front. */
  #wait(gone: AbortSignal): Promise<boolean> {
    return new Promise(resolve => {
      const waiter = {
        start: () => {
          gone.removeEventListener('abort', leave)
          resolve(true)
        },
      }
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        resolve(false)
      }
      gone.addEventListener('abort', leave, { once: true })
      this.#waiting.push(waiter)
    })
  }
}
