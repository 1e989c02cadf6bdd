/**
 * Live queries for everybody at the cost of one: equal questions share one computation, one answer and one text.
 *
 * A write marks the queries that it touches; a marked query is computed on its next tick, never twice at a time, and
 * at most `parallelMax` of all queries at once, in the order in which they became due; those that nobody has seen an
 * answer of go first. Questions about Cliptape itself have a lane of their own, so that OPS answers while the analytics
 * store is busy, and so has users' SQL, which may take long. Writes that come meanwhile fold into one further computation. So the load depends on distinct queries and the tick, not on subscribers and
 * not on the rate of writing. A query also never takes more than about half of the time for itself: after a
 * computation of d ms it rests as long.
 *
 * A query without watchers is not computed. It is forgotten, unless a session that was cut may still come back for
 * its patches; then its answer is kept as it is.
 *
 * Ticks are real time: they are about load. The windows inside the questions use the world's clock.
 */
import type { BusEvents, BusTopic } from '../../contracts/bus.ts'
import { AppError } from '../../contracts/errors.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { Log } from '../../core/log.ts'
import { LiveQuery, type Watcher } from './live-query.ts'
import type { Change, LiveQuestion } from './source.ts'

export interface LiveLimits {
  /** The shortest time between two computations of one query, in ms. */
  readonly tickMs: number
  /** Computations at once in each lane. */
  readonly parallelMax: number
  /** Distinct queries that are watched or kept. */
  readonly queriesMax: number
}

export const liveLimitsDefault: LiveLimits = { tickMs: 100, parallelMax: 2, queriesMax: 1000 }

/** After a failure a query is tried again by itself, later each time. */
const retryMs = { first: 1000, most: 30_000 } as const
/** How soon a query looks for another world when its own went away; looking costs nothing. */
const goneMs = 250
const restFactor = 1
const sweepMs = 500

export interface LiveStats {
  queries: number
  watchers: number
  computations: number
  failures: number
  publications: number
  frameBytes: number
  /** Milliseconds spent computing, summed. */
  computeMs: number
  waiting: number
}

interface Lane {
  /** Due, in the order of their turns. */
  readonly ready: Scheduled[]
  runningCount: number
}

interface Scheduled {
  readonly query: LiveQuery
  isMarked: boolean
  isRunning: boolean
  /** Ends the computation that runs. */
  stop: AbortController | null
  failureCount: number
  /** Real instants in ms of a monotonic clock. */
  doneAtMs: number
  dueAtMs: number
  timer: NodeJS.Timeout | null
}

