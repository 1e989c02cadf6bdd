import { z } from 'zod'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { Touched } from '../core/touched.ts'
import type { World, WorldDatabase } from '../core/world.ts'
import { cellMs, type RollupState, readRollupState } from './boundaries.ts'
import { freezeFresh, freezeRange } from './frozen-ages.ts'
import { runCommand, runQuery, sqlPart, wholeNumber } from './queries/run-query.ts'

/** Readings that one statement carries forward at most, so that its memory stays bounded. */
const rowsPerShard = 2_000_000
/** Cells that one statement spans at most: 62 days, so that an insert writes at most four monthly partitions. */
const cellsPerRange = 62 * 4
/** Settling takes at most this share of the time while rows keep coming. */
const restFactor = 4

interface Run {
  running: Promise<void> | null
  endedAt: number
  tookMs: number
  timer: NodeJS.Timeout | null
}
const runs = new WeakMap<AnalyticsStore, Map<WorldDatabase, Run>>()

/**
 * Brings the boundary snapshots and the frozen ages up to date after rows have become durable. Questions are exact without it; it makes
 * them cheap. So while a bulk import keeps writing, it lets most calls pass and catches up a moment later: a call
 * resolves when this batch is settled or is left to that later run. What touched only the present, before the next
 * boundary, costs nothing.
 *
 * @param world its clock says which boundaries have passed
 * @throws AppError UNAVAILABLE when the engine is restarting; the marks stay, so nothing is forgotten
 */
export async function settleRollups(store: AnalyticsStore, world: World, touched: Touched): Promise<void> {
  const run = runOf(store, world.database)
  const throughMs = Math.floor(world.clock.nowMs() / cellMs) * cellMs
  const isPresentOnly = touched.minObservedAtMs > throughMs
  // Before all else: left to a later run, which is rested after in its turn, live writes would keep it running for ever.
  if (isPresentOnly && lastThrough.get(store)?.get(world.database) === throughMs) return
  if (run.running || performance.now() - run.endedAt < run.tookMs * restFactor) {
    later(store, world, run)
    return
  }
  await runNow(store, world, run)
}

/** Settles everything that is not settled: at start, after an import, in tests. Resolves when all of it is. */
export async function repairRollups(store: AnalyticsStore, world: World): Promise<void> {
  const run = runOf(store, world.database)
  while (run.running) await run.running.catch(() => {})
  await runNow(store, world, run)
}

const lastThrough = new WeakMap<AnalyticsStore, Map<WorldDatabase, number>>()

function runOf(store: AnalyticsStore, database: WorldDatabase): Run {
  const byWorld = runs.get(store) ?? new Map<WorldDatabase, Run>()
  runs.set(store, byWorld)
  const run = byWorld.get(database) ?? { running: null, endedAt: Number.NEGATIVE_INFINITY, tookMs: 0, timer: null }
  byWorld.set(database, run)
  return run
}

/** One run after the present pause; it holds no process open, and what it cannot do stays marked. */
function later(store: AnalyticsStore, world: World, run: Run): void {
  if (run.timer) return
  run.timer = setTimeout(
    () => {
      run.timer = null
      if (run.running) later(store, world, run)
      else runNow(store, world, run).catch(() => {})
    },
    Math.max(250, run.tookMs * restFactor),
  )
  run.timer.unref()
}

async function runNow(store: AnalyticsStore, world: World, run: Run): Promise<void> {
  const startedAt = performance.now()
  run.running = settleAll(store, world)
  try {
    await run.running
  } finally {
    run.running = null
    run.endedAt = performance.now()
    run.tookMs = run.endedAt - startedAt
  }
}

async function settleAll(store: AnalyticsStore, world: World): Promise<void> {
  const target = { store, world }
  const throughMs = Math.floor(world.clock.nowMs() / cellMs) * cellMs
  const state = await readRollupState(target, throughMs)
  const { watermarkMs, unsettled } = state
  if (watermarkMs > 0 && watermarkMs < throughMs) {
    const midnightMs = Math.floor(watermarkMs / (4 * cellMs)) * 4 * cellMs
    await runCommand(target, sqlPart('settle-carry'), { watermarkMs, midnightMs, throughMs }, 'rollups:carry')
  }
  // A clock that was set back does not take boundaries away.
  const lastMs = Math.max(watermarkMs, throughMs)
  for (const range of rangesOf(unsettled)) {
    await settleRange(target, range, lastMs)
    await freezeRange(target, range)
  }
  await freezeFresh(target)
  await markSettled(store, world, state, lastMs)
  const byWorld = lastThrough.get(store) ?? new Map<WorldDatabase, number>()
  lastThrough.set(store, byWorld.set(world.database, throughMs))
}

const CountRow = z.object({ readings: wholeNumber })

async function settleRange(
  target: { store: AnalyticsStore; world: World },
  range: { fromMs: number; toMs: number },
  throughMs: number,
): Promise<void> {
  const [count] = await runQuery(target, sqlPart('settle-count'), range, CountRow, { tag: 'rollups:count' })
  const shards = Math.min(255, Math.ceil((count?.readings ?? 0) / rowsPerShard))
  for (let shard = 0; shard < shards; shard++) {
    await runCommand(target, sqlPart('settle-cells'), { ...range, throughMs, shard, shards }, 'rollups:cells')
  }
}

/** Cells that lie within a week of each other go in one range: readings after `fromMs`, up to and including `toMs`. */
function rangesOf(cells: readonly number[]): { fromMs: number; toMs: number }[] {
  const ranges: { fromMs: number; toMs: number }[] = []
  for (const cell of cells) {
    const last = ranges.at(-1)
    if (last && cell - last.toMs <= 28 * cellMs && cell - last.fromMs <= cellsPerRange * cellMs) last.toMs = cell
    else ranges.push({ fromMs: cell - cellMs, toMs: cell })
  }
  return ranges
}

/**
 * Written after the boundaries are durable: who is killed in between settles once more, which changes nothing. A cell is
 * named with the number of inserts that were seen before its readings were read, so one that comes meanwhile leaves it
 * unsettled.
 */
async function markSettled(store: AnalyticsStore, world: World, state: RollupState, lastMs: number): Promise<void> {
  const marks: { cell_at: number; settled_at?: string; settled_inserts?: number }[] = [...state.insertCounts].map(
    ([cell, count]) => ({ cell_at: cell / 1000, settled_inserts: count }),
  )
  if (lastMs > state.watermarkMs) marks.push({ cell_at: 0, settled_at: engineInstant(lastMs) })
  if (marks.length > 0) await store.insert(`${world.database}.rollup_cells_v1`, marks, { tag: 'rollups:mark' })
}

/** As the engine reads a DateTime64 from text. */
function engineInstant(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}
