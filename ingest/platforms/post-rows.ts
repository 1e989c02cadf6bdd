/** The posts that are known, and when the numbers of each are read next. */
import { sql, type Transaction } from 'kysely'
import { z } from 'zod'
import { policyOf } from '../../contracts/samples.ts'
import type { Db } from '../../core/db/port.ts'
import type { Database } from '../../core/db/schema.ts'
import type { PostReading } from '../../platforms/port.ts'
import { cutText } from '../values.ts'
import { jittered, postIntervalMs } from './pace.ts'
import { type Poll, publicScope } from './poll-rows.ts'
import { sourceOf, webAddress } from './reading-items.ts'

/** A post that did not come so often in a row is gone. */
const missesMax = 3
/** A post that did not come is asked for again after this. */
const missedAfterMs = 6 * 3_600_000
/** Titles are asked for again so long before they must be gone: time enough for quotas, and for a machine that was off. */
const renewBeforeMs = 10 * 24 * 3_600_000

interface Now {
  readonly nowMs: number
  /** From 0 up to 1. */
  readonly random: () => number
}

/** The account of an own poll; all zeros on the public path. */
export function scopeOf(poll: Pick<Poll, 'path' | 'accountId'>): string {
  return poll.path === 'own' && poll.accountId !== null ? poll.accountId : publicScope
}

/** By id; those that are not in it are new. */
export type KnownPosts = ReadonlyMap<string, { readonly hasDetails: boolean }>

const KnownSchema = z.object({ place: z.number(), videoId: z.string(), hasDetails: z.boolean() })

/**
 * What is known of posts, for many polls at once. `hasDetails` is false for what only a list has named: of posts, or of
 * broadcasts, which say nothing of numbers.
 */
export async function knownPosts(
  db: Db,
  asked: readonly { readonly poll: Poll; readonly videoIds: readonly string[] }[],
): Promise<KnownPosts[]> {
  const rows = asked.flatMap(({ poll, videoIds }, place) =>
    videoIds.map(videoId => ({ place, scope: scopeOf(poll), platform: poll.platform, videoId })),
  )
  const known = asked.map(() => new Map<string, { readonly hasDetails: boolean }>())
  if (rows.length === 0) return known
  const found = await sql`
    select t.place, p.video_id as "videoId",
      p.duration_seconds is not null and p.last_read_at is not null as "hasDetails"
    from unnest(
      ${rows.map(row => row.place)}::integer[],
      ${rows.map(row => row.scope)}::uuid[],
      ${rows.map(row => row.platform)}::text[],
      ${rows.map(row => row.videoId)}::text[]
    ) t (place, scope, platform, video_id)
    cross join lateral (
      select * from polled_posts
      where scope = t.scope and platform = t.platform and video_id = t.video_id
      -- One look-up for each, never all posts for a hash.
      limit 1
    ) p`.execute(db.system)
  for (const { place, videoId, hasDetails } of z.array(KnownSchema).parse(found.rows))
    known[place]?.set(videoId, { hasDetails })
  return known
}

const LastReadingSchema = z.object({
  videoId: z.string(),
  creatorId: z.string(),
  publishedAtMs: z.number().nullable(),
  lastReadAtMs: z.number().nullable(),
  lastViews: z.coerce.bigint().nullable(),
  product: z.string(),
  refusedMetrics: z.array(z.string()),
  /** What was said of it must soon be gone: it is to be said again, not its numbers alone. */
  isStale: z.boolean(),
  /** As the store writes it: exact to the microsecond. */
  dueAt: z.string(),
})
/** A post whose numbers are due. */
export type DuePost = z.infer<typeof LastReadingSchema>

/**
 * Posts of the poll's scope and credential that are due, the longest due first. Only who holds the poll reads them.
 * @param o.after the last one that was got before; null begins
 */
