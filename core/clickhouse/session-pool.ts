import { Session } from 'chdb'

/** Sessions kept open though nobody uses them; opening one takes about 2 ms. */
const idleMax = 16

/**
 * Sessions of one engine, kept apart by their settings: settings stick to a session, so one opened with some is only
 * ever used again for exactly the same. A session runs one statement at a time.
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
    try {
      return await work(session)
    } finally {
      this.#idle.push({ key, session })
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
