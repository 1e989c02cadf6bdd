/** Rows on their way to the stores while the next ones are asked for. */
export class Keeping {
  readonly #under = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | null = null

  /** Takes work that was begun; who added it learns of a failure from `room` or `all`. */
  add(work: Promise<void>): void {
    const guarded: Promise<void> = work
      .catch(error => {
        this.#failure ??= { error }
      })
      .finally(() => this.#under.delete(guarded))
    this.#under.add(guarded)
  }

  /** Resolves when fewer than `max` are under way. @throws what the first failed one said */
  async room(max: number): Promise<void> {
    while (this.#failure === null && this.#under.size >= max) await Promise.race(this.#under)
    this.#throwFailure()
  }

  /** Resolves when nothing is under way any more. @throws what the first failed one said */
  async all(): Promise<void> {
    await Promise.all(this.#under)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error
  }
}
