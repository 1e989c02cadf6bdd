/**
 * Starts of windows, ready to be joined: `starts_v1` holds builds, each for one hour that windows begin in, and here it
 * is known which of them are still true.
 *
 * A window's start is otherwise put together from a boundary and the readings after it, which costs as much again as
 * all the rest of a ranked list. A build is made beside, when windows that begin within an hour have been asked for twice, from
 * boundaries that are settled on both sides of that hour; it is true until anything is settled anew or a cell that it
 * stands on becomes unsettled. Rows can get lost (a world is dropped and made anew, the build expires): who finds a start in it may
 * believe that, who does not must see that all rows are there (`rowCount`) before taking it for none.
 */
import { z } from 'zod'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import { systemClock } from '../../core/clock.ts'
import type { WorldDatabase } from '../../core/world.ts'
import { cellMs, planInstant, type RollupState, readingAt, readRollupState } from '../boundaries.ts'
import { type QueryTarget, runCommand, runQuery, sqlPart, wholeNumber } from './run-query.ts'

const hourMs = 3_600_000
const asksMin = 2
/** Hours of which something is known, per world; the one that was asked for longest ago goes first. */
const hoursMax = 16
/** Readings within one hour: beyond that, a build would be too large to be worth its room. */
const readingsMax = 4_000_000
/** After a build, this many times as long without one. */
const restFactor = 4
/** A build expires in the engine after this long; an hour before, it is made anew. */
const keptMsMax = 12 * hourMs

/** A partition of `starts_v1`, and how many rows it was made with. */
export interface StartBuild {
  readonly id: number
  readonly rowCount: number
}

interface Hour {
  askCount: number
  build: { readonly made: StartBuild; readonly madeAtMs: number } | null
}

class WorldStarts {
  /** The state that all builds belong to. */
  settledKey = ''
  readonly hours = new Map<number, Hour>()
  /** Builds that nobody asks for any more. */
  readonly left = new Set<number>()
  building: Promise<void> | null = null
  nextAtMs = Number.NEGATIVE_INFINITY
}
const known = new WeakMap<AnalyticsStore, Map<WorldDatabase, WorldStarts>>()

/**
 * The build that windows which begin at `fromMs` may start from; `null` when there is none.
 * @param backMs the window's look-back
 */
export function startBuildOf(
  target: QueryTarget,
  state: RollupState,
  fromMs: number,
  backMs: number,
): StartBuild | null {
  const starts = startsOf(target)
  if (starts.settledKey !== state.settledKey || !isSettledAround(state, fromMs, backMs)) return null
  return freshBuild(starts.hours.get(hourOf(fromMs)))
}

/**
 * Says that a window which begins at `fromMs` was asked for: the second time a build is made, unless one is on its way.
 * Resolves when nothing is left to do.
 *
 * @param state read before the window was answered
 */
export async function noteStart(
  target: QueryTarget,
  state: RollupState,
  fromMs: number,
  backMs: number,
): Promise<void> {
  const starts = startsUnder(target, state)
  if (!isSettledAround(state, fromMs, backMs)) return
  const hour = touched(starts, hourOf(fromMs))
  hour.askCount += 1
  const startMs = performance.now()
  if (freshBuild(hour) !== null || hour.askCount < asksMin || starts.building || startMs < starts.nextAtMs) return
  starts.building = makeStartBuild(target, state, fromMs, backMs)
  try {
    await starts.building
  } finally {
    starts.building = null
    starts.nextAtMs = performance.now() + (performance.now() - startMs) * restFactor
  }
}

const CountRow = z.object({ rows: wholeNumber })

/** Says that a build has lost rows: it is made again when it is asked for. */
export function forgetStartBuild(target: QueryTarget, { id }: StartBuild): void {
  const starts = startsOf(target)
  for (const hour of starts.hours.values()) {
    if (hour.build?.made.id !== id) continue
    starts.left.add(id)
    hour.build = null
  }
}

/**
 * Makes the build of windows that begin at `fromMs`, now; nothing happens where what it would stand on is not settled.
 * @param state read before
 */
