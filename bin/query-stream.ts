import { Readable } from 'node:stream'
import type { UserId } from '../contracts/ids.ts'
import type { QueryRequest } from '../contracts/queries.ts'
import type { ReadOnlyLimits } from '../core/clickhouse/port.ts'
import { createSqlGate, type SqlGate } from '../core/sql-gate/gate.ts'
import type { Stores } from './compose/stores.ts'

/** What the owner's own queries may cost: this is their machine, but it must stay usable. */
const ownerLimits: ReadOnlyLimits = {
  timeSecMax: 60,
  memoryBytesMax: 1_000_000_000,
  resultRowsMax: 1_000_000,
  resultBytesMax: 512 * 1024 * 1024,
  readRowsMax: 1_000_000_000,
}
/** An answer in the format `json` is held in memory whole. */
const jsonRowsMax = 50_000
const engineFormats = {
  jsonl: 'JSONEachRow',
  csv: 'CSVWithNames',
  parquet: 'CSV',
  markdown: 'CSV',
  stream: 'CSV',
} as const

/** The owner's query through the gate; the bytes of its answer in the format asked for. */
export async function queryAsOwner(
  { gate, userId }: { gate: SqlGate; userId: UserId },
  request: QueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  const asked = { sql: request.sql, params: request.params, userId, tag: 'cliptape query', signal }
  if (request.format !== 'json') {
    return gate.stream({ ...asked, limits: ownerLimits, format: engineFormats[request.format] })
  }
  const limits = { ...ownerLimits, resultRowsMax: jsonRowsMax }
  return Readable.from([JSON.stringify(await gate.run({ ...asked, limits }))])
}

/** The same for a verb that has the home to itself. */
export async function openQueryStream(
  { store, ownerId }: Pick<Stores, 'store' | 'ownerId'>,
  request: QueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  return queryAsOwner({ gate: await createSqlGate(store), userId: ownerId }, request, signal)
}
