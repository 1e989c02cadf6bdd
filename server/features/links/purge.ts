import { UserIdSchema } from '../../../contracts/ids.ts'
import type { ServerDeps } from '../../deps.ts'
import { removeLinkSecrets } from './link-row.ts'

const dayMs = 24 * 3_600_000
/** Links that one run looks at. */
const batchMax = 1_000

/**
 * The job: forgets what links kept to themselves once nobody can come back to them, and links of the day before.
 * @returns how many were looked at
 */
export async function purgeLinks({
  db,
  vault,
  clock,
}: Pick<ServerDeps, 'db' | 'vault' | 'clock'>): Promise<{ links: number }> {
  const nowMs = clock.nowMs()
  const late = await db.system
    .selectFrom('account_links')
    .select(['id', 'user_id', 'secret_vault_id'])
    .where('expires_at', '<=', new Date(nowMs))
    .where(eb => eb.or([eb('secret_vault_id', 'is not', null), eb('created_at', '<', new Date(nowMs - dayMs))]))
    .limit(batchMax)
    .execute()
  for (const link of late) {
    await db.transaction(async trx => {
      await removeLinkSecrets(vault, trx, UserIdSchema.parse(link.user_id), [link])
      await trx
        .deleteFrom('account_links')
        .where('id', '=', link.id)
        .where('created_at', '<', new Date(nowMs - dayMs))
        .execute()
    })
  }
  return { links: late.length }
}
