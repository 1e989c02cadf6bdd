import type { AnalyticsContext } from '../../../analytics/context.ts'
import { bestTimes } from '../../../analytics/crm/best-time.ts'
import { ownCounters } from '../../../analytics/crm/counters.ts'
import type { OwnNumbers, OwnPost } from '../../../analytics/crm/own-numbers.ts'
import { ownPerformance } from '../../../analytics/crm/performance.ts'
import { ownPosts, type PostsPage } from '../../../analytics/crm/posts.ts'
import {
  AccountPerformanceSchema,
  type BestTime,
  type BestTimeParams,
  type Performance,
  type PerformanceParams,
  type PostsParams,
} from '../../../contracts/crm.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { PlatformAccount } from '../../../contracts/platform-accounts.ts'
import { policyOf } from '../../../contracts/samples.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { type AccountDeps, listAccounts, noSuchAccount } from '../links/accounts.ts'
import { lackingOf } from './lacking.ts'

export type CrmDeps = AccountDeps & Pick<ServerDeps, 'store' | 'niches'>

/** Posts of one user that are looked at: the newest. */
const postsMax = 5000

/** How a user's accounts did over a period. @throws AppError NOT_FOUND for an account that is not theirs */
export async function readPerformance(deps: CrmDeps, caller: Caller, params: PerformanceParams): Promise<Performance> {
  const accounts = await accountsOf(deps, caller, params.accountId)
  const own = await ownNumbers(deps, ownerOf(caller), accounts)
  const { derivable, withheld } = byTerms(own)
  const ctx = realNumbers(deps)
  const found = await ownPerformance(ctx, derivable, params.period)
  const raw = withheld.accounts.length === 0 ? null : await ownCounters(ctx, withheld, found)
  return {
    period: params.period,
    from: new Date(found.windows.whole.fromMs).toISOString(),
    asOf: new Date(found.windows.whole.toMs).toISOString(),
    bucket: found.bucket,
    // Accounts of which nothing may be derived are in no number of the others.
    total: raw !== null && derivable.accounts.length === 0 ? raw.total : found.total,
    accounts: accounts.flatMap(account => {
      const kpis = found.accounts.get(account.id) ?? raw?.accounts.get(account.id)
      return kpis ? [{ account: AccountPerformanceSchema.shape.account.parse(account), kpis }] : []
    }),
  }
}

/** A page of a user's posts. @throws AppError NOT_FOUND as above, BAD_REQUEST for a cursor that is not ours */
export async function readPosts(deps: CrmDeps, caller: Caller, params: PostsParams): Promise<PostsPage> {
  const accounts = await accountsOf(deps, caller, params.accountId)
  return await ownPosts(realNumbers(deps), await ownNumbers(deps, ownerOf(caller), accounts), params)
}

/** When a user's posts did well early. @throws AppError NOT_FOUND as above */
export async function readBestTime(deps: CrmDeps, caller: Caller, params: BestTimeParams): Promise<BestTime> {
  const accounts = await accountsOf(deps, caller, params.accountId)
  const own = await ownNumbers(deps, ownerOf(caller), accounts)
  const { derivable, withheld } = byTerms(own)
  const found = await bestTimes(realNumbers(deps), derivable, params.timezone)
  const isWithheld = derivable.accounts.length === 0 && withheld.accounts.length > 0
  return {
    state: isWithheld ? 'needs_amendment' : 'value',
    timezone: params.timezone,
    from: new Date(found.fromMs).toISOString(),
    asOf: new Date(found.toMs).toISOString(),
    posts: found.posts,
    cells: found.cells,
  }
}

/** Own accounts are real ones: a replay or imported history that is looked at has other clocks, and none of them. */
export function realNumbers(deps: CrmDeps): AnalyticsContext {
  return { store: deps.store, world: { database: 'cliptape', clock: deps.clock }, niches: deps.niches() }
}

/** The one that is asked for, or all that are not unlinked. */
export async function accountsOf(
  deps: CrmDeps,
  caller: Caller,
  accountId: string | undefined,
): Promise<PlatformAccount[]> {
  const all = await listAccounts(deps, caller)
  if (accountId === undefined) return all.filter(account => account.status !== 'disconnected')
  const one = all.filter(account => account.id === accountId.toLowerCase())
  if (one.length === 0) throw noSuchAccount()
  return one
}

/** The numbers of accounts of which measures may be made, and of the others. */
function byTerms(own: OwnNumbers): { derivable: OwnNumbers; withheld: OwnNumbers } {
  const only = (mayDerive: boolean): OwnNumbers => {
    const accounts = own.accounts.filter(account => account.mayDerive === mayDerive)
    const ids = new Set(accounts.map(account => account.accountId))
    return { ...own, accounts, posts: own.posts.filter(post => ids.has(post.accountId)) }
  }
  return { derivable: only(true), withheld: only(false) }
}

async function ownNumbers(deps: CrmDeps, owner: UserId, accounts: readonly PlatformAccount[]): Promise<OwnNumbers> {
  const amended = await amendedAccounts(deps, owner)
  return {
    owner,
    accounts: accounts.map(account => ({
      accountId: account.id,
      platform: account.platform,
      creatorId: account.platformAccountId,
      lacking: lackingOf(account),
      mayDerive: amended.has(account.id) || policyOf(`own:${account.platform}-api`).mayDerive,
    })),
    posts: await describedPosts(deps, owner, accounts),
  }
}

/** Accounts whose credentials have the terms for derived metrics accepted. */
async function amendedAccounts({ db }: CrmDeps, owner: UserId): Promise<Set<string>> {
  const rows = await db.asUser(owner, trx =>
    trx
      .selectFrom('platform_accounts')
      .innerJoin('developer_credentials', 'vault_id', 'developer_credentials_vault_id')
      .select('platform_accounts.id')
      .where('user_id', '=', owner)
      .where('amendment_accepted_at', 'is not', null)
      .execute(),
  )
  return new Set(rows.map(row => row.id))
}

/** What the owner's list says of the posts of these accounts; those whose date is not known come last. */
async function describedPosts(
  { db, clock }: CrmDeps,
  owner: UserId,
  accounts: readonly PlatformAccount[],
): Promise<OwnPost[]> {
  if (accounts.length === 0) return []
  const rows = await db.asUser(owner, trx =>
    trx
      .selectFrom('polled_posts')
      .select([
        'account_id',
        'platform',
        'video_id',
        'kind',
        'title',
        'url',
        'thumbnail_url',
        'published_at',
        'duration_seconds',
      ])
      .where('owner_id', '=', owner)
      .where(
        'account_id',
        'in',
        accounts.map(account => account.id),
      )
      .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', new Date(clock.nowMs()))]))
      .orderBy('published_at', order => order.desc().nullsLast())
      .orderBy('platform')
      .orderBy('video_id')
      .limit(postsMax)
      .execute(),
  )
  return rows.flatMap(row =>
    row.account_id === null
      ? []
      : [
          {
            accountId: row.account_id,
            platform: row.platform,
            id: row.video_id,
            kind: row.kind,
            title: row.title,
            url: row.url,
            thumbnailUrl: row.thumbnail_url,
            publishedMs: row.published_at?.getTime() ?? null,
            durationSeconds: row.duration_seconds,
          },
        ],
  )
}
