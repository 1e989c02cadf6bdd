import { z } from 'zod'
import type { CrmPost, FrozenAge, PostSort } from '../../contracts/crm.ts'
import { AppError } from '../../contracts/errors.ts'
import { PlatformSchema, videoId } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { readListCursor, writeCursor } from '../measures/cursor.ts'
import { refKey, type VideoDescription, videoDescriptions } from '../measures/details.ts'
import { maybeNumber, runQuery, wholeNumber } from '../queries/run-query.ts'
import { engagementOf, frozenAges, outlierOf } from '../scores.ts'
import { accountKey, type OwnAccount, type OwnNumbers, ownParams, postCounters, postsPart } from './own-numbers.ts'

/** Posts that a list has: the newest. */
const postsMax = 5000
/** Of those, the newest whose outlier multiple is computed to order them by it. */
const outliersMax = 500
const hourMs = 3_600_000

const PostRow = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  creator_id: z.string(),
  kind: z.string(),
  published_ms: maybeNumber,
  views: maybeNumber,
  likes: maybeNumber,
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
  views_ms: wholeNumber,
  at_ms: wholeNumber,
  source: z.string(),
})
type Post = z.infer<typeof PostRow>

type Outlier = ReturnType<typeof outlierOf>

/** A page of own posts. `rankedAmong`: the list has only so many of the newest, where its order is dear. */
export interface PostsPage {
  readonly rows: CrmPost[]
  readonly asOf: Date
  readonly rankedAmong: number | null
  readonly nextCursor: string | null
}

/**
 * Own posts with their last counters. Later pages look at the instant of the first.
 * @throws AppError BAD_REQUEST for a cursor that is not ours
 */
export async function ownPosts(
  ctx: AnalyticsContext,
  own: OwnNumbers,
  params: { readonly sort: PostSort; readonly limit: number; readonly cursor?: string | undefined },
): Promise<PostsPage> {
  const after = params.cursor === undefined ? null : readPostsCursor(params.cursor)
  const nowMs = ctx.world.clock.nowMs()
  const at = { own, endMs: Math.min(nowMs, after?.endMs ?? nowMs) }
  const found = own.accounts.length === 0 ? [] : await readPosts(ctx, at)
  const isByOutlier = params.sort === 'outlier'
  const posts = isByOutlier ? found.slice(0, outliersMax) : found
  const known = isByOutlier ? await outliersOf(ctx, at, posts) : new Map<string, Outlier>()
  const ranked = posts
    .map(post => ({ post, key: refOf(post), value: amountOf(post, params.sort, known) }))
    .sort(inOrder)
  const rest = after === null ? ranked : ranked.filter(one => inOrder(one, after) > 0)
  const page = rest.slice(0, params.limit)
  const last = page.at(-1)
  return {
    rows: await rowsOf(
      ctx,
      at,
      page.map(one => one.post),
      isByOutlier ? known : null,
    ),
    asOf: new Date(at.endMs),
    rankedAmong: isByOutlier ? outliersMax : null,
    nextCursor:
      last && rest.length > page.length ? writeCursor({ after: [at.endMs, last.value ?? '', last.key] }) : null,
  }
}

interface At {
  readonly own: OwnNumbers
  readonly endMs: number
}

interface Place {
  readonly value: number | null
  readonly key: string
}

function readPostsCursor(text: string): Place & { endMs: number } {
  const [endMs, value, key] = readListCursor(text)
  if (typeof endMs === 'number' && Number.isSafeInteger(endMs) && endMs >= 0 && typeof key === 'string')
    return { endMs, value: typeof value === 'number' ? value : null, key }
  throw new AppError('BAD_REQUEST', 'The cursor is not one that was given out: start again without it.', {
    details: { field: 'cursor' },
  })
}

/** The largest first, those without a value last; ties by key. */
function inOrder(a: Place, b: Place): number {
  if (a.value !== b.value) {
    if (a.value === null) return 1
    if (b.value === null) return -1
    return b.value - a.value
  }
  return a.key < b.key ? -1 : a.key > b.key ? 1 : 0
}

function refOf(post: Post): string {
  return refKey({ platform: post.platform, id: post.video_id })
}

function amountOf(post: Post, sort: PostSort, outliers: ReadonlyMap<string, Outlier>): number | null {
  if (sort === 'newest') return post.published_ms
  if (sort === 'engagement') return engagementOf(post).value
  if (sort === 'outlier') return outliers.get(refOf(post))?.multiple ?? null
  return post[sort]
}

async function readPosts(ctx: AnalyticsContext, { own, endMs }: At): Promise<Post[]> {
  const values = { ...ownParams(own), endMs, postsMax }
  return await runQuery(ctx, postsPart('posts'), values, PostRow, { tag: 'crm:posts' })
}

