/**
 * Values at both ends of windows, ready to be joined: `starts_v1` holds builds, each for the instants of one hour, and here
 * it is known which of them are still true.
 *
 * A value is otherwise put together from a boundary and the readings after it, which costs as much again as all the
 * rest of a ranked list. A build is made beside, when instants of an hour have been asked for twice, from boundaries that
 * are settled on both sides of it; it is true until anything is settled anew or a cell that it stands on becomes
 * unsettled. Rows can get lost (a world is dropped and made anew, a build expires): who finds a value in it may believe
 * that; who does not must see that all its rows are there before taking it for none.
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

/** A partition of `starts_v1`, how many rows it was made with, and whether the columns are of use that most have empty. */
export interface StartBuild {
  readonly id: number
  readonly rowCount: number
  readonly hasMore: boolean
  readonly hasViewless: boolean
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
 * The build that says the values at `atMs`; `null` when there is none.
 * @param backMs the window's look-back
 */
export function startBuildOf(target: QueryTarget, state: RollupState, atMs: number, backMs: number): StartBuild | null {
  const starts = startsOf(target)
  if (starts.settledKey !== state.settledKey || !isSettledAround(state, atMs, backMs)) return null
  return freshBuild(starts.hours.get(hourOf(atMs)))
}

/**
 * Says that values at `atMs` were asked for: the second time a build is made, unless one is on its way.
 * Resolves when nothing is left to do.
 *
 * @param state read before they were answered
 */
export async function noteStart(target: QueryTarget, state: RollupState, atMs: number, backMs: number): Promise<void> {
  const starts = startsUnder(target, state)
  if (!isSettledAround(state, atMs, backMs)) return
  const hour = touched(starts, hourOf(atMs))
  hour.askCount += 1
  const startMs = performance.now()
  if (freshBuild(hour) !== null || hour.askCount < asksMin || starts.building || startMs < starts.nextAtMs) return
  starts.building = makeStartBuild(target, state, atMs, backMs)
  try {
    await starts.building
  } finally {
    starts.building = null
    starts.nextAtMs = performance.now() + (performance.now() - startMs) * restFactor
  }
}

const CountRow = z.object({ rows: wholeNumber })
const MadeRow = z
  .object({ rows: wholeNumber, has_more: z.number(), has_viewless: z.number() })
  .transform(row => ({ rowCount: row.rows, hasMore: row.has_more === 1, hasViewless: row.has_viewless === 1 }))

/** How many rows of builds are there now. */
export async function builtRows(target: QueryTarget, builds: readonly StartBuild[]): Promise<number> {
  const params = { builds: builds.map(({ id }) => id) }
  const [count] = await runQuery(target, sqlPart('start-cache', 'rows'), params, CountRow, { tag: 'rollups:starts' })
  return count?.rows ?? 0
}

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
 * Makes the build for values at `atMs`, now; nothing happens where what it would stand on is not settled.
 * @param state read before
 */
export async function makeStartBuild(
  target: QueryTarget,
  state: RollupState,
  atMs: number,
  backMs: number,
): Promise<void> {
  if (!isSettledAround(state, atMs, backMs)) return
  const starts = startsUnder(target, state)
  const begin = hourOf(atMs)
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
  const [made] = await runQuery(target, sqlPart('start-cache', 'made'), { build: id }, MadeRow, { tag })
  const after = await readRollupState(target, cellEndOf(atMs))
  // What was settled or written meanwhile may stand in it in part.
  const isSame = after.settledKey === state.settledKey && starts.settledKey === state.settledKey
  if (made && isSame && isSettledAround(after, atMs, backMs)) {
    const hour = touched(starts, begin)
    if (hour.build) starts.left.add(hour.build.made.id)
    hour.build = { made: { id, ...made }, madeAtMs: performance.now() }
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

/** No boundary on either side of the hour could be changed by what is not settled. */
function isSettledAround(state: RollupState, atMs: number, backMs: number): boolean {
  const endMs = cellEndOf(atMs)
  const boundaryMs = Math.floor(atMs / cellMs) * cellMs
  return planInstant(state, endMs, backMs).fineMs === endMs && planInstant(state, atMs, backMs).fineMs === boundaryMs
}

/** The end of the cell that holds all readings of the hour. */
function cellEndOf(atMs: number): number {
  return Math.ceil((hourOf(atMs) + hourMs) / cellMs) * cellMs
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
