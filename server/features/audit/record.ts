import type { Transaction } from 'kysely'
import type { AuditAction } from '../../../contracts/audit.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Caller } from '../../http/caller.ts'

/** What happened, to what. `details` holds only what its owner may read: no secrets. */
export interface AuditEntry {
  readonly action: AuditAction
  /** e.g. `key:<id>`; null when it is the account itself. */
  readonly target: string | null
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Writes one line of the audit log in the transaction of the change itself: both happen, or neither.
 * @param userId whose account was changed
 * @param caller who did it; null when nobody had signed in (a registration, a reset by mail) or a job did it
 */
export async function recordAudit(
  trx: Transaction<Database>,
  userId: UserId,
  caller: Caller | null,
  entry: AuditEntry,
): Promise<void> {
  await trx
    .insertInto('audit_log')
    .values({
      user_id: userId,
      actor: caller?.principal?.scheme ?? 'system',
      actor_id: caller?.principal?.credentialId ?? null,
      action: entry.action,
      target: entry.target,
      details: JSON.stringify(entry.details ?? {}),
      request_id: caller?.requestId ?? null,
      address: caller?.address ?? null,
    })
    .execute()
}