async function rowsOf(
  ctx: AnalyticsContext,
  at: At,
  posts: readonly Post[],
  known: ReadonlyMap<string, Outlier> | null,
): Promise<CrmPost[]> {
  const accounts = new Map(at.own.accounts.map(account => [accountKey(account), account]))
  const refs = posts.map(post => ({ platform: post.platform, id: post.video_id }))
  const [descriptions, outliers, ages] = await Promise.all([
    videoDescriptions(ctx, refs),
    known ?? outliersOf(ctx, at, posts),
    agesOf(ctx, at, posts),
  ])
  return posts.flatMap(post => {
    const account = accounts.get(accountKey({ platform: post.platform, creatorId: post.creator_id }))
    if (!account) return []
    const key = refOf(post)
    return rowOf(post, account, {
      said: descriptions.get(key),
      outlier: outliers.get(key) ?? { multiple: null, z: null },
      ages: agesAt(post, ages.get(key) ?? new Map(), at.endMs),
    })
  })
}

function rowOf(
  post: Post,
  account: OwnAccount,
  of: { said: VideoDescription | undefined; outlier: Outlier; ages: FrozenAge[] },
): CrmPost {
  const engagement = engagementOf(post)
  const missing: CrmPost['missing'] = {}
  for (const name of postCounters) {
    if (post[name] === null) missing[name] = account.lacking.has(name) ? 'needs_scope' : 'not_provided'
  }
  if (engagement.value === null) missing.engagement = missing.views ?? 'too_few'
  if (of.outlier.multiple === null) missing.outlier = 'too_few'
  if (of.outlier.z === null) missing.outlierZ = 'too_few'
  if (post.published_ms === null) missing.publishedAt = 'not_provided'
  return {
    videoId: videoId(post.platform, post.video_id),
    accountId: account.accountId,
    platform: post.platform,
    kind: post.kind || 'clip',
    title: of.said?.title ?? '',
    url: of.said?.url ?? '',
    thumbnailUrl: of.said?.thumbnail_url ?? '',
    publishedAt: isoOf(post.published_ms),
    views: post.views,
    likes: post.likes,
    comments: post.comments,
    shares: post.shares,
    saves: post.saves,
    engagement: engagement.value,
    engagementOver: engagement.over,
    outlier: of.outlier.multiple,
    outlierZ: of.outlier.z,
    ages: of.ages,
    observedAt: isoOf(post.at_ms),
    source: post.source,
    missing,
  }
}

const PeersRow = z.object({ platform: z.string(), video_id: z.string(), peers: z.array(wholeNumber) })

/** Posts whose date or views are not known, or that were read before they came out, have no age to compare at. */
async function outliersOf(ctx: AnalyticsContext, at: At, posts: readonly Post[]): Promise<Map<string, Outlier>> {
  const timed = posts.flatMap(post =>
    post.published_ms === null || post.views === null || post.views_ms < post.published_ms
      ? []
      : [{ post, publishedMs: post.published_ms, views: post.views }],
  )
  if (timed.length === 0) return new Map()
  const values = {
    ...ownParams(at.own),
    endMs: at.endMs,
    ...pageOf(timed.map(({ post }) => post)),
    pageCreators: timed.map(({ post }) => post.creator_id),
    pageKinds: timed.map(({ post }) => post.kind),
    pagePublished: timed.map(({ publishedMs }) => publishedMs),
    pageAges: timed.map(({ post, publishedMs }) => post.views_ms - publishedMs),
  }
  const rows = await runQuery(ctx, postsPart('peers'), values, PeersRow, { tag: 'crm:posts' })
  const peers = new Map(rows.map(row => [refKey({ platform: row.platform, id: row.video_id }), row.peers]))
  return new Map(timed.map(({ post, views }) => [refOf(post), outlierOf(views, peers.get(refOf(post)) ?? [])]))
}

const AgeRow = z.object({ platform: z.string(), video_id: z.string(), age_hours: wholeNumber, views: wholeNumber })

/** Views by age in ms, by post. */
async function agesOf(
  ctx: AnalyticsContext,
  at: At,
  posts: readonly Post[],
): Promise<Map<string, Map<number, number>>> {
  const dated = posts.filter(post => post.published_ms !== null)
  const found = new Map<string, Map<number, number>>()
  if (dated.length === 0) return found
  const values = {
    ...ownParams(at.own),
    endMs: at.endMs,
    ...pageOf(dated),
    pagePublished: dated.flatMap(post => post.published_ms ?? []),
    ages: frozenAges.map(({ ms }) => ms / hourMs),
  }
  for (const row of await runQuery(ctx, postsPart('ages'), values, AgeRow, { tag: 'crm:posts' })) {
    const key = refKey({ platform: row.platform, id: row.video_id })
    const ages = found.get(key) ?? new Map<number, number>()
    found.set(key, ages.set(row.age_hours * hourMs, row.views))
  }
  return found
}

function agesAt(post: Post, known: ReadonlyMap<number, number>, nowMs: number): FrozenAge[] {
  return frozenAges.map(({ name, ms }) => {
    if (post.published_ms === null) return { age: name, views: null, state: 'not_provided' }
    if (post.published_ms + ms > nowMs) return { age: name, views: null, state: 'pending' }
    const views = known.get(ms) ?? null
    return { age: name, views, state: views === null ? 'too_few' : views === 0 ? 'zero' : 'value' }
  })
}

function pageOf(posts: readonly Post[]): { pagePlatforms: string[]; pageIds: string[] } {
  return { pagePlatforms: posts.map(post => post.platform), pageIds: posts.map(post => post.video_id) }
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
