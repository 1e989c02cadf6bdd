import { type Failure, frameBytes, type LiveQuery, type SharedFrame, type Watcher } from '../live/live-query.ts'

/** The connection's side of a subscription. */
export interface Outlet {
  /** Whether the client reads too slowly for anything but what must be said. */
  isBacklogged(): boolean
  send(bytes: Buffer): void
  sendError(error: { id: string } & Failure): void
  onSkipped(): void
}

/**
 * One subscription of one connection: decides between patch, snapshot and silence. It skips patches while the client
 * is behind, then sends one fresh snapshot: what waits for a slow client never grows with time.
 */
export class Subscription implements Watcher {
  readonly id: string
  readonly #outlet: Outlet
  #sentVersion: number | null = null
  #isBehind = false

  constructor(id: string, outlet: Outlet) {
    this.id = id
    this.#outlet = outlet
  }

  /** What a new subscriber is told at once: the answer, or why there is none; nothing when it is still being computed. */
  greet(query: LiveQuery): void {
    if (query.hasAnswer) this.#sendSnapshot(query)
    if (query.failure) this.onFailure(query, query.failure)
  }

  /** What a returning subscriber is told: the patches since `version`, or the whole answer. */
  resume(query: LiveQuery, version: number): void {
    const patches = query.patchesSince(version)
    if (patches === null) return this.greet(query)
    this.#sentVersion = version
    for (const patch of patches) this.onVersion(query, patch)
    if (query.failure) this.onFailure(query, query.failure)
  }

  onVersion(query: LiveQuery, frame: SharedFrame): void {
    if (this.#isBehind || this.#outlet.isBacklogged()) this.#skip()
    else if (frame.type === 'patch' && this.#sentVersion !== frame.version - 1) this.#sendSnapshot(query)
    else this.#sendFrame(frame)
  }

  onFailure(_query: LiveQuery, failure: Failure): void {
    if (this.#isBehind || this.#outlet.isBacklogged()) this.#skip()
    else this.#outlet.sendError({ id: this.id, ...failure })
  }

  /** The client has read what was waiting: one snapshot makes up for everything that was skipped. */
  catchUp(query: LiveQuery): void {
    if (!this.#isBehind || this.#outlet.isBacklogged()) return
    this.#isBehind = false
    this.greet(query)
  }

  #skip(): void {
    this.#isBehind = true
    this.#outlet.onSkipped()
  }

  #sendSnapshot(query: LiveQuery): void {
    if (this.#outlet.isBacklogged()) this.#skip()
    else this.#sendFrame(query.snapshot())
  }

  #sendFrame(frame: SharedFrame): void {
    this.#sentVersion = frame.version
    this.#outlet.send(frameBytes(frame, this.id))
  }
}
