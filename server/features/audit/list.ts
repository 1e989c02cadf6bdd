import { type AuditRow, AuditRowSchema } from '../../../contracts/audit.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Db } from '../../../core/db/port.ts'

/** What happened to an account, newest first. `before` is the id of the last line that was seen. */
export async function listAudit(
  db: Db,
  userId: UserId,
  page: { readonly limit: number; readonly before: string | null },
): Promise<{ rows: AuditRow[]; hasMore: boolean }> {
  const found = await db.asUser(userId, trx => {
    const lines = trx.selectFrom('audit_log').selectAll()
    const older = page.before === null ? lines : lines.where('id', '<', page.before)
    return older
      .orderBy('id', 'desc')
      .limit(page.limit + 1)
      .execute()
  })
  const rows = found.slice(0, page.limit).map(row =>
    AuditRowSchema.parse({
      id: row.id,
      at: row.created_at.toISOString(),
      actor: row.actor,
      actorId: row.actor_id,
      action: row.action,
      target: row.target,
      details: row.details,
      requestId: row.request_id,
      address: row.address,
    }),
  )
  return { rows, hasMore: found.length > page.limit }
}
