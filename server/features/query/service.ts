import type { Readable } from 'node:stream'
import type { PlanLimits } from '../../../contracts/billing.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { QueryFormat, QueryParams } from '../../../contracts/queries.ts'
import type { ReadOnlyResult } from '../../../core/clickhouse/port.ts'
import type { CheckedSql, QueryLimits } from '../../../core/sql-gate/gate.ts'
import type { ServerDeps } from '../../deps.ts'

export type QueryDeps = Pick<ServerDeps, 'gate' | 'usage'>

/** Bytes of one answer, in the form in which the engine sends it. */
const resultBytesMax = 1024 ** 3
/** Of an answer that is held in memory whole: of a live query, of an alert. */
const heldBytesMax = 128 * 1024 ** 2

/** The content type of each format. */
export const queryContentTypes: Readonly<Record<QueryFormat, string>> = {
  json: 'application/json; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  markdown: 'text/markdown; charset=utf-8',
  stream: 'application/x-ndjson; charset=utf-8',
}

/** Somebody's SQL. */
export interface AskedQuery {
  readonly userId: UserId
  readonly sql: string
  readonly params: QueryParams
  /** Who asks, for the engine's list of queries, e.g. `http:/api/query`. */
  readonly tag: string
  readonly signal?: AbortSignal
}

/**
 * Runs a user's SQL through the gate, within the limits of their plan, and gives the answer's bytes while it runs.
 *
 * @throws AppError QUERY_REFUSED, QUERY_FAILED, QUERY_LIMIT, RATE_LIMITED, or BAD_REQUEST for a parameter that does not
 *   fit its type
 */
export async function streamQuery(
  deps: QueryDeps,
  asked: AskedQuery & { readonly format: QueryFormat },
): Promise<Readable> {
  return await deps.gate.stream({ ...asked, limits: queryLimits(await deps.usage.limitsOf(asked.userId)) })
}

/**
 * The whole answer, held in memory, for those who compute with it by themselves: it takes none of the turns that the
 * user's plan has, so whoever calls sees to it that not many run at once.
 *
 * @param o.rowsMax more rows than that, or than the plan allows, are `QUERY_LIMIT`
 * @throws AppError as `streamQuery`
 */
export async function runQuery(deps: QueryDeps, asked: AskedQuery, o: { rowsMax: number }): Promise<ReadOnlyResult> {
  const limits = heldLimits(await deps.usage.limitsOf(asked.userId), o.rowsMax)
  return await deps.gate.run({ ...asked, limits })
}

/** How the engine would run it. @throws AppError as `streamQuery` */
export async function explainQuery(deps: QueryDeps, asked: AskedQuery): Promise<CheckedSql & { plan: string[] }> {
  return await deps.gate.explain({ ...asked, limits: queryLimits(await deps.usage.limitsOf(asked.userId)) })
}

/**
 * What a query may cost whose answer is held in memory, beside those that the user runs by hand.
 * @param rowsMax of the answer, or fewer, where the plan says so
 */
export function heldLimits(plan: PlanLimits, rowsMax: number): QueryLimits {
  const limits = queryLimits(plan)
  const resultRowsMax = Math.min(rowsMax, limits.resultRowsMax)
  return { ...limits, resultRowsMax, resultBytesMax: heldBytesMax, atOnceMax: null }
}

/** What one query may cost by a plan. */
export function queryLimits(plan: PlanLimits): QueryLimits {
  return {
    timeSecMax: plan.querySeconds,
    memoryBytesMax: plan.queryMemoryBytes,
    readRowsMax: plan.queryRowsRead,
    resultRowsMax: plan.queryRows,
    resultBytesMax,
    atOnceMax: plan.queriesAtOnce,
  }
}