export async function duePosts(
  db: Db,
  poll: Poll,
  o: { readonly nowMs: number; readonly max: number; readonly after: DuePost | null },
): Promise<DuePost[]> {
  const { rows } = await sql`
    select video_id as "videoId", creator_id as "creatorId",
      -- As numbers: making dates of text costs more than the rest of a row.
      (extract(epoch from published_at) * 1000)::double precision as "publishedAtMs",
      (extract(epoch from last_read_at) * 1000)::double precision as "lastReadAtMs",
      last_views as "lastViews", product, refused_metrics as "refusedMetrics", next_poll_at::text as "dueAt",
      coalesce(expires_at <= ${new Date(o.nowMs + renewBeforeMs)}, false) as "isStale"
    from (
      -- Sorted first, so that what is shown is made of these rows alone.
      select * from polled_posts
      where scope = ${scopeOf(poll)} and credential_key = ${poll.credentialKey} and platform = ${poll.platform}
        and next_poll_at <= ${new Date(o.nowMs)}
        and (${o.after === null}::boolean or (next_poll_at, video_id) > (${o.after?.dueAt ?? null}::timestamptz, ${o.after?.videoId ?? null}))
      order by next_poll_at, video_id limit ${o.max}
    ) due
    order by next_poll_at, video_id`.execute(db.system)
  return z.array(LastReadingSchema).parse(rows)
}

/** When the next post of the poll's is due; null when none is planned. */
export async function nextPostDueMs(db: Db, poll: Poll): Promise<number | null> {
  const row = await db.system
    .selectFrom('polled_posts')
    .select(({ fn }) => fn.min('next_poll_at').as('next_poll_at'))
    .where('scope', '=', scopeOf(poll))
    .where('credential_key', '=', poll.credentialKey)
    .where('platform', '=', poll.platform)
    .executeTakeFirst()
  return row?.next_poll_at?.getTime() ?? null
}

/**
 * Keeps what lists or looks at posts said, for many polls at once. What was not given does not replace what is known;
 * titles of the public path are kept in the analytics store alone.
 */
export async function keepPosts(
  trx: Transaction<Database>,
  pages: readonly { readonly poll: Poll; readonly posts: readonly PostReading[] }[],
  now: Now,
): Promise<void> {
  let left = pages.flatMap(({ poll, posts }) => posts.map(post => rowOf(poll, post, now)))
  // One statement changes a row once: what a second page says of the same post waits for the next.
  while (left.length > 0) {
    const rows = new Map<string, (typeof left)[number]>()
    const again: typeof left = []
    for (const row of left) {
      const key = `${row.scope} ${row.platform} ${row.video_id}`
      if (rows.has(key)) again.push(row)
      else rows.set(key, row)
    }
    await upsert(trx, [...rows.values()])
    left = again
  }
}

async function upsert(trx: Transaction<Database>, rows: readonly ReturnType<typeof rowOf>[]): Promise<void> {
  const columns = sql.join(Object.keys(rows[0] ?? {}).map(column => sql.ref(column)))
  await sql`
    insert into polled_posts as p (${columns})
    select ${columns} from json_populate_recordset(null::polled_posts, ${JSON.stringify(rows)}::json)
    on conflict (scope, platform, video_id) do update set
      kind = case when excluded.kind = 'clip' then p.kind else excluded.kind end,
      product = coalesce(nullif(excluded.product, ''), p.product),
      title = coalesce(nullif(excluded.title, ''), p.title),
      url = coalesce(nullif(excluded.url, ''), p.url),
      thumbnail_url = coalesce(nullif(excluded.thumbnail_url, ''), p.thumbnail_url),
      published_at = coalesce(excluded.published_at, p.published_at),
      ended_at = coalesce(excluded.ended_at, p.ended_at),
      duration_seconds = coalesce(excluded.duration_seconds, p.duration_seconds),
      next_poll_at = coalesce(p.next_poll_at, excluded.next_poll_at),
      last_read_at = coalesce(excluded.last_read_at, p.last_read_at),
      last_views = coalesce(excluded.last_views, p.last_views),
      expires_at = excluded.expires_at,
      misses = 0,
      gone_at = null`.execute(trx)
}

/** What became of a look at the numbers of posts. */
export interface NumbersRead {
  readonly asked: readonly DuePost[]
  readonly read: ReadonlyMap<string, PostReading>
  /** The platform has the posts and gives no numbers. */
  readonly isRefused: boolean
}

