import type { Readable } from 'node:stream'
import type { QueryRequest } from '../contracts/control.ts'
import { createSqlGate } from '../core/sql-gate/gate.ts'
import { runUserQuery } from '../server/features/query/service.ts'
import type { Stores } from './compose/stores.ts'

/** A user's query by a verb that has the home to itself, in the same form as a server's answer. */
export async function openQueryStream(
  { store, ownerId }: Pick<Stores, 'store' | 'ownerId'>,
  request: QueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  const gate = await createSqlGate(store)
  return runUserQuery({ gate, userId: ownerId, tag: 'query' }, request, signal)
}
