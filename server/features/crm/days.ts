import { type OwnDay, readOwnDays } from '../../../analytics/crm/own-days.ts'
import { type AccountDays, AccountPerformanceSchema, type CrmDay, type DaysParams } from '../../../contracts/crm.ts'
import type { PlatformAccount } from '../../../contracts/platform-accounts.ts'
import { dayScopes } from '../../../platforms/day-scopes.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { accountsOf, type CrmDeps, realNumbers } from './service.ts'

const dayMs = 86_400_000
/** Days are two to three days late, and read every six hours. */
const staleAfterMs = 5 * dayMs

/** What platforms counted of a user's accounts by day. @throws AppError NOT_FOUND for an account that is not theirs */
export async function readDays(deps: CrmDeps, caller: Caller, params: DaysParams): Promise<AccountDays[]> {
  const accounts = await accountsOf(deps, caller, params.accountId)
  const own = accounts.map(account => ({
    accountId: account.id,
    platform: account.platform,
    creatorId: account.platformAccountId,
  }))
  const nowMs = deps.clock.nowMs()
  // The day that began so many days ago is the oldest one.
  const sinceMs = nowMs - params.days * dayMs
  const found = await readOwnDays(realNumbers(deps), { owner: ownerOf(caller), accounts: own }, sinceMs)
  return accounts.map(account => {
    const days = found.get(account.id) ?? []
    return {
      account: AccountPerformanceSchema.shape.account.parse(account),
      state: stateOf(account, days, nowMs),
      days: days.map(shown),
    }
  })
}

function stateOf(account: PlatformAccount, days: readonly OwnDay[], nowMs: number): AccountDays['state'] {
  if (account.missingScopes.some(scope => dayScopes.includes(scope))) return 'needs_scope'
  const last = days.at(-1)
  if (!last) return 'not_provided'
  return last.end_ms < nowMs - staleAfterMs ? 'stale' : 'value'
}

function shown(row: OwnDay): CrmDay {
  return {
    day: row.day,
    views: row.views,
    likes: row.likes,
    comments: row.comments,
    shares: row.shares,
    saves: row.saves,
    watchMinutes: row.watch_minutes,
    followersGained: row.followers_gained,
    followersLost: row.followers_lost,
    observedAt: new Date(row.at_ms).toISOString(),
  }
}
