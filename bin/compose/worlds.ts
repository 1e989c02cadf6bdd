/**
 * Which numbers the screen shows. There are three states, and no way to mix them:
 *
 * - **sample**: nothing real is there, so the shipped sample plays in the replay world, and the notice says so;
 * - **replay**: the user asked for a file to be played; it stays until it is stopped, even beside real rows;
 * - **real**: the world of imports and sources. Its clock is the wall clock while readings are fresh. When the newest one
 *   is older than a day and a half (somebody imported history) windows that end now would all be empty, so the clock
 *   stands at the newest reading, and the notice says that.
 *
 * A sample ends by itself when the first real rows are durable. In a cluster, where servers share the stores, nothing is
 * replayed: the screen is empty until somebody imports.
 */
import type { ReplayRequest } from '../../contracts/control.ts'
import { AppError } from '../../contracts/errors.ts'
import type { WorldStatus } from '../../contracts/ws.ts'
import type { Bus } from '../../core/bus/port.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { World } from '../../core/world.ts'
import { type Replay, type ReplayDeps, sampleFile, startReplay } from '../../ingest/replay.ts'

/** A day of the sample lasts half a minute. */
const sampleSpeed = 2_880
/** Half of the fifth day's readings are there at once, so that the first screen has gains. */
const samplePreloadDays = 4.5
/** The look-back of a value (docs/metrics.md): readings older than this are stale in any short window. */
const freshMs = 36 * 3_600_000
/** While real rows pour in, what is known of them is read again at most this often. */
const rereadMs = 2_000

export interface Worlds {
  /** What is shown now. Asked anew for every computation: it changes. */
  current(): World
  status(): WorldStatus
  /** Plays a file instead of whatever is shown. */
  startReplay(request: ReplayRequest): Promise<WorldStatus>
  /** Ends a replay that was asked for and goes back to real rows, or to the sample when there are none. */
  stopReplay(): Promise<WorldStatus>
  close(): Promise<void>
}

type State =
  | { kind: 'replay'; isSample: boolean; replay: Replay }
  | { kind: 'real'; newestAtMs: number | null; sources: string[] }

export interface WorldsDeps extends Omit<ReplayDeps, 'clock'> {
  readonly store: AnalyticsStore
  readonly bus: Bus
  readonly log: Log
  /** Whether this process has the replay's database to itself; in a cluster other servers would write it as well. */
  readonly canReplay: boolean
  /** Played from the start, whatever is in the store. */
  readonly replay?: ReplayRequest | undefined
}

