/**
 * Which boundary snapshots a question may stand on.
 *
 * A boundary every six hours holds, per video, the last reading at or before it. A reading that is written later than
 * the boundary was made would make it wrong, so every insert marks its six-hour cell as unsettled (a materialized view
 * does, together with the rows), and `settle.ts` clears the mark after it has carried the cell's readings forward. A
 * question never reads a boundary that an unsettled cell could change: it takes the one before and reads the readings
 * from there on. So answers are exact at every moment; settling only makes them cheap.
 */

import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { WorldDatabase } from '../core/world.ts'
import { type QueryTarget, runQuery, sqlPart, wholeNumber } from './queries/run-query.ts'

export const cellMs = 21_600_000
const dayMs = 86_400_000
/** How long a reading is carried at every boundary; the shortest look-back. */
export const lookBackMsMin = 129_600_000
/** How long a reading is carried at midnights. */
export const carryMsMax = 31 * dayMs
/** Set in a reading that gives views. */
export const hasViewsBit = 1n << 106n

/** What `rollup_cells_v1` says. Instants are epoch milliseconds. */
export interface RollupState {
  /** The last boundary that exists; 0 when there is none. */
  readonly watermarkMs: number
  /** Boundaries that end cells with samples that no boundary knows yet, ascending. */
  readonly unsettled: readonly number[]
  /** How many inserts each of those cells had seen: what settles it names this count. */
  readonly insertCounts: ReadonlyMap<number, number>
  /** Changes with everything that is settled. */
  readonly settledKey: string
  /** The instant of the latest sample of all; 0 when there is none. */
  readonly latestMs: number
  /** Some video may not stand in lists across platforms. */
  readonly hasUnmixable: boolean
  /** Of some video no measure may be made. */
  readonly hasWithheld: boolean
}

const StateRow = z.object({
  unsettled: z.array(wholeNumber),
  insert_counts: z.array(wholeNumber),
  watermark_ms: wholeNumber,
  settled_key: z.coerce.string(),
  latest_ms: wholeNumber,
  has_unmixable: z.number(),
  has_withheld: z.number(),
})

/** @param throughMs cells that end later do not matter */
export async function readRollupState(target: QueryTarget, throughMs: number): Promise<RollupState> {
  const rows = await runQuery(target, sqlPart('settle-state'), { throughMs }, StateRow, { tag: 'rollups:state' })
  const cells = rows.flatMap(row => row.unsettled.map((cell, index) => [cell, row.insert_counts[index] ?? 0] as const))
  return {
    watermarkMs: Math.max(...rows.map(row => row.watermark_ms)),
    unsettled: cells.map(([cell]) => cell).sort((a, b) => a - b),
    insertCounts: new Map(cells),
    settledKey: rows
      .map(row => row.settled_key)
      .sort()
      .join(' '),
    latestMs: Math.max(...rows.map(row => row.latest_ms)),
    hasUnmixable: rows.some(row => row.has_unmixable === 1),
    hasWithheld: rows.some(row => row.has_withheld === 1),
  }
}

interface Seen {
  readonly state: RollupState
  /** Nothing had been settled, and no other cell had become unsettled, since the state before it was read. */
  readonly isSteady: boolean
}
const seen = new WeakMap<AnalyticsStore, Map<WorldDatabase, Seen>>()

/**
 * Asks under a plan that follows from the state of the boundaries, without waiting for that state where it is likely
 * to be the one that was read last: both are asked for at once, and what was answered counts when the plan proves right.
 *
 * It is right when the state that is read now makes the same plan and nothing was settled since the state that was
 * read last. Then no boundary of the plan lacked a reading while the question ran: what the boundary does not hold is marked, in the same
 * insert, and the mark goes away only when something is settled.
 *
 * @param planOf the same for the same state, and made of plain values
 */
export async function withPlan<Plan, Answer>(
  target: QueryTarget,
  throughMs: number,
  planOf: (state: RollupState) => Plan,
  ask: (plan: Plan, state: RollupState) => Promise<Answer>,
): Promise<Answer> {
  const byWorld = seen.get(target.store) ?? new Map<WorldDatabase, Seen>()
  seen.set(target.store, byWorld)
  const known = byWorld.get(target.world.database)
  const guess = known?.isSteady === true ? { plan: planOf(known.state), state: known.state } : null
  const [state, guessed] = await Promise.all([
    readRollupState(target, throughMs),
    guess === null ? null : ask(guess.plan, guess.state).then(answer => ({ answer })),
  ])
  const isSettledSame = known !== undefined && known.state.settledKey === state.settledKey
  const isSteady = isSettledSame && known.state.unsettled.length === state.unsettled.length
  byWorld.set(target.world.database, { state, isSteady })
  const plan = planOf(state)
  if (guessed !== null && isSettledSame && isDeepStrictEqual(plan, guess?.plan)) return guessed.answer
  return await ask(plan, state)
}

/** Whether measures of some video may have to be withheld, by the state that was read last. */
export function mayBeWithheld({ store, world }: QueryTarget): boolean {
  return seen.get(store)?.get(world.database)?.state.hasWithheld ?? true
}

/** The least reading, as in `readings_v1`, that gives views at the instant; decimal. */
export function readingAt(ms: number): string {
  return String(hasViewsBit | (BigInt(ms) << 64n))
}

/** What to read for the value at one instant. */
export interface InstantPlan {
  /** The instant itself. */
  readonly toMs: number
  /** The oldest reading that still counts. */
  readonly minMs: number
  /** The boundary to stand on; 0: none. */
  readonly fineMs: number
  /** The midnight whose old rows are read too; 0: none. */
  readonly oldMs: number
  /** Midnights a month apart before that one, whose rows are read for a look-back of more than a month. */
  readonly olderMs: readonly number[]
  /** Readings after this instant are read one by one. */
  readonly fromMs: number
}

/**
 * @param lookBackMs the longer of 36 h and the window
 */
export function planInstant(state: RollupState, toMs: number, lookBackMs: number): InstantPlan {
  const minMs = Math.max(0, toMs - lookBackMs)
  let fineMs = floorTo(Math.min(toMs, state.watermarkMs), cellMs)
  while (fineMs > minMs) {
    const spoiled = firstSpoiler(state.unsettled, fineMs, lookBackMs)
    if (spoiled === null) break
    fineMs = spoiled - cellMs
  }
  if (fineMs <= minMs) return { toMs, minMs, fineMs: 0, oldMs: 0, olderMs: [], fromMs: Math.max(0, minMs - 1) }
  const oldMs = floorTo(fineMs, dayMs)
  const olderMs: number[] = []
  for (let at = oldMs - carryMsMax; at > 0 && at > minMs; at -= carryMsMax) olderMs.push(at)
  return { toMs, minMs, fineMs, oldMs, olderMs, fromMs: fineMs }
}

/** The first unsettled cell whose readings could stand in what is read at or before the boundary. */
function firstSpoiler(unsettled: readonly number[], fineMs: number, lookBackMs: number): number | null {
  const fromMs = fineMs - Math.max(lookBackMs, lookBackMsMin) - carryMsMax - dayMs
  return unsettled.find(cell => cell <= fineMs && cell >= fromMs) ?? null
}

function floorTo(ms: number, stepMs: number): number {
  return Math.floor(ms / stepMs) * stepMs
}
