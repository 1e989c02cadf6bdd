import { z } from 'zod'
import type { CrmPost, KpiName } from '../../contracts/crm.ts'
import type { Platform, UserId } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { type NativeRef, refKey } from '../measures/details.ts'
import { compose, type QueryParams, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'

/** A linked account, and which of its numbers it lacks a permission for. */
export interface OwnAccount {
  readonly accountId: string
  readonly platform: Platform
  /** The platform's own id of the account. */
  readonly creatorId: string
  readonly lacking: ReadonlySet<KpiName>
  /** Measures may be made of its numbers: its platform's terms for them are accepted, or it has none. */
  readonly mayDerive: boolean
}

/** A post of one of the accounts, as it is described to its owner alone. */
export interface OwnPost
  extends NativeRef,
    Pick<CrmPost, 'kind' | 'title' | 'url' | 'thumbnailUrl' | 'durationSeconds'> {
  readonly accountId: string
  readonly platform: Platform
  readonly publishedMs: number | null
}

/** Whose private numbers are asked for, of which accounts and posts: at most 5,000 posts, the newest first. */
export interface OwnNumbers {
  readonly owner: UserId
  readonly accounts: readonly OwnAccount[]
  readonly posts: readonly OwnPost[]
}

/** Counters that a post can have. */
export const postCounters = ['views', 'likes', 'comments', 'shares', 'saves'] as const
export type PostCounter = (typeof postCounters)[number]

/** Thousands of ids are more than the engine's 256 KiB. */
export const ownQuerySettings = { max_query_size: 16 * 1024 * 1024 } as const

/** The parameters that name posts. */
export function postParams(posts: readonly NativeRef[]): QueryParams {
  return { postPlatforms: posts.map(post => post.platform), postIds: posts.map(post => post.id) }
}

/** The parameters that name accounts, and whose they are. */
export function accountParams({
  owner,
  accounts,
}: {
  readonly owner: UserId
  readonly accounts: readonly Pick<OwnAccount, 'platform' | 'creatorId'>[]
}): QueryParams {
  return {
    owner,
    accountPlatforms: accounts.map(account => account.platform),
    accountIds: accounts.map(account => account.creatorId),
  }
}

const AgeRow = z.object({ platform: z.string(), id: z.string(), age_hours: wholeNumber, views: wholeNumber })

/**
 * Views at ages of the posts whose date is known: the last reading up to each age, no older than 36 h; by post, then age.
 * @param o.ages hours; one that a post has not reached is read as if it were now
 * @param o.endMs no reading after it is looked at
 */
export async function viewsAtAges(
  ctx: AnalyticsContext,
  o: { owner: UserId; posts: readonly OwnPost[]; ages: readonly number[]; endMs: number },
): Promise<Map<string, ReadonlyMap<number, number>>> {
  const dated = o.posts.flatMap(post => (post.publishedMs === null ? [] : [{ ...post, publishedMs: post.publishedMs }]))
  if (dated.length === 0) return new Map()
  const values = {
    owner: o.owner,
    endMs: o.endMs,
    ages: o.ages,
    ...postParams(dated),
    postPublished: dated.map(post => post.publishedMs),
  }
  const text = compose(sqlPart('crm-posts', 'ages'), { counted: sqlPart('crm-posts', 'counted') })
  const rows = await runQuery(ctx, text, values, AgeRow, { tag: 'crm:ages', settings: ownQuerySettings })
  const byPost = Map.groupBy(rows, refKey)
  return new Map([...byPost].map(([key, found]) => [key, new Map(found.map(row => [row.age_hours, row.views]))]))
}
