import { z } from 'zod'
import type { CrmPost, FrozenAge, PostSort } from '../../contracts/crm.ts'
import { AppError } from '../../contracts/errors.ts'
import { videoId } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { readListCursor, writeCursor } from '../measures/cursor.ts'
import { refKey } from '../measures/details.ts'
import { compose, maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { engagementOf, frozenAges, outlierOf } from '../scores.ts'
import {
  type OwnAccount,
  type OwnNumbers,
  type OwnPost,
  ownQuerySettings,
  postCounters,
  postParams,
  viewsAtAges,
} from './own-numbers.ts'

/** The newest posts, whose outlier multiple is computed to order them by it. */
const outliersMax = 200
/** Earlier posts that a post is held against. */
const peersMax = 30
const hourMs = 3_600_000

const ReadRow = z.object({
  platform: z.string(),
  id: z.string(),
  views: maybeNumber,
  likes: maybeNumber,
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
  views_ms: wholeNumber,
  at_ms: wholeNumber,
  source: z.string(),
})
/** A post with its last counters; one that was never read has none. */
type Post = OwnPost & Omit<z.infer<typeof ReadRow>, 'platform' | 'id'>

const neverRead = {
  ...{ views: null, likes: null, comments: null, shares: null, saves: null },
  ...{ views_ms: 0, at_ms: 0, source: '' },
}

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
  params: {
    readonly sort: PostSort
    readonly kind?: CrmPost['kind'] | undefined
    readonly limit: number
    readonly cursor?: string | undefined
  },
): Promise<PostsPage> {
  const after = params.cursor === undefined ? null : readPostsCursor(params.cursor)
  const nowMs = ctx.world.clock.nowMs()
  const at = { own, endMs: Math.min(nowMs, after?.endMs ?? nowMs) }
  const all = own.posts.length === 0 ? [] : await readPosts(ctx, at)
  const found = params.kind === undefined ? all : all.filter(post => post.kind === params.kind)
  const withheld = new Set(own.accounts.flatMap(account => (account.mayDerive ? [] : [account.accountId])))
  const isByOutlier = params.sort === 'outlier'
  const posts = isByOutlier ? found.slice(0, outliersMax) : found
  const known = isByOutlier ? await outliersOf(ctx, at, posts) : new Map<string, Outlier>()
  const ranked = posts
    .map(post => ({ post, key: refKey(post), value: amountOf(post, params.sort, { known, withheld }) }))
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

/** Posts of accounts of which no measure may be made have none to be ordered by. */
function amountOf(
  post: Post,
  sort: PostSort,
  { known, withheld }: { known: ReadonlyMap<string, Outlier>; withheld: ReadonlySet<string> },
): number | null {
  if (sort === 'newest') return post.publishedMs
  if (sort !== 'engagement' && sort !== 'outlier') return post[sort]
  if (withheld.has(post.accountId)) return null
  return sort === 'engagement' ? engagementOf(post).value : (known.get(refKey(post))?.multiple ?? null)
}

const options = { tag: 'crm:posts', settings: ownQuerySettings }

async function readPosts(ctx: AnalyticsContext, { own, endMs }: At): Promise<Post[]> {
  const values = { owner: own.owner, endMs, ...postParams(own.posts) }
  const rows = await runQuery(ctx, sqlPart('crm-posts', 'posts'), values, ReadRow, options)
  const read = new Map(rows.map(row => [refKey(row), row]))
  return own.posts.map(post => ({ ...neverRead, ...read.get(refKey(post)), ...post }))
}

async function rowsOf(
  ctx: AnalyticsContext,
  at: At,
  posts: readonly Post[],
  known: ReadonlyMap<string, Outlier> | null,
): Promise<CrmPost[]> {
  const accounts = new Map(at.own.accounts.map(account => [account.accountId, account]))
  const ages = frozenAges.map(({ ms }) => ms / hourMs)
  const [outliers, views] = await Promise.all([
    known ?? outliersOf(ctx, at, posts),
    viewsAtAges(ctx, { owner: at.own.owner, posts, ages, endMs: at.endMs }),
  ])
  return posts.map(post => {
    const key = refKey(post)
    return rowOf(post, accounts.get(post.accountId), {
      outlier: outliers.get(key) ?? { multiple: null, z: null },
      ages: agesAt(post, views.get(key) ?? new Map(), at.endMs),
    })
  })
}

function rowOf(post: Post, account: OwnAccount | undefined, of: { outlier: Outlier; ages: FrozenAge[] }): CrmPost {
  const mayDerive = account?.mayDerive ?? true
  const engagement = mayDerive ? engagementOf(post) : { value: null, over: [] }
  const outlier = mayDerive ? of.outlier : { multiple: null, z: null }
  const missing: CrmPost['missing'] = {}
  for (const name of postCounters) {
    if (post[name] === null) missing[name] = account?.lacking.has(name) ? 'needs_scope' : 'not_provided'
  }
  const none = mayDerive ? 'too_few' : 'needs_amendment'
  if (engagement.value === null) missing.engagement = mayDerive ? (missing.views ?? none) : none
  if (outlier.multiple === null) missing.outlier = none
  if (outlier.z === null) missing.outlierZ = none
  if (post.publishedMs === null) missing.publishedAt = 'not_provided'
  if (post.durationSeconds === null) missing.durationSeconds = 'not_provided'
  return {
    videoId: videoId(post.platform, post.id),
    accountId: post.accountId,
    platform: post.platform,
    kind: post.kind,
    title: post.title,
    url: post.url,
    thumbnailUrl: post.thumbnailUrl,
    publishedAt: isoOf(post.publishedMs),
    durationSeconds: post.durationSeconds,
    views: post.views,
    likes: post.likes,
    comments: post.comments,
    shares: post.shares,
    saves: post.saves,
    engagement: engagement.value,
    engagementOver: engagement.over,
    outlier: outlier.multiple,
    outlierZ: outlier.z,
    ages: of.ages,
    observedAt: post.at_ms === 0 ? null : isoOf(post.at_ms),
    source: post.source,
    missing,
  }
}

const PeersRow = z.object({ subject: wholeNumber, peers: z.array(wholeNumber) })

/** Posts whose date or views are not known, or that were read before they came out, have no age to compare at. */
async function outliersOf(ctx: AnalyticsContext, at: At, posts: readonly Post[]): Promise<Map<string, Outlier>> {
  const timed = posts.flatMap(post =>
    post.publishedMs === null || post.views === null || post.views_ms < post.publishedMs
      ? []
      : [{ post, views: post.views, ageMs: post.views_ms - post.publishedMs }],
  )
  const pairs = timed.flatMap(({ post, ageMs }, subject) =>
    peersOf(post, at.own.posts).map(peer => ({ ...peer, subject, untilMs: peer.publishedMs + ageMs })),
  )
  const values = {
    owner: at.own.owner,
    endMs: at.endMs,
    ...postParams(pairs),
    subjects: pairs.map(pair => pair.subject),
    untils: pairs.map(pair => pair.untilMs),
  }
  const text = compose(sqlPart('crm-posts', 'peers'), { counted: sqlPart('crm-posts', 'counted') })
  const rows = pairs.length === 0 ? [] : await runQuery(ctx, text, values, PeersRow, options)
  const peers = new Map(rows.map(row => [row.subject, row.peers]))
  return new Map(timed.map(({ post, views }, subject) => [refKey(post), outlierOf(views, peers.get(subject) ?? [])]))
}

/** The account's last posts of the same kind before it; all of them come newest first. */
function peersOf(post: OwnPost, all: readonly OwnPost[]): (OwnPost & { readonly publishedMs: number })[] {
  const { publishedMs } = post
  if (publishedMs === null) return []
  const earlier = all.flatMap(one =>
    one.publishedMs !== null &&
    one.publishedMs < publishedMs &&
    one.accountId === post.accountId &&
    one.kind === post.kind
      ? [{ ...one, publishedMs: one.publishedMs }]
      : [],
  )
  return earlier.slice(0, peersMax)
}

function agesAt(post: Post, known: ReadonlyMap<number, number>, nowMs: number): FrozenAge[] {
  return frozenAges.map(({ name, ms }) => {
    if (post.publishedMs === null) return { age: name, views: null, state: 'not_provided' }
    if (post.publishedMs + ms > nowMs) return { age: name, views: null, state: 'pending' }
    const views = known.get(ms / hourMs) ?? null
    return { age: name, views, state: views === null ? 'too_few' : views === 0 ? 'zero' : 'value' }
  })
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
