import type { LiveSqlRow, QueryColumn } from '../../contracts/queries.ts'
import type { LiveQueryName, LiveRow } from '../../contracts/ws.ts'

/** A live query as a screen asks for it. Equal queries (same name, same parameters) share one subscription. */
export interface LiveQuery<N extends LiveQueryName = LiveQueryName> {
  name: N
  params: Readonly<Record<string, string | number | boolean>>
}

/** SQL of one's own, or a saved query, with the values of its parameters. */
export type SqlLiveQuery =
  | { sql: string; params: Readonly<Record<string, unknown>> }
  | { savedQueryId: string; params: Readonly<Record<string, unknown>> }

/** Whatever can be watched. */
export type AnyLiveQuery = LiveQuery | SqlLiveQuery

/**
 * - `loading`: asked for, nothing has come yet.
 * - `live`: connected and up to date.
 * - `stale`: connected, but the server has not been heard of for a while.
 * - `disconnected`: the connection is gone; the rows are the last ones known.
 * - `error`: the server refused the query; `message` says why.
 */
export type LiveStatus = 'loading' | 'live' | 'stale' | 'disconnected' | 'error'

/** What is known of whatever is watched now. */
export interface LiveState {
  status: LiveStatus
  /** Data time of the rows, ISO 8601 UTC; null before the first. */
  asOf: string | null
  /** Why it is not live, as a sentence; empty when it is. */
  message: string
  /** When the status last changed, epoch milliseconds of the wall clock. */
  statusSinceMs: number
  /** When each row last changed after it was first seen, epoch milliseconds of the wall clock; rows that did not change are absent. */
  changedAtMs: ReadonlyMap<string, number>
}

/** Of a live query. `rows` is a new array exactly when a row changed; unchanged rows keep their identity. */
export interface LiveSnapshot<N extends LiveQueryName = LiveQueryName> extends LiveState {
  rows: readonly LiveRow<N>[]
}

/** The same of SQL; `columns` are those of the cells of its rows. */
export interface SqlSnapshot extends LiveState {
  columns: readonly QueryColumn[]
  rows: readonly LiveSqlRow[]
}

/** One string for equal queries. */
export function liveQueryKey(query: AnyLiveQuery): string {
  const params = Object.entries(query.params).sort(([a], [b]) => (a < b ? -1 : 1))
  if ('name' in query) return JSON.stringify([query.name, params])
  return 'sql' in query ? JSON.stringify(['', query.sql, params]) : JSON.stringify(['', '', query.savedQueryId, params])
}

/** Reads the snapshot of a query that the screen has named in `queries`; others are `loading` for ever. */
export type ReadLive = <N extends LiveQueryName>(query: LiveQuery<N>) => LiveSnapshot<N>

/** The same for SQL. */
export type ReadLiveSql = (query: SqlLiveQuery) => SqlSnapshot
