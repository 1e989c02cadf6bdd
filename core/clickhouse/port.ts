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
  /**
   * The same while it runs, with what it has read so far in between. Not held in memory: the next part is fetched when it
   * is asked for. Stopping early ends the query.
   */
  streamReadOnly(sql: string, limits: ReadOnlyLimits, options?: QueryOptions): AsyncGenerator<ReadOnlyPart, void, void>
  /** A SELECT of a user's that the gate has passed, as one file of the engine's making, e.g. `Parquet`. */
  fileReadOnly(sql: string, format: string, limits: ReadOnlyLimits, options?: QueryOptions): Promise<Readable>
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

export interface ReadOnlyStatistics {
  readonly elapsedSec: number
  readonly rowsRead: number
  readonly bytesRead: number
}

export interface ReadOnlyColumn {
  readonly name: string
  /** As the engine names it, e.g. `Nullable(UInt64)`. */
  readonly type: string
}

export interface ReadOnlyResult {
  columns: ReadOnlyColumn[]
  /** One array per row, in the order of `columns`. */
  rows: unknown[][]
  statistics: ReadOnlyStatistics
}

/** `columns` once and before all `rows`; `progress` at any time, and at the end. */
export type ReadOnlyPart =
  | { readonly kind: 'columns'; readonly columns: readonly ReadOnlyColumn[] }
  | { readonly kind: 'rows'; readonly rows: unknown[][] }
  | { readonly kind: 'progress'; readonly statistics: ReadOnlyStatistics }

export interface AnalyticsStatus {
  kind: 'embedded' | 'server'
  state: 'up' | 'restarting' | 'down'
  version: string
  restartCount: number
  pid: number | null
}
