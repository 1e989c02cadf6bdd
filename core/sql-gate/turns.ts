import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { Slots } from '../slots.ts'

/** Queries of all users of one process that run at once, and that wait for it. */
export const everybodysTurns = { concurrentMax: 16, queuedMax: 64 } as const

/** Whose turn it is to run SQL: some queries of each user at once, some of everybody. */
export class QueryTurns {
  readonly #everybody = new Slots(everybodysTurns)
  readonly #running = new Map<UserId, number>()

  /**
   * @param atOnceMax queries of the user that may run or wait together; null where whoever asks counts by other means
   * @returns gives the turn back, once
   * @throws AppError RATE_LIMITED when the user has too many; UNAVAILABLE when everybody has; QUERY_LIMIT when whoever asks
   *   went away meanwhile
   */
  async take(userId: UserId, atOnceMax: number | null, signal?: AbortSignal): Promise<() => void> {
    const leave = atOnceMax === null ? () => {} : this.#enter(userId, atOnceMax)
    const gone = signal ?? new AbortController().signal
    const giveBack = await this.#everybody.take(gone)
    if (giveBack !== null) {
      return () => {
        giveBack()
        leave()
      }
    }
    leave()
    if (gone.aborted) throw new AppError('QUERY_LIMIT', 'The query was stopped while it waited for its turn.')
    throw new AppError('UNAVAILABLE', 'Too many queries of everybody wait for their turn: try again in a moment.')
  }

  #enter(userId: UserId, atOnceMax: number): () => void {
    const count = this.#running.get(userId) ?? 0
    if (count >= atOnceMax) {
      throw new AppError(
        'RATE_LIMITED',
        `${count} of your queries run already, as many as your plan allows: wait for one, or stop it.`,
      )
    }
    this.#running.set(userId, count + 1)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      const left = (this.#running.get(userId) ?? 1) - 1
      if (left > 0) this.#running.set(userId, left)
      else this.#running.delete(userId)
    }
  }
}
