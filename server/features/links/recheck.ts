/**
 * Whether links still hold. Whoever reads an account's numbers proves its link each time, so that only accounts that nobody
 * has read for a day are asked, once, for who they are.
 */
import { sql } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type Platform, UserIdSchema } from '../../../contracts/ids.ts'
import { credentialKinds, PlatformError } from '../../../platforms/port.ts'
import { type TokenDeps, withAccessToken } from './access-token.ts'
import type { Spend } from './spend.ts'

const dayMs = 24 * 3_600_000
/** Accounts that one run looks at. */
const batchMax = 500

export interface RecheckDeps extends TokenDeps {
  readonly spend: Spend
}

/**
 * The job: notes which accounts were read, and asks for the others. One whose grant is dead must then be linked again; what
 * else fails is tried again by the next run.
 * @returns how many accounts answered
 */
export async function recheckAccounts(deps: RecheckDeps): Promise<{ answered: number }> {
  await noteReadings(deps)
  const due = await deps.db.system
    .selectFrom('platform_accounts')
    .select(['id', 'user_id', 'platform_name', 'platform_account_id', 'credentials_kind', 'scopes'])
    .select('developer_credentials_vault_id as credentialKey')
    .where('status', '=', 'connected')
    .where('last_validated_at', '<=', new Date(deps.clock.nowMs() - dayMs))
    .orderBy('last_validated_at')
    .limit(batchMax)
    .execute()
  let answered = 0
  for (const account of due) if (await recheck(deps, account)) answered += 1
  return { answered }
}

async function noteReadings({ db }: RecheckDeps): Promise<void> {
  await sql`
    update platform_accounts a set last_validated_at = read.at
    from (
      select account_id, max(last_polled_at) as at from polls
      where path = 'own' and task = 'account' and error_class is null and last_polled_at is not null
      group by account_id
    ) read
    where read.account_id = a.id and a.status = 'connected' and read.at > a.last_validated_at`.execute(db.system)
}

interface DueAccount {
  readonly id: string
  readonly user_id: string
  readonly platform_name: Platform
  readonly platform_account_id: string
  readonly credentials_kind: string
  readonly scopes: readonly string[]
  readonly credentialKey: string | null
}

async function recheck(deps: RecheckDeps, account: DueAccount): Promise<boolean> {
  const { platform_account_id: platformAccountId, credentialKey, scopes } = account
  const kind = credentialKinds.find(name => name === account.credentials_kind)
  const data = kind === undefined ? null : deps.platforms.data(kind)
  const cost = data?.cost('account', 'own') ?? null
  if (data === null || cost === null || credentialKey === null) return false
  const ownerId = UserIdSchema.parse(account.user_id)
  if (!(await deps.spend({ ownerId, credentialKey, platformAccountId, cost }))) return false
  try {
    await withAccessToken(deps, account.id, accessToken => data.account({ accessToken, scopes }, platformAccountId))
  } catch (err) {
    if (!(err instanceof PlatformError || err instanceof AppError)) throw err
    deps.log.info({ err, accountId: account.id }, 'An account could not be asked whether its link holds.')
    return false
  }
  await deps.db.system
    .updateTable('platform_accounts')
    .set({ last_validated_at: new Date(deps.clock.nowMs()) })
    .where('id', '=', account.id)
    .where('status', '=', 'connected')
    .execute()
  return true
}
