import type { UserId } from '../contracts/ids.ts'
import type { Clock } from '../core/clock.ts'

interface Entry<T> {
  readonly asked: Promise<T>
  /** What was read last, while it is being read anew. */
  known: T | null
  atMs: number
}

/** Something about each user that is read often and changes rarely: an answer serves for a while, and whoever asks meanwhile shares it. */
export class KeptByUser<T> {
  readonly #entries = new Map<UserId, Entry<T>>()
  readonly #options: {
    readonly clock: Clock
    readonly keptMs: number
    readonly usersMax: number
    readonly read: (userId: UserId) => Promise<T>
  }

  /** @param options.usersMax users that are remembered; those asked for longest ago are forgotten first */
  constructor(options: { clock: Clock; keptMs: number; usersMax: number; read: (userId: UserId) => Promise<T> }) {
    this.#options = options
  }

  /** At most `keptMs` old. Rejects as `read` does; a failure is not kept. */
  async get(userId: UserId): Promise<T> {
    const { clock, keptMs, usersMax, read } = this.#options
    const nowMs = clock.nowMs()
    const found = this.#entries.get(userId)
    if (found && Math.abs(nowMs - found.atMs) < keptMs) return await found.asked
    const entry: Entry<T> = { asked: read(userId), known: found?.known ?? null, atMs: nowMs }
    this.#entries.delete(userId)
    this.#entries.set(userId, entry)
    const oldest = this.#entries.keys().next()
    if (this.#entries.size > usersMax && !oldest.done) this.#entries.delete(oldest.value)
    try {
      entry.known = await entry.asked
      return entry.known
    } catch (error) {
      if (this.#entries.get(userId) === entry) this.#entries.delete(userId)
      throw error
    }
  }

  /** What was read last, however long ago; null before. */
  known(userId: UserId): T | null {
    return this.#entries.get(userId)?.known ?? null
  }

  /** What is kept counts no longer as new, and stays `known`. Returns whether there is any. */
  expire(userId: UserId): boolean {
    const entry = this.#entries.get(userId)
    if (entry) entry.atMs = Number.NEGATIVE_INFINITY
    return entry !== undefined
  }

  forget(userId: UserId): void {
    this.#entries.delete(userId)
  }
}