export async function makeStartBuild(
  target: QueryTarget,
  state: RollupState,
  fromMs: number,
  backMs: number,
): Promise<void> {
  if (!isSettledAround(state, fromMs, backMs)) return
  const starts = startsUnder(target, state)
  const begin = hourOf(fromMs)
  const until = begin + hourMs
  const tag = 'rollups:starts'
  const [count] = await runQuery(target, sqlPart('start-cache', 'count'), { begin, until }, CountRow, { tag })
  if (count === undefined || count.rows > readingsMax) return
  const nowMs = systemClock.nowMs()
  // Of this process alone, as good as surely: another one may use the same server.
  const id = nowMs * 1000 + Math.floor(Math.random() * 1000)
  const values = {
    build: id,
    boundary: Math.floor(begin / cellMs) * cellMs,
    begin,
    until,
    hasViews: readingAt(0),
    beginNext: readingAt(begin + 1),
    untilNext: readingAt(until + 1),
    expiresAt: nowMs + keptMsMax,
  }
  starts.left.add(id)
  await runCommand(target, sqlPart('start-cache', 'build'), values, tag)
  const [made] = await runQuery(target, sqlPart('start-cache', 'rows'), { build: id }, CountRow, { tag })
  const after = await readRollupState(target, cellEndOf(fromMs))
  // What was settled or written meanwhile may stand in it in part.
  const isSame = after.settledKey === state.settledKey && starts.settledKey === state.settledKey
  if (isSame && isSettledAround(after, fromMs, backMs)) {
    const hour = touched(starts, begin)
    if (hour.build) starts.left.add(hour.build.made.id)
    hour.build = { made: { id, rowCount: made?.rows ?? 0 }, madeAtMs: performance.now() }
    starts.left.delete(id)
  }
  for (const build of starts.left) {
    await runCommand(target, sqlPart('start-cache', 'drop'), { build: String(build) }, tag)
    starts.left.delete(build)
  }
}

/** What is known of the world as it is settled in this state; builds of other states are left. */
function startsUnder(target: QueryTarget, state: RollupState): WorldStarts {
  const starts = startsOf(target)
  if (starts.settledKey === state.settledKey) return starts
  for (const { build } of starts.hours.values()) if (build) starts.left.add(build.made.id)
  starts.hours.clear()
  starts.settledKey = state.settledKey
  return starts
}

/** The entry of an hour, as the one that was asked for last. */
function touched(starts: WorldStarts, hourAtMs: number): Hour {
  const hour = starts.hours.get(hourAtMs) ?? { askCount: 0, build: null }
  starts.hours.delete(hourAtMs)
  starts.hours.set(hourAtMs, hour)
  for (const [oldest, { build }] of starts.hours) {
    if (starts.hours.size <= hoursMax) break
    if (build) starts.left.add(build.made.id)
    starts.hours.delete(oldest)
  }
  return hour
}

function freshBuild(hour: Hour | undefined): StartBuild | null {
  const build = hour?.build
  return build && performance.now() - build.madeAtMs < keptMsMax - hourMs ? build.made : null
}

/** No boundary at or after the hour, and none that its starts come from, could be changed by what is not settled. */
function isSettledAround(state: RollupState, fromMs: number, backMs: number): boolean {
  const endMs = cellEndOf(fromMs)
  const boundaryMs = Math.floor(fromMs / cellMs) * cellMs
  return planInstant(state, endMs, backMs).fineMs === endMs && planInstant(state, fromMs, backMs).fineMs === boundaryMs
}

/** The end of the cell that holds all readings of the hour. */
function cellEndOf(fromMs: number): number {
  return Math.ceil((hourOf(fromMs) + hourMs) / cellMs) * cellMs
}

function hourOf(ms: number): number {
  return Math.floor(ms / hourMs) * hourMs
}

function startsOf({ store, world }: QueryTarget): WorldStarts {
  const byWorld = known.get(store) ?? new Map<WorldDatabase, WorldStarts>()
  known.set(store, byWorld)
  const starts = byWorld.get(world.database) ?? new WorldStarts()
  byWorld.set(world.database, starts)
  return starts
}