/** Plans the posts anew whose numbers were read, and those that did not come, for many polls at once. */
export async function keepNumbers(
  trx: Transaction<Database>,
  looks: readonly { readonly poll: Poll; readonly numbers: NumbersRead }[],
  now: Now,
): Promise<void> {
  const times = looks.flatMap(({ poll, numbers }) =>
    numbers.asked.map(post => ({
      scope: scopeOf(poll),
      platform: poll.platform,
      videoId: post.videoId,
      refused: numbers.read.get(post.videoId)?.refusedMetrics ?? [],
      ...timeOf(post, numbers, now),
    })),
  )
  if (times.length === 0) return
  const at = new Date(now.nowMs)
  await sql`
    update polled_posts p set
      misses = case when t.is_missed then p.misses + 1 else 0 end,
      gone_at = case when t.is_missed and p.misses + 1 >= ${missesMax} then ${at}::timestamptz end,
      next_poll_at = case when t.is_missed and p.misses + 1 >= ${missesMax} then null else t.next_poll_at end,
      last_read_at = case when t.is_missed then p.last_read_at else ${at}::timestamptz end,
      last_views = coalesce(t.views, p.last_views),
      refused_metrics = p.refused_metrics || coalesce(string_to_array(nullif(t.refused, ''), ','), '{}')
    from unnest(
      ${times.map(time => time.scope)}::uuid[],
      ${times.map(time => time.platform)}::text[],
      ${times.map(time => time.videoId)}::text[],
      ${times.map(time => new Date(time.nextMs).toISOString())}::timestamptz[],
      ${times.map(time => time.views?.toString() ?? null)}::bigint[],
      ${times.map(time => time.isMissed)}::boolean[],
      ${times.map(time => time.refused.join())}::text[]
    ) t (scope, platform, video_id, next_poll_at, views, is_missed, refused)
    where p.scope = t.scope and p.platform = t.platform and p.video_id = t.video_id`.execute(trx)
}

/** When a post is looked at again. */
function timeOf(
  post: DuePost,
  { read, isRefused }: NumbersRead,
  { nowMs, random }: Now,
): { readonly nextMs: number; readonly views: bigint | null; readonly isMissed: boolean } {
  const reading = read.get(post.videoId)
  if (!reading && !isRefused) return { nextMs: nowMs + jittered(missedAfterMs, random()), views: null, isMissed: true }
  const views = reading?.views ?? null
  const before =
    post.lastViews !== null && post.lastReadAtMs !== null ? { views: post.lastViews, atMs: post.lastReadAtMs } : null
  const publishedAtMs = post.publishedAtMs ?? reading?.publishedAtMs ?? null
  const everyMs = postIntervalMs({ publishedAtMs, nowMs, views, before })
  return { nextMs: nowMs + jittered(everyMs, random()), views, isMissed: false }
}

function rowOf(poll: Poll, post: PostReading, { nowMs, random }: Now) {
  const isOwn = poll.path === 'own'
  const everyMs = postIntervalMs({ publishedAtMs: post.publishedAtMs, nowMs, views: post.views, before: null })
  // Without numbers yet: at once. Of others on Instagram the list alone brings them.
  const isListed = !isOwn && poll.platform !== 'youtube'
  const nextMs = post.views === null ? nowMs : nowMs + jittered(everyMs, random())
  const { keepTextMsMax } = policyOf(sourceOf(poll))
  return {
    scope: scopeOf(poll),
    platform: post.platform,
    video_id: post.videoId,
    creator_id: post.creatorId === '' ? poll.creatorId : post.creatorId,
    owner_id: poll.ownerId,
    account_id: isOwn ? poll.accountId : null,
    credential_key: poll.credentialKey,
    kind: post.kind,
    product: storable(cutText(post.product, 40)),
    title: isOwn ? storable(cutText(post.title, 2000)) : '',
    url: isOwn ? storable(webAddress(post.url)) : '',
    thumbnail_url: isOwn ? storable(webAddress(post.thumbnailUrl)) : '',
    published_at: post.publishedAtMs === null ? null : new Date(post.publishedAtMs),
    ended_at: post.endedAtMs === null ? null : new Date(post.endedAtMs),
    duration_seconds: post.durationSeconds,
    next_poll_at: isListed ? null : new Date(nextMs),
    last_read_at: post.views === null ? null : new Date(post.observedAtMs),
    last_views: post.views?.toString() ?? null,
    expires_at: keepTextMsMax === null ? null : new Date(post.observedAtMs + keepTextMsMax),
  }
}

/** Postgres takes neither NUL nor half a surrogate pair. */
function storable(text: string): string {
  return text.replaceAll('\0', '').toWellFormed()
}
