import { createHash } from 'node:crypto'
import { AppError } from '../../contracts/errors.ts'
import type { UserId } from '../../contracts/ids.ts'
import { type LiveSqlRow, liveSqlRowsMax, type QueryParams } from '../../contracts/queries.ts'
import type { ReadOnlyResult } from '../../core/clickhouse/port.ts'
import type { CheckedSql } from '../../core/sql-gate/gate.ts'
import type { ServerDeps } from '../deps.ts'
import { filledQuery, findSavedQuery } from '../features/queries/service.ts'
import { heldLimits } from '../features/query/service.ts'
import { canonical } from './public-question.ts'
import type { Change, LiveAnswer, LiveQuestion } from './source.ts'

type Deps = Pick<ServerDeps, 'db' | 'gate' | 'usage' | 'world' | 'clock'>

/** SQL that somebody watches: their own, or a query that was saved. */
export type AskedSql =
  | { readonly sql: string; readonly params: QueryParams }
  | { readonly savedQueryId: string; readonly params: QueryParams }

/**
 * Makes a question of SQL. A saved query is watched as it is at this moment: who wants its next version subscribes anew.
 *
 * @throws AppError NOT_FOUND for a saved query that the user may not see; QUERY_REFUSED, QUERY_FAILED
 */
export type ParseSqlQuestion = (asked: AskedSql, userId: UserId) => Promise<LiveQuestion>

/** The shortest time between two executions of one text, in ms. */
export const sqlEveryMs = 1000
/** How long an answer may stand that depends on the present instant, in real ms. */
export const sqlClockMs = 10_000
/** Texts that are remembered with what was found out about them. */
const checkedMax = 500

/** Views that readings of counters change; the others change with descriptions. */
const readingViews = new Set(['samples', 'trends', 'creator_samples', 'topic_samples'])

export function liveSqlQuestions(deps: Deps): ParseSqlQuestion {
  const checked = new Map<string, Promise<CheckedSql>>()

  /** Looks at each text once, however many watch it. */
  async function check(sql: string): Promise<CheckedSql> {
    const known = checked.get(sql)
    if (known) return await known
    const oldest = checked.keys().next()
    if (checked.size >= checkedMax && !oldest.done) checked.delete(oldest.value)
    const found = deps.gate.check(sql)
    checked.set(sql, found)
    found.catch(() => checked.delete(sql))
    return await found
  }

  return async (asked, userId) => {
    const { sql, params } =
      'sql' in asked ? asked : filledQuery(await findSavedQuery(deps, userId, asked.savedQueryId), asked.params)
    const { tables, usesClock } = await check(sql)
    const limits = heldLimits(await deps.usage.limitsOf(userId), liveSqlRowsMax)
    const isPrivate = tables.some(table => table.startsWith('mine.'))
    // Equal for all who would get the same rows under the same limits.
    const content = JSON.stringify([sql, canonical(params), limits, isPrivate ? userId : null])
    return {
      key: `sql ${createHash('sha256').update(content).digest('base64url')}`,
      name: 'sql',
      lane: 'sql',
      tickMs: sqlEveryMs,
      staleAfterMs: () => (usesClock ? sqlClockMs : null),
      isTouchedBy: change => touchesViews(deps, { tables, userId }, change),
      async compute(signal) {
        const world = deps.world.current()
        if (world.gone?.aborted) return null
        const asOf = new Date(deps.clock.nowMs())
        try {
          const result = await deps.gate.run({ sql, params, userId, limits, tag: 'ws:sql', signal })
          return world.gone?.aborted ? null : toAnswer(result, asOf)
        } catch (error) {
          if (world.gone?.aborted) return null
          throw tooManyRows(error)
        }
      },
    }
  }
}

/**
 * Whether a change can have touched what these views show.
 *
 * @param tables as the gate names them, e.g. `v.samples`
 * @param userId whose rows `mine` shows
 */
function touchesViews(
  deps: Pick<ServerDeps, 'world'>,
  { tables, userId }: { tables: readonly string[]; userId: UserId },
  change: Change,
): boolean {
  const { database } = deps.world.current()
  const reads = (isMeant: (schema: string, view: string) => boolean) =>
    tables.some(table => {
      const [schema = '', view = ''] = table.split('.')
      return isMeant(schema, view)
    })
  switch (change.kind) {
    case 'samples':
      return change.event.world === database && reads((schema, view) => schema === 'v' && readingViews.has(view))
    case 'ownSamples':
      // What `mine` describes is of the videos and creators that have private readings.
      return change.world === database && change.userId === userId && reads(schema => schema === 'mine')
    case 'metadata':
      return change.world === database && reads((_schema, view) => !readingViews.has(view))
    case 'world':
      return true
    default:
      return false
  }
}

/** Rows by the column `key`, where the answer has one, else by their places. */
function toAnswer({ columns, rows }: ReadOnlyResult, asOf: Date): LiveAnswer {
  const keyIndex = columns.findIndex(({ name }) => name === 'key')
  const seen = new Map<string, number>()
  const keyed = rows.map((cells, index): LiveSqlRow => {
    if (keyIndex < 0) return { key: String(index + 1), cells }
    const cell = cells[keyIndex]
    const key = typeof cell === 'string' ? cell : JSON.stringify(cell ?? null)
    const count = (seen.get(key) ?? 0) + 1
    seen.set(key, count)
    return { key: count === 1 ? key : `${key} #${count}`, cells }
  })
  return { columns: columns.map(({ name }) => name), columnTypes: columns.map(({ type }) => type), rows: keyed, asOf }
}

/** The engine's number of "too many rows or bytes in the result". */
const tooManyRowsOrBytes = 396

function tooManyRows(error: unknown): unknown {
  if (!(error instanceof AppError) || error.details.engineCode !== tooManyRowsOrBytes) return error
  const message = `A live query gives at most ${liveSqlRowsMax.toLocaleString('en')} rows: add a LIMIT, or group them.`
  return new AppError('QUERY_LIMIT', message, { details: error.details, cause: error })
}