export class LiveEngine {
  readonly #log: Log
  readonly #limits: LiveLimits
  readonly #note: (change: Change) => void
  readonly #queries = new Map<string, Scheduled>()
  readonly #lanes: Readonly<Record<LiveQuestion['lane'], Lane>> = {
    measures: { ready: [], runningCount: 0 },
    sql: { ready: [], runningCount: 0 },
    own: { ready: [], runningCount: 0 },
  }
  readonly #stats = { computations: 0, failures: 0, publications: 0, frameBytes: 0, computeMs: 0 }
  readonly #unsubscribe: (() => Promise<void>)[] = []
  readonly #sweep: NodeJS.Timeout
  /** Frees kept queries when the engine is full; the sessions' owner sets it. Returns whether it could. */
  onFull: () => boolean = () => false
  #isClosed = false

  private constructor(log: Log, limits: LiveLimits, note: (change: Change) => void) {
    this.#note = note
    this.#log = log
    this.#limits = limits
    this.#sweep = setInterval(() => this.#markStale(), sweepMs)
    this.#sweep.unref()
  }

  /**
   * Resolves once it listens to the bus.
   * @param deps.lists hears of every change before anything is computed because of it
   */
  static async start(
    deps: { bus: Bus; log: Log; lists?: { note(change: Change): void } },
    limits: LiveLimits = liveLimitsDefault,
  ): Promise<LiveEngine> {
    const engine = new LiveEngine(deps.log, limits, change => deps.lists?.note(change))
    const listen = async <T extends BusTopic>(topic: T, changeOf: (event: BusEvents[T]) => Change) => {
      engine.#unsubscribe.push(await deps.bus.subscribe(topic, event => engine.change(changeOf(event))))
    }
    await listen('samples.written', event => ({ kind: 'samples', event }))
    await listen('metadata.written', event => ({ kind: 'metadata', world: event.world }))
    await listen('own.written', ({ world, userId }) => ({ kind: 'ownSamples', world, userId }))
    await listen('deadletters.changed', () => ({ kind: 'deadLetters' }))
    await listen('watchlists.changed', ({ userId }) => ({ kind: 'watchlists', userId }))
    const stopMedia = await deps.bus.subscribe('media.changed', ({ userId, change }) => {
      if (change.status === 'done') engine.change({ kind: 'media', userId })
    })
    engine.#unsubscribe.push(stopMedia)
    await listen('world.changed', () => ({ kind: 'world' }))
    await listen('niches.changed', () => ({ kind: 'niches' }))
    return engine
  }

  /**
   * The shared query of a question, watched by `watcher` from now on. A new one, or one that nobody watched, is computed
   * at once; the watcher hears of it.
   * @throws AppError RATE_LIMITED when there are too many distinct queries
   */
  watch(question: LiveQuestion, watcher: Watcher): LiveQuery {
    const scheduled = this.#queries.get(question.key) ?? this.#add(question)
    this.#addWatcher(scheduled, watcher)
    return scheduled.query
  }

  /** Watches a query that a session kept: its answer, from which patches go on, may be old and is computed at once. */
  watchKept(query: LiveQuery, watcher: Watcher): void {
    const scheduled = this.#queries.get(query.question.key)
    if (scheduled?.query === query) this.#addWatcher(scheduled, watcher)
    else throw new Error('A kept query was forgotten: its keeper did not count itself.')
  }

  unwatch(query: LiveQuery, watcher: Watcher): void {
    query.watchers.delete(watcher)
    if (query.watchers.size === 0) this.#queries.get(query.question.key)?.stop?.abort()
    this.#forgetIfUnused(query)
  }

  /** Holds on to a query that nobody watches, for a session that may come back. */
  keep(query: LiveQuery): void {
    query.keptBy += 1
  }

  release(query: LiveQuery): void {
    query.keptBy -= 1
    this.#forgetIfUnused(query)
  }

  /** Something happened: every watched query that it touches is computed on its next tick. */
  change(change: Change): void {
    this.#note(change)
    for (const scheduled of this.#queries.values()) {
      const { query } = scheduled
      if (!query.question.isTouchedBy(change)) continue
      if (query.watchers.size > 0) this.#mark(scheduled)
      else if (change.kind === 'world') query.invalidate()
    }
  }

  stats(): LiveStats {
    let watchers = 0
    for (const { query } of this.#queries.values()) watchers += query.watchers.size
    let waiting = 0
    for (const { ready, runningCount } of Object.values(this.#lanes)) waiting += ready.length + runningCount
    return { ...this.#stats, queries: this.#queries.size, watchers, waiting }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#sweep)
    for (const { timer } of this.#queries.values()) if (timer) clearTimeout(timer)
    this.#queries.clear()
    for (const lane of Object.values(this.#lanes)) lane.ready.length = 0
    await Promise.all(this.#unsubscribe.map(stop => stop()))
  }

  #add(question: LiveQuestion): Scheduled {
    while (this.#queries.size >= this.#limits.queriesMax) {
      if (this.onFull()) continue
      throw new AppError('RATE_LIMITED', 'Too many different live queries are watched: close some, or wait a moment.')
    }
    const scheduled: Scheduled = {
      query: new LiveQuery(question),
      isMarked: false,
      isRunning: false,
      stop: null,
      failureCount: 0,
      doneAtMs: Number.NEGATIVE_INFINITY,
      dueAtMs: 0,
      timer: null,
    }
    this.#queries.set(question.key, scheduled)
    return scheduled
  }

  #addWatcher(scheduled: Scheduled, watcher: Watcher): void {
    const wasUnwatched = scheduled.query.watchers.size === 0
    scheduled.query.watchers.add(watcher)
    if (wasUnwatched) this.#mark(scheduled)
  }

  #forgetIfUnused(query: LiveQuery): void {
    if (query.watchers.size > 0 || query.keptBy > 0) return
    const scheduled = this.#queries.get(query.question.key)
    if (scheduled?.query !== query) return
    if (scheduled.timer) clearTimeout(scheduled.timer)
    this.#queries.delete(query.question.key)
  }

  #mark(scheduled: Scheduled): void {
    if (scheduled.isMarked || this.#isClosed || scheduled.query.watchers.size === 0) return
    scheduled.isMarked = true
    if (!scheduled.isRunning) this.#schedule(scheduled)
  }

  #schedule(scheduled: Scheduled): void {
    const waitMs = scheduled.dueAtMs - performance.now()
    const lane = this.#lanes[scheduled.query.question.lane]
    scheduled.timer = setTimeout(
      () => {
        scheduled.timer = null
        const firstAnswered = lane.ready.findIndex(({ query }) => query.hasAnswer)
        if (scheduled.query.hasAnswer || firstAnswered === -1) lane.ready.push(scheduled)
        else lane.ready.splice(firstAnswered, 0, scheduled)
        this.#pump(lane)
      },
      Math.max(0, waitMs),
    )
  }

  #pump(lane: Lane): void {
    while (lane.runningCount < this.#limits.parallelMax) {
      const next = lane.ready.shift()
      if (!next) return
      if (next.query.watchers.size === 0) next.isMarked = false
      else void this.#run(next, lane)
    }
  }

  async #run(scheduled: Scheduled, lane: Lane): Promise<void> {
    const { query } = scheduled
    const startMs = performance.now()
    const stop = new AbortController()
    scheduled.stop = stop
    scheduled.isMarked = false
    scheduled.isRunning = true
    lane.runningCount += 1
    this.#stats.computations += 1
    let retryAfterMs: number | null = null
    try {
      const answer = await query.question.compute(stop.signal)
      if (answer === null) retryAfterMs = goneMs
      else {
        if (!this.#isClosed) this.#publish(query, () => query.accept(answer, performance.now()))
        scheduled.failureCount = 0
      }
    } catch (error) {
      if (!stop.signal.aborted) retryAfterMs = this.#noteFailure(scheduled, error)
    }
    scheduled.stop = null
    const doneMs = performance.now()
    const tookMs = doneMs - startMs
    this.#stats.computeMs += tookMs
    lane.runningCount -= 1
    scheduled.isRunning = false
    scheduled.doneAtMs = doneMs
    // From the start of one computation to the next at least a tick; after a long one a rest in proportion.
    const tickMs = Math.max(this.#limits.tickMs, query.question.tickMs ?? 0)
    scheduled.dueAtMs = Math.max(startMs + tickMs, doneMs + Math.min(restFactor * tookMs, retryMs.most))
    if (retryAfterMs !== null) this.#retryLater(scheduled, retryAfterMs)
    else if (scheduled.isMarked) this.#schedule(scheduled)
    this.#pump(lane)
  }

  /** Tells the watchers. @returns after how long it is tried again; null for what fails until something changes */
  #noteFailure(scheduled: Scheduled, error: unknown): number | null {
    const { query } = scheduled
    this.#stats.failures += 1
    const retryAfterMs = Math.min(retryMs.most, retryMs.first * 2 ** scheduled.failureCount)
    scheduled.failureCount = Math.min(scheduled.failureCount + 1, 10)
    if (!(error instanceof AppError))
      this.#log.error({ err: error, query: query.question.name }, 'A live query failed.')
    if (!this.#isClosed) query.fail(error)
    // The user's own mistake: the same text fails again.
    const isFinal = query.question.lane === 'sql' && error instanceof AppError && !error.isRetryable
    return isFinal ? null : retryAfterMs
  }

  #retryLater(scheduled: Scheduled, retryAfterMs: number): void {
    if (this.#isClosed || scheduled.query.watchers.size === 0) {
      scheduled.isMarked = false
      return
    }
    scheduled.isMarked = true
    scheduled.dueAtMs = performance.now() + retryAfterMs
    this.#schedule(scheduled)
  }

  #publish(query: LiveQuery, accept: () => number): void {
    const before = query.version
    const duplicateCount = accept()
    if (duplicateCount > 0) {
      this.#log.error({ query: query.question.name, duplicateCount }, 'A live query gave rows with one key twice.')
    }
    if (query.version === before) return
    this.#stats.publications += 1
    this.#stats.frameBytes += query.lastFrameBytes
  }

  #markStale(): void {
    const nowMs = performance.now()
    for (const scheduled of this.#queries.values()) {
      if (scheduled.query.watchers.size === 0) continue
      const staleAfterMs = scheduled.query.question.staleAfterMs()
      if (staleAfterMs !== null && nowMs - scheduled.doneAtMs >= staleAfterMs) this.#mark(scheduled)
    }
  }
}
