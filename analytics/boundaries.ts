/**
 * Which boundary snapshots a question may stand on.
 *
 * A boundary every six hours holds, per video, the last reading at or before it. A reading that is written later than
 * the boundary was made would make it wrong, so every insert marks its six-hour cell as unsettled (a materialized view
 * does, together with the rows), and `settle.ts` clears the mark after it has carried the cell's readings forward. A
 * question never reads a boundary that an unsettled cell could change: it takes the one before and reads the readings
 * from there on. So answers are exact at every moment; settling only makes them cheap.
 */

import { z } from 'zod'
import { type QueryTarget, runQuery, sqlPart, wholeNumber } from './queries/run-query.ts'

export const cellMs = 21_600_000
const dayMs = 86_400_000
/** How long a reading is carried at every boundary; the shortest look-back. */
export const lookBackMsMin = 129_600_000
/** How long a reading is carried at midnights. */
export const carryMsMax = 31 * dayMs

/** What `rollup_cells_v1` says. Instants are epoch milliseconds. */
export interface RollupState {
  /** The last boundary that exists; 0 when there is none. */
  readonly watermarkMs: number
  /** Boundaries that end cells with samples that no boundary knows yet, ascending. */
  readonly unsettled: readonly number[]
  /** How many inserts each of those cells had seen: what settles it names this count. */
  readonly insertCounts: ReadonlyMap<number, number>
  /** The instant of the latest sample of all; 0 when there is none. */
  readonly latestMs: number
}

const StateRow = z.object({ cell_ms: wholeNumber, settled_ms: wholeNumber, insert_count: wholeNumber })

/** @param throughMs cells that end later do not matter */
export async function readRollupState(target: QueryTarget, throughMs: number): Promise<RollupState> {
  const rows = await runQuery(target, sqlPart('settle-state'), { throughMs }, StateRow, { tag: 'rollups:state' })
  const cells = rows.filter(row => row.cell_ms > 0).sort((a, b) => a.cell_ms - b.cell_ms)
  return {
    watermarkMs: rows.find(row => row.cell_ms === 0)?.settled_ms ?? 0,
    unsettled: cells.map(row => row.cell_ms),
    insertCounts: new Map(cells.map(row => [row.cell_ms, row.insert_count])),
    latestMs: rows.find(row => row.cell_ms === -1)?.settled_ms ?? 0,
  }
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
