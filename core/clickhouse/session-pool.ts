import { Session } from 'chdb'

/** Sessions kept open though nobody uses them; opening one takes about 2 ms. */
const idleMax = 16

/**
 * Sessions of one engine, kept apart by their settings: settings stick to a session, so one opened with some is only
 * ever used again for exactly the same. A session runs one statement at a time. One whose statement failed or was left
 * half read is never used again: the engine keeps what it had written of that result and puts it in front of the next.
 */
export class SessionPool {
  readonly #dataDir: string
  readonly #idle: { key: string; session: Session }[] = []

  constructor(dataDir: string) {
    this.#dataDir = dataDir
  }

  /** @param args command line settings, e.g. `--max_threads=1`; their order matters (`--readonly=1` last) */
  async use<T>(args: readonly string[], work: (session: Session) => Promise<T>): Promise<T> {
    const key = args.join('\n')
    const session = this.#take(key) ?? new Session(this.#dataDir, { connectionArgs: args })
    let isClean = false
    try {
      const answer = await work(session)
      isClean = true
      return answer
    } finally {
      if (isClean) this.#idle.push({ key, session })
      else session.close()
      if (this.#idle.length > idleMax) this.#idle.shift()?.session.close()
    }
  }

  close(): void {
    for (const { session } of this.#idle.splice(0)) session.close()
  }

  #take(key: string): Session | null {
    const index = this.#idle.findLastIndex(idle => idle.key === key)
    return index < 0 ? null : (this.#idle.splice(index, 1)[0]?.session ?? null)
  }
}
