import type { Readable } from 'node:stream'
import type { UserId } from '../contracts/ids.ts'
import type { ControlQueryRequest } from '../contracts/queries.ts'
import type { Db } from '../core/db/port.ts'
import { createSqlGate, type SqlGate } from '../core/sql-gate/gate.ts'
import { limitsOfPlan } from '../server/features/billing/plans.ts'
import { filledQuery, findQueryByName } from '../server/features/queries/service.ts'
import { queryLimits } from '../server/features/query/service.ts'
import type { Stores } from './compose/stores.ts'

/** The owner's query through the gate; the bytes of its answer in the format asked for. */
export async function queryAsOwner(
  { gate, db, ownerId }: { gate: SqlGate; db: Db; ownerId: UserId },
  request: ControlQueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  const { format, params } = request
  const asked =
    'sql' in request
      ? { sql: request.sql, params }
      : filledQuery(await findQueryByName({ db }, ownerId, request.saved), params)
  const limits = queryLimits(limitsOfPlan('premium', true))
  return await gate.stream({ ...asked, format, userId: ownerId, limits, tag: 'cliptape query', signal })
}

/** The same for a verb that has the home to itself. */
export async function openQueryStream(
  { store, db, ownerId }: Pick<Stores, 'store' | 'db' | 'ownerId'>,
  request: ControlQueryRequest,
  signal: AbortSignal,
): Promise<Readable> {
  return queryAsOwner({ gate: await createSqlGate(store), db, ownerId }, request, signal)
}
