import type { UserId } from '../../contracts/ids.ts'
import type { LiveEngine } from '../live/engine.ts'
import type { LiveQuery } from '../live/live-query.ts'

/** Sessions that were cut and may come back. The oldest goes first when there are too many. */
export const sessionLimits = { keptMax: 500, keptMs: 5 * 60_000 } as const

interface CutSession {
  readonly userId: UserId
  readonly queries: ReadonlyMap<string, LiveQuery>
  readonly timer: NodeJS.Timeout
}

/**
 * What a client finds again when it reconnects: the queries behind its subscription ids, with the patches that it missed.
 * Holding a query costs its answer and its ring of patches, and no computation.
 */
export class Sessions {
  readonly #engine: LiveEngine
  readonly #cut = new Map<string, CutSession>()

  constructor(engine: LiveEngine) {
    this.#engine = engine
    engine.onFull = () => this.#forgetOldest()
  }

  get count(): number {
    return this.#cut.size
  }

  /** Keeps the queries of a connection that ended; must run while they are still watched. */
  cut(sessionId: string, userId: UserId, queries: ReadonlyMap<string, LiveQuery>): void {
    if (queries.size === 0) return
    if (this.#cut.size >= sessionLimits.keptMax) this.#forgetOldest()
    for (const query of queries.values()) this.#engine.keep(query)
    const timer = setTimeout(() => this.#forget(sessionId), sessionLimits.keptMs)
    timer.unref()
    this.#cut.set(sessionId, { userId, queries, timer })
  }

  /**
   * Hands a session's queries to its returning user, once. The caller watches those it wants inside `use`; afterwards
   * the session is forgotten. Another user's session, or none by that id, is an empty map.
   */
  resume(sessionId: string, userId: UserId, use: (queries: ReadonlyMap<string, LiveQuery>) => void): void {
    const session = this.#cut.get(sessionId)
    use(session?.userId === userId ? session.queries : new Map())
    if (session?.userId === userId) this.#forget(sessionId)
  }

  close(): void {
    for (const id of [...this.#cut.keys()]) this.#forget(id)
  }

  #forgetOldest(): boolean {
    const oldest = this.#cut.keys().next()
    if (oldest.done) return false
    this.#forget(oldest.value)
    return true
  }

  #forget(sessionId: string): void {
    const session = this.#cut.get(sessionId)
    if (!session) return
    clearTimeout(session.timer)
    this.#cut.delete(sessionId)
    for (const query of session.queries.values()) this.#engine.release(query)
  }
}
