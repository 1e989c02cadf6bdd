import type { UserId } from '../../../contracts/ids.ts'
import { accountsMax } from '../../../contracts/platform-accounts.ts'
import { type QuotaLine, QuotaLineSchema, type QuotaState } from '../../../contracts/quota.ts'
import type { ServerDeps } from '../../deps.ts'

/**
 * What a user's own credentials may still ask of the platforms, limit by limit. Those that nothing was asked with have no
 * line, and those that were removed have none any more.
 */
export async function listQuota(deps: Pick<ServerDeps, 'db' | 'quota'>, userId: UserId): Promise<QuotaLine[]> {
  const states = await deps.quota(userId)
  const { credentials, accounts } = await deps.db.asUser(userId, async trx => ({
    credentials: await trx
      .selectFrom('developer_credentials')
      .select(['vault_id', 'platform', 'kind'])
      .where('owner_id', '=', userId)
      .orderBy('kind')
      .execute(),
    accounts: await trx
      .selectFrom('platform_accounts')
      .select(['platform_name', 'platform_account_id', 'display_name'])
      .where('user_id', '=', userId)
      .limit(accountsMax)
      .execute(),
  }))
  return credentials.flatMap(({ vault_id: vaultId, platform, kind }) =>
    states
      .filter(state => state.credentialKey === vaultId)
      .map(state => {
        const [bucket = '', accountId] = state.bucket.split('/', 2)
        const account = accounts.find(each => each.platform_name === platform && each.platform_account_id === accountId)
        const accountName = accountId === undefined ? null : account?.display_name || accountId
        return QuotaLineSchema.parse({ ...numbersOf(state), platform, kind, bucket, accountName })
      }),
  )
}

function numbersOf({ resetsAtMs, blockedUntilMs, credentialKey: _, ...numbers }: QuotaState) {
  return {
    ...numbers,
    resetsAt: new Date(resetsAtMs).toISOString(),
    blockedUntil: blockedUntilMs === null ? null : new Date(blockedUntilMs).toISOString(),
  }
}
