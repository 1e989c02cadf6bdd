import { sql } from 'kysely'
import { AppError } from '../../contracts/errors.ts'
import type { Db } from '../db/port.ts'
import type { MasterKey, MasterKeys } from './master-key.ts'
import { nameSealingKey } from './own-vault.ts'
import { rewrap } from './seal.ts'

/** Secrets in one transaction: others wait for no more than that. */
const batchRowsDefault = 200

/** How far a rotation is. */
export interface RotationProgress {
  /** Wrapped anew by this run. */
  readonly rewrapped: number
  /** Sealed with keys that nobody has here, or damaged: they stay as they are. */
  readonly unreadable: number
}

/**
 * Wraps the data key of every secret with the newest master key, while everything goes on. From its start everybody
 * seals with the newest key, so the rest only ever gets smaller; readers find the key of each secret by its id. Stopped
 * at any point (the signal, kill -9), a further run does what is left: each batch is a transaction of its own.
 *
 * @throws AppError UNAVAILABLE when the signal fires
 */
export async function rotateVault(
  db: Db,
  keys: MasterKeys,
  options: { onProgress?: (progress: RotationProgress) => void; signal?: AbortSignal; batchRows?: number } = {},
): Promise<RotationProgress> {
  const to = keys.newest
  await db.transaction(trx => nameSealingKey(trx, to))
  let progress: RotationProgress = { rewrapped: 0, unreadable: 0 }
  let after: string | null = null
  for (;;) {
    if (options.signal?.aborted) {
      throw new AppError('UNAVAILABLE', 'The rotation was stopped: run it again, and it goes on where it was.')
    }
    const batch = await rewrapBatch(db, keys, { to, after, rowsMax: options.batchRows ?? batchRowsDefault })
    if (batch.last === null) return progress
    after = batch.last
    progress = {
      rewrapped: progress.rewrapped + batch.rewrapped,
      unreadable: progress.unreadable + batch.unreadable,
    }
    options.onProgress?.(progress)
  }
}

async function rewrapBatch(
  db: Db,
  keys: MasterKeys,
  { to, after, rowsMax }: { to: MasterKey; after: string | null; rowsMax: number },
): Promise<RotationProgress & { last: string | null }> {
  return await db.transaction(async trx => {
    const rows = await trx
      .selectFrom('vault_secrets')
      .select(['id', 'owner_id', 'purpose', 'key_id', 'wrapped_key'])
      .where('key_id', '<>', to.id)
      .$if(after !== null, query => query.where('id', '>', after))
      .orderBy('id')
      .limit(rowsMax)
      .forUpdate()
      .execute()
    const done: { id: string; wrapped: Buffer }[] = []
    for (const row of rows) {
      const from = keys.byId(row.key_id ?? '')
      const binding = { id: row.id, ownerId: row.owner_id, purpose: row.purpose }
      const wrapped = from && row.wrapped_key ? tryRewrap({ from, to }, binding, row.wrapped_key) : null
      if (wrapped) done.push({ id: row.id, wrapped })
    }
    if (done.length > 0) {
      await sql`update vault_secrets s set key_id = ${to.id}, wrapped_key = n.wrapped
        from unnest(${done.map(row => row.id)}::uuid[], ${done.map(row => row.wrapped)}::bytea[]) as n (id, wrapped)
        where s.id = n.id`.execute(trx)
    }
    return { rewrapped: done.length, unreadable: rows.length - done.length, last: rows.at(-1)?.id ?? null }
  })
}

/** Null for a damaged row: one of them must not keep all others on the old key. */
function tryRewrap(...args: Parameters<typeof rewrap>): Buffer | null {
  try {
    return rewrap(...args)
  } catch {
    return null
  }
}
