/** The posts that are known, and when the numbers of each are read next. */
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import type { Db } from '../../core/db/port.ts'
import type { Database } from '../../core/db/schema.ts'
import type { PostReading } from '../../platforms/port.ts'
import { cutText } from '../values.ts'
import { jittered, postIntervalMs } from './pace.ts'
import { type Poll, publicScope } from './poll-rows.ts'
import { webAddress } from './reading-items.ts'

/** A post that did not come so often in a row is gone. */
const missesMax = 3
/** A post that did not come is asked for again after this. */
const missedAfterMs = 6 * 3_600_000

interface Now {
  readonly nowMs: number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** The account of an own poll; all zeros on the public path. */
export function scopeOf(poll: Pick<Poll, 'path' | 'accountId'>): string {
  return poll.path === 'own' && poll.accountId !== null ? poll.accountId : publicScope
}

/**
 * What is known of these: those that are not in it are new. `hasDetails` is false for what only a list has named: of posts,
 * or of broadcasts, which say nothing of numbers.
 */
export async function knownPosts(
  db: Db,
  poll: Poll,
  videoIds: readonly string[],
): Promise<Map<string, { readonly hasDetails: boolean }>> {
  if (videoIds.length === 0) return new Map()
  const known = await db.system
    .selectFrom('polled_posts')
    .select(['video_id', 'duration_seconds', 'last_read_at'])
    .where('scope', '=', scopeOf(poll))
    .where('platform', '=', poll.platform)
    .where('video_id', 'in', [...videoIds])
    .limit(videoIds.length)
    .execute()
  return new Map(
    known.map(row => [row.video_id, { hasDetails: row.duration_seconds !== null && row.last_read_at !== null }]),
  )
}

const LastReadingSchema = z.object({
  videoId: z.string(),
  creatorId: z.string(),
  publishedAt: z.date().nullable(),
  lastReadAt: z.date().nullable(),
  lastViews: z.coerce.bigint().nullable(),
})
/** A post whose numbers are due. */
export type DuePost = z.infer<typeof LastReadingSchema>

/** Posts of the poll's scope and credential that are due, the longest due first. Only who holds the poll reads them. */
export async function duePosts(db: Db, poll: Poll, o: { nowMs: number; max: number }): Promise<DuePost[]> {
  const { rows } = await sql`
    select video_id as "videoId", creator_id as "creatorId", published_at as "publishedAt",
      last_read_at as "lastReadAt", last_views as "lastViews"
    from polled_posts
    where scope = ${scopeOf(poll)} and credential_key = ${poll.credentialKey} and platform = ${poll.platform}
      and next_poll_at <= ${new Date(o.nowMs)}
    order by next_poll_at limit ${o.max}`.execute(db.system)
  return z.array(LastReadingSchema).parse(rows)
}

/** When the next post of the poll's is due; null when none is planned. */
export async function nextPostDueMs(db: Db, poll: Poll): Promise<number | null> {
  const row = await db.system
    .selectFrom('polled_posts')
    .select('next_poll_at')
    .where('scope', '=', scopeOf(poll))
    .where('credential_key', '=', poll.credentialKey)
    .where('platform', '=', poll.platform)
    .where('next_poll_at', 'is not', null)
    .orderBy('next_poll_at')
    .limit(1)
    .executeTakeFirst()
  return row?.next_poll_at?.getTime() ?? null
}

/**
 * Keeps what a list or a look at posts said. What was not given does not replace what is known; titles of the public path
 * are kept in the analytics store alone.
 */
export async function keepPosts(
  trx: Transaction<Database>,
  poll: Poll,
  posts: readonly PostReading[],
  now: Now,
): Promise<void> {
  const rows = [...new Map(posts.map(post => [post.videoId, post])).values()].map(post => rowOf(poll, post, now))
  if (rows.length === 0) return
  await trx
    .insertInto('polled_posts')
    .values(rows)
    .onConflict(conflict =>
      conflict.columns(['scope', 'platform', 'video_id']).doUpdateSet({
        kind: sql`case when excluded.kind = 'clip' then polled_posts.kind else excluded.kind end`,
        title: sql`coalesce(nullif(excluded.title, ''), polled_posts.title)`,
        url: sql`coalesce(nullif(excluded.url, ''), polled_posts.url)`,
        thumbnail_url: sql`coalesce(nullif(excluded.thumbnail_url, ''), polled_posts.thumbnail_url)`,
        published_at: sql`coalesce(excluded.published_at, polled_posts.published_at)`,
        ended_at: sql`coalesce(excluded.ended_at, polled_posts.ended_at)`,
        duration_seconds: sql`coalesce(excluded.duration_seconds, polled_posts.duration_seconds)`,
        next_poll_at: sql`coalesce(polled_posts.next_poll_at, excluded.next_poll_at)`,
        last_read_at: sql`coalesce(excluded.last_read_at, polled_posts.last_read_at)`,
        last_views: sql`coalesce(excluded.last_views, polled_posts.last_views)`,
        misses: 0,
        gone_at: null,
      }),
    )
    .execute()
}

/** Plans the posts anew whose numbers were read, and those that did not come. */
export async function keepNumbers(
  db: Db,
  poll: Poll,
  o: Now & {
    readonly asked: readonly DuePost[]
    readonly read: ReadonlyMap<string, PostReading>
    /** The platform has the posts and gives no numbers. */
    readonly isRefused: boolean
  },
): Promise<void> {
  const { asked, read, isRefused, nowMs, random } = o
  const times = asked.map(post => {
    const reading = read.get(post.videoId)
    if (!reading && !isRefused)
      return { id: post.videoId, nextMs: nowMs + jittered(missedAfterMs, random()), views: null, isMissed: true }
    const views = reading?.views ?? null
    const before =
      post.lastViews !== null && post.lastReadAt !== null
        ? { views: post.lastViews, atMs: post.lastReadAt.getTime() }
        : null
    const publishedAtMs = post.publishedAt?.getTime() ?? reading?.publishedAtMs ?? null
    const everyMs = postIntervalMs({ publishedAtMs, nowMs, views, before })
    return { id: post.videoId, nextMs: nowMs + jittered(everyMs, random()), views, isMissed: false }
  })
  if (times.length === 0) return
  const now = new Date(nowMs)
  await sql`
    update polled_posts p set
      misses = case when t.is_missed then p.misses + 1 else 0 end,
      gone_at = case when t.is_missed and p.misses + 1 >= ${missesMax} then ${now}::timestamptz end,
      next_poll_at = case when t.is_missed and p.misses + 1 >= ${missesMax} then null else t.next_poll_at end,
      last_read_at = case when t.is_missed then p.last_read_at else ${now}::timestamptz end,
      last_views = coalesce(t.views, p.last_views)
    from unnest(
      ${times.map(time => time.id)}::text[],
      ${times.map(time => new Date(time.nextMs).toISOString())}::timestamptz[],
      ${times.map(time => time.views?.toString() ?? null)}::bigint[],
      ${times.map(time => time.isMissed)}::boolean[]
    ) t (video_id, next_poll_at, views, is_missed)
    where p.scope = ${scopeOf(poll)} and p.platform = ${poll.platform} and p.video_id = t.video_id`.execute(db.system)
}

function rowOf(poll: Poll, post: PostReading, { nowMs, random }: Now) {
  const isOwn = poll.path === 'own'
  const everyMs = postIntervalMs({ publishedAtMs: post.publishedAtMs, nowMs, views: post.views, before: null })
  // Without numbers yet: at once. Of others on Instagram the list alone brings them.
  const isListed = !isOwn && poll.platform !== 'youtube'
  const nextMs = post.views === null ? nowMs : nowMs + jittered(everyMs, random())
  return {
    scope: scopeOf(poll),
    platform: post.platform,
    video_id: post.videoId,
    creator_id: post.creatorId === '' ? poll.creatorId : post.creatorId,
    owner_id: poll.ownerId,
    account_id: isOwn ? poll.accountId : null,
    credential_key: poll.credentialKey,
    kind: post.kind,
    title: isOwn ? storable(cutText(post.title, 2000)) : '',
    url: isOwn ? storable(webAddress(post.url)) : '',
    thumbnail_url: isOwn ? storable(webAddress(post.thumbnailUrl)) : '',
    published_at: post.publishedAtMs === null ? null : new Date(post.publishedAtMs),
    ended_at: post.endedAtMs === null ? null : new Date(post.endedAtMs),
    duration_seconds: post.durationSeconds,
    next_poll_at: isListed ? null : new Date(nextMs),
    last_read_at: post.views === null ? null : new Date(post.observedAtMs),
    last_views: post.views?.toString() ?? null,
  }
}

/** Postgres takes neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
