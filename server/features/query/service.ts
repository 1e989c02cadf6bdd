import { Readable } from 'node:stream'
import type { UserId } from '../../../contracts/ids.ts'
import type { QueryRequest } from '../../../contracts/queries.ts'
import type { ReadOnlyLimits } from '../../../core/clickhouse/port.ts'
import type { SqlGate } from '../../../core/sql-gate/gate.ts'

/** What one query of a user may cost. Over it the query ends with `QUERY_LIMIT`. */
export const userQueryLimits: ReadOnlyLimits = {
  timeSecMax: 20,
  memoryBytesMax: 512 * 1024 * 1024,
  resultRowsMax: 100_000,
  resultBytesMax: 64 * 1024 * 1024,
  readRowsMax: 500_000_000,
}

/** The content type of each format. */
export const queryContentTypes: Readonly<Record<QueryRequest['format'], string>> = {
  json: 'application/json; charset=utf-8',
  jsonl: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  markdown: 'text/markdown; charset=utf-8',
  stream: 'application/x-ndjson; charset=utf-8',
}

const engineFormats = {
  jsonl: 'JSONEachRow',
  csv: 'CSVWithNames',
  parquet: 'CSV',
  markdown: 'CSV',
  stream: 'CSV',
} as const

/**
 * Runs a user's SQL through the gate and gives the answer's bytes in the format asked for.
 *
 * @param deps.tag who asks, for the engine's process list, e.g. `http:/api/query`
 * @throws AppError QUERY_REFUSED, QUERY_FAILED, QUERY_LIMIT, or BAD_REQUEST for a parameter that does not fit its type
 */
export async function runUserQuery(
  deps: { gate: SqlGate; userId: UserId; tag: string },
  request: QueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  const { gate, userId, tag } = deps
  const asked = { sql: request.sql, params: request.params, userId, limits: userQueryLimits, tag, signal }
  if (request.format !== 'json') return await gate.stream({ ...asked, format: engineFormats[request.format] })
  return Readable.from([JSON.stringify(await gate.run(asked))])
}
