import type { Readable } from 'node:stream'

/**
 * The analytics store: ClickHouse, either the embedded engine in its child process or a server. Same client, same SQL.
 * Every method rejects with an `AppError`: `UNAVAILABLE` (retryable: engine restarting, connection lost),
 * `QUERY_LIMIT` (time, memory or row limit), `QUERY_FAILED` (the SQL's own fault), `INTERNAL` otherwise.
 */
export interface AnalyticsStore {
  /**
   * Runs one of our own statements and returns its rows as objects (JSONEachRow; 64-bit integers that are safe as
   * numbers, larger ones as strings). Parameters are put in with `renderSql` before, never by string concatenation.
   */
  query<Row>(sql: string, options?: QueryOptions): Promise<Row[]>
  /** The same, as the engine's bytes in `format`, not held in memory. */
  stream(sql: string, format: string, options?: QueryOptions): Promise<Readable>
  /** DDL and other statements without a result. */
  command(sql: string, options?: QueryOptions): Promise<void>
  /** Inserts rows (column name → value, JSON) into `table` (`database.table`); resolves when they are durable. */
  insert(table: string, rows: readonly object[], options?: QueryOptions): Promise<void>
  /** Inserts bytes already in `format` (e.g. JSONEachRow); for the writer's hot path. `columns` may be omitted. */
  insertRaw(
    table: string,
    body: Buffer,
    options?: QueryOptions & { format?: string; columns?: readonly string[] },
  ): Promise<void>
  /**
   * Runs SQL of a user that the gate has passed, on a read-only session with these limits.
   * Nothing but `core/sql-gate` calls it.
   */
  queryReadOnly(sql: string, limits: ReadOnlyLimits, options?: QueryOptions): Promise<ReadOnlyResult>
  /** Ends running queries of that id; resolves to how many were told to stop. */
  kill(queryId: string): Promise<number>
  ping(): Promise<void>
  /** Facts for OPS and doctor. */
  status(): AnalyticsStatus
  close(): Promise<void>
}

export interface QueryOptions {
  /** Who asks: shown in `system.processes` as a comment, e.g. `http:/api/analytics/trends`. */
  tag?: string
  queryId?: string
  settings?: Readonly<Record<string, string | number>>
  signal?: AbortSignal
}

export interface ReadOnlyLimits {
  readonly timeSecMax: number
  readonly memoryBytesMax: number
  readonly resultRowsMax: number
  readonly resultBytesMax: number
  readonly readRowsMax: number
}

export interface ReadOnlyResult {
  columns: { name: string; type: string }[]
  /** One array per row, in the order of `columns`. */
  rows: unknown[][]
  statistics: { elapsedSec: number; rowsRead: number; bytesRead: number }
}

export interface AnalyticsStatus {
  kind: 'embedded' | 'server'
  state: 'up' | 'restarting' | 'down'
  version: string
  restartCount: number
  pid: number | null
}
