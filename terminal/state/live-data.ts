import type { LiveQueryName, LiveRow } from '../../contracts/ws.ts'

/** A live query as a screen asks for it. Equal queries (same name, same parameters) share one subscription. */
export interface LiveQuery<N extends LiveQueryName = LiveQueryName> {
  name: N
  params: Readonly<Record<string, string | number>>
}

/**
 * - `loading`: asked for, nothing has come yet.
 * - `live`: connected and up to date.
 * - `stale`: connected, but the server has not been heard of for a while.
 * - `disconnected`: the connection is gone; the rows are the last ones known.
 * - `error`: the server refused the query; `message` says why.
 */
export type LiveStatus = 'loading' | 'live' | 'stale' | 'disconnected' | 'error'

/** What is known of a live query now. `rows` is a new array exactly when a row changed; unchanged rows keep their identity. */
export interface LiveSnapshot<N extends LiveQueryName = LiveQueryName> {
  status: LiveStatus
  rows: readonly LiveRow<N>[]
  /** Data time of the rows, ISO 8601 UTC; null before the first. */
  asOf: string | null
  /** Why it is not live, as a sentence; empty when it is. */
  message: string
  /** When the status last changed, epoch milliseconds of the wall clock. */
  statusSinceMs: number
  /** When each row last changed after it was first seen, epoch milliseconds of the wall clock; rows that did not change are absent. */
  changedAtMs: ReadonlyMap<string, number>
}

/** One string for equal queries. */
export function liveQueryKey(query: LiveQuery): string {
  const params = Object.keys(query.params)
    .sort()
    .map(name => [name, query.params[name]])
  return JSON.stringify([query.name, params])
}

/** Reads the snapshot of a query that the screen has named in `queries`; others are `loading` for ever. */
export type ReadLive = <N extends LiveQueryName>(query: LiveQuery<N>) => LiveSnapshot<N>
