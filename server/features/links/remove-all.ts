import type { Transaction } from 'kysely'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { Vault } from '../../../core/vault/port.ts'
import type { Caller } from '../../http/caller.ts'
import { recordAudit } from '../audit/record.ts'
import { credentialsOf } from '../credentials/stored.ts'
import { removeTokens } from './account-tokens.ts'
import { removeLinkSecrets } from './link-row.ts'

/**
 * Forgets everything of platforms that an account holds: developer credentials, linked accounts with what was read of them,
 * links under way, and the secrets of all. In the caller's transaction, which is one of our own bookkeeping; numbers go when
 * `tellNumbersEnded` is called after it.
 */
export async function removeAllLinked(
  vault: Vault,
  trx: Transaction<Database>,
  { userId, caller }: { userId: UserId; caller: Caller },
): Promise<void> {
  const links = await trx
    .deleteFrom('account_links')
    .where('user_id', '=', userId)
    .returning('secret_vault_id')
    .execute()
  await removeLinkSecrets(vault, trx, userId, links)
  const accounts = await trx.deleteFrom('platform_accounts').where('user_id', '=', userId).returningAll().execute()
  for (const row of accounts) {
    const { platform_name: platform, access_token_vault_id: accessId, refresh_token_vault_id: refreshId } = row
    await removeTokens(vault, trx, { userId, platform, accessId, refreshId })
    await recordAudit(trx, userId, caller, {
      action: 'platform.unlinked',
      target: `account:${row.id}`,
      details: { platform, platformAccountId: row.platform_account_id, revokedAtPlatform: false },
    })
  }
  const credentials = await trx
    .deleteFrom('developer_credentials')
    .where('owner_id', '=', userId)
    .returning(['platform', 'kind', 'vault_id'])
    .execute()
  for (const { platform, kind, vault_id: vaultId } of credentials) {
    await vault.remove(trx, credentialsOf(userId), secretId(vaultId))
    await recordAudit(trx, userId, caller, {
      action: 'credentials.removed',
      target: `credentials:${vaultId}`,
      details: { platform, kind, needsReauth: [] },
    })
  }
}