/** Decides by what is in the store, and begins to play the sample when that is nothing. */
export async function openWorlds(deps: WorldsDeps): Promise<Worlds> {
  const replayDeps: ReplayDeps = { ...deps, clock: systemClock }
  const playSample = async (): Promise<State> => ({
    kind: 'replay',
    isSample: true,
    replay: await startReplay(replayDeps, {
      file: sampleFile,
      speed: sampleSpeed,
      loop: true,
      preloadDays: samplePreloadDays,
    }),
  })
  const realOrSample = async (): Promise<State> => {
    const real = await readReal(deps.store)
    return real.newestAtMs === null && deps.canReplay ? playSample() : real
  }

  const playFile = async (request: ReplayRequest): Promise<State> => ({
    kind: 'replay',
    isSample: false,
    replay: await startReplay(replayDeps, {
      file: request.file,
      speed: request.speed,
      loop: request.loop,
      ...(request.as === undefined ? {} : { format: request.as }),
    }),
  })

  let state = await (deps.replay ? playFile(deps.replay) : realOrSample())
  /** Changes follow one another: two at once would both end the same replay. */
  let last: Promise<unknown> = Promise.resolve()
  const change = (next: () => Promise<State | null>): Promise<WorldStatus> => {
    const result = last.then(async () => {
      const following = await next()
      if (following === null) return statusOf(state)
      state = following
      await deps.bus.publish('world.changed', statusOf(state))
      return statusOf(state)
    })
    last = result.catch(() => undefined)
    return result
  }
  const endReplay = async (): Promise<void> => {
    if (state.kind === 'replay') await state.replay.stop()
  }

  const lookAgain = async (): Promise<State | null> => {
    // Decided here, not when the event came: another change may have run between.
    if (state.kind === 'replay' && !state.isSample) return null
    const real = await readReal(deps.store)
    if (real.newestAtMs === null || isSameReal(state, real)) return null
    const ending = state
    // Nobody looks at the sample any more when its tables go.
    state = real
    if (ending.kind === 'replay') await ending.replay.stop()
    return real
  }
  let timer: NodeJS.Timeout | null = null
  const unsubscribe = await deps.bus.subscribe('samples.written', event => {
    if (event.world !== 'cliptape' || timer !== null) return
    const waitMs = state.kind === 'real' ? rereadMs : 0
    timer = setTimeout(() => {
      timer = null
      change(lookAgain).catch(err => deps.log.error({ err }, 'The world could not be changed after real rows came.'))
    }, waitMs)
  })

  return {
    current: () => worldOf(state),
    status: () => statusOf(state),
    startReplay: request =>
      change(async () => {
        if (!deps.canReplay)
          throw new AppError(
            'NOT_CONFIGURED',
            'Replays belong to the embedded profile: here several servers share one store.',
          )
        await endReplay()
        try {
          return await playFile(request)
        } catch (error) {
          state = await realOrSample()
          throw error
        }
      }),
    stopReplay: () =>
      change(async () => {
        if (state.kind !== 'replay' || state.isSample) return null
        await endReplay()
        return realOrSample()
      }),
    async close() {
      await unsubscribe()
      if (timer !== null) clearTimeout(timer)
      await last
      await endReplay()
    },
  }
}

async function readReal(store: AnalyticsStore): Promise<Extract<State, { kind: 'real' }>> {
  const [row] = await store.query<{ rowCount: number; newestAtMs: number; sources: string[] }>(
    `SELECT count() AS rowCount, toUnixTimestamp64Milli(max(observed_at)) AS newestAtMs,
       arraySort(groupUniqArray(20)(source)) AS sources
     FROM cliptape.samples_v1`,
    { tag: 'worlds' },
  )
  if (!row || row.rowCount === 0) return { kind: 'real', newestAtMs: null, sources: [] }
  return { kind: 'real', newestAtMs: row.newestAtMs, sources: row.sources }
}

function isSameReal(state: State, real: Extract<State, { kind: 'real' }>): boolean {
  if (state.kind !== 'real') return false
  const hasSameSources = state.sources.join() === real.sources.join()
  // While readings are fresh the clock is the wall's and the newest instant is of no interest.
  return (
    hasSameSources && (state.newestAtMs === real.newestAtMs || (isFresh(state.newestAtMs) && isFresh(real.newestAtMs)))
  )
}

function isFresh(newestAtMs: number | null): boolean {
  return newestAtMs !== null && systemClock.nowMs() - newestAtMs < freshMs
}

function worldOf(state: State): World {
  return state.kind === 'replay' ? state.replay.world : { database: 'cliptape', clock: clockOf(state.newestAtMs) }
}

function clockOf(newestAtMs: number | null): Clock {
  if (newestAtMs === null || isFresh(newestAtMs)) return systemClock
  return { speed: 0, nowMs: () => newestAtMs }
}

function statusOf(state: State): WorldStatus {
  if (state.kind === 'replay') return state.replay.status()
  const clock = clockOf(state.newestAtMs)
  const isLive = clock === systemClock
  return {
    mode: state.newestAtMs === null ? 'empty' : isLive ? 'live' : 'history',
    notice: noticeOf(state, isLive),
    now: new Date(clock.nowMs()).toISOString(),
    speed: clock.speed,
    sources: state.sources,
  }
}

function noticeOf(state: Extract<State, { kind: 'real' }>, isLive: boolean): string {
  if (state.newestAtMs === null) return 'No numbers yet: import a file (cliptape import <file>).'
  if (isLive) return 'Your own data. Readings are fresh.'
  const day = new Date(state.newestAtMs).toISOString().slice(0, 10)
  return `Imported history up to ${day}; windows end there. Not live data.`
}
