/**
 * Videos of a user's own linked account as media. The platform gives the address of a file to whoever proves to be its
 * owner, and another one each time, so that what is kept is which post of which account it is: the address is asked for
 * when the media is read. Only what the platform itself listed as the account's own counts.
 */
import { type Selectable, sql, type Transaction } from 'kysely'
import { readListCursor, writeCursor } from '../../../analytics/measures/cursor.ts'
import { sourceState } from '../../../analytics/measures/library.ts'
import { AppError } from '../../../contracts/errors.ts'
import {
  type CreatorId,
  creatorId,
  splitId,
  type UserId,
  type VideoId,
  VideoIdSchema,
  videoId,
} from '../../../contracts/ids.ts'
import type { CreatorRow, VodRow } from '../../../contracts/library.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { MediaSource } from '../../../media/source/open-source.ts'
import { credentialKinds, PlatformError } from '../../../platforms/port.ts'
import { type TokenDeps, withAccessToken } from '../links/access-token.ts'
import type { MediaDesk } from '../media-jobs/media-desk.ts'
import type { SourcePlace } from './source-text.ts'

type PostDeps = TokenDeps & { readonly media: Pick<MediaDesk, 'spend'> }
type OwnPost = Extract<SourcePlace, { kind: 'instagram' }>

/** Addresses are good for hours; people who look on ask for pictures several times a second. */
const addressMs = 10 * 60_000
const addressesMax = 1_000
const addresses = new Map<string, { readonly source: MediaSource; readonly untilMs: number }>()
/** What the platform calls a video that it shows as one; other posts may hold one among pictures. */
const videoProduct = 'REELS'

/** Which of some videos are the user's own, and may be attached in one step. */
export async function withOwnPosts(db: Db, userId: UserId, videos: readonly VodRow[]): Promise<VodRow[]> {
  const ids = videos.flatMap(({ vodId, source }) => (source === 'attachable' ? (instagramId(vodId) ?? []) : []))
  if (ids.length === 0) return [...videos]
  const rows = await ownPosts(db, userId, ids)
  const own = new Set(rows.flatMap(row => (row.product === videoProduct ? row.video_id : [])))
  return videos.map(video => (own.has(instagramId(video.vodId) ?? '') ? { ...video, attachAs: 'instagram' } : video))
}

/**
 * A page of the posts of an account that the user has linked, newest first; those without a date come last. What is read
 * of own accounts is nobody else's, so that these posts are in no public list.
 * @returns null when the creator is no such account
 */
export async function listOwnPosts(
  { db, clock }: { readonly db: Db; readonly clock: Clock },
  userId: UserId,
  creator: CreatorId,
  page: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<{ rows: VodRow[]; nextCursor: string | null } | null> {
  const after = page.cursor === undefined ? null : readListCursor(page.cursor)
  const { platform, nativeId } = splitId(creator)
  // Without a date: before all that have one.
  const publishedMs = sql<number>`coalesce(extract(epoch from published_at) * 1000, 0)::float8`
  const found = await db.asUser(userId, async trx => {
    const account = await linkedAccount(trx, userId, creator)
    if (!account) return null
    return await trx
      .selectFrom('polled_posts')
      .select(['video_id', 'title', 'kind', 'thumbnail_url', 'published_at', 'ended_at', 'duration_seconds'])
      .select(publishedMs.as('published_ms'))
      .where('account_id', '=', account.id)
      .where('owner_id', '=', userId)
      .where('creator_id', '=', nativeId)
      .where('gone_at', 'is', null)
      .where(eb => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', new Date(clock.nowMs()))]))
      .$if(after !== null, query =>
        query.where(sql<boolean>`(${publishedMs}, video_id) < (${Number(after?.[0])}::float8, ${String(after?.[1])})`),
      )
      .orderBy(publishedMs, 'desc')
      .orderBy('video_id', 'desc')
      .limit(page.limit + 1)
      .execute()
  })
  if (found === null) return null
  const shown = found.slice(0, page.limit)
  const last = shown.at(-1)
  return {
    rows: shown.map(row => ({
      vodId: videoId(platform, row.video_id),
      title: row.title,
      publishedAt: row.published_at?.toISOString() ?? null,
      duration: row.duration_seconds,
      thumbnailUrl: row.thumbnail_url,
      kind: row.kind,
      source: sourceState({ kind: row.kind, ended_ms: row.ended_at?.getTime() ?? null }),
    })),
    nextCursor: last && found.length > shown.length ? writeCursor({ after: [last.published_ms, last.video_id] }) : null,
  }
}

/** An account that the user has linked, as a creator; null when it is none. */
export async function ownCreator(db: Db, userId: UserId, creator: CreatorId): Promise<CreatorRow | null> {
  const { platform } = splitId(creator)
  return await db.asUser(userId, async trx => {
    const account = await linkedAccount(trx, userId, creator)
    if (!account) return null
    const { count } = await trx
      .selectFrom('polled_posts')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .where('account_id', '=', account.id)
      .where('owner_id', '=', userId)
      .where('gone_at', 'is', null)
      .executeTakeFirstOrThrow()
    return {
      ...{ creatorId: creator, platform, name: account.display_name, handle: account.handle },
      ...{ followers: null, videos: Number(count), lastSeenAt: account.last_validated_at?.toISOString() ?? null },
    }
  })
}

/** What is known of an own post, to name a VOD by; null when it is none. */
export async function ownPostNamed(
  db: Db,
  userId: UserId,
  vodId: VideoId,
): Promise<{ readonly title: string; readonly creatorId: CreatorId } | null> {
  const { platform, nativeId } = splitId(vodId)
  const row = await db.asUser(userId, trx =>
    trx
      .selectFrom('polled_posts')
      .select(['title', 'creator_id'])
      .where('owner_id', '=', userId)
      .where('account_id', 'is not', null)
      .where('platform', '=', platform)
      .where('video_id', '=', nativeId)
      .executeTakeFirst(),
  )
  return row ? { title: row.title, creatorId: creatorId(platform, row.creator_id) } : null
}

async function linkedAccount(trx: Transaction<Database>, userId: UserId, creator: CreatorId) {
  const { platform, nativeId } = splitId(creator)
  return await trx
    .selectFrom('platform_accounts')
    .select(['id', 'display_name', 'handle', 'last_validated_at'])
    .where('user_id', '=', userId)
    .where('platform_name', '=', platform)
    .where('platform_account_id', '=', nativeId)
    .where('status', '=', 'connected')
    .executeTakeFirst()
}

/** @throws AppError BAD_REQUEST when the video is no post of a linked account of the user's */
export async function ownPostOf(db: Db, userId: UserId, vodId: string): Promise<OwnPost> {
  const postId = instagramId(vodId)
  const [row] = postId === null ? [] : await ownPosts(db, userId, [postId])
  if (postId !== null && row) return { kind: 'instagram', accountId: row.account_id, postId }
  throw new AppError(
    'BAD_REQUEST',
    'This is no post of an Instagram account that you have linked: attach your file or address instead.',
    { details: { field: 'source' } },
  )
}

/**
 * The file of a post, by an address that is good for now.
 * @throws AppError FORBIDDEN when the account must be linked again; BAD_REQUEST when the post has no file to be had;
 *   UNAVAILABLE when the platform does not answer, or may not be asked now
 */
export async function sourceOfPost(deps: PostDeps, userId: UserId, post: OwnPost): Promise<MediaSource> {
  const account = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('platform_accounts')
      .select(['credentials_kind', 'scopes', 'platform_account_id', 'developer_credentials_vault_id'])
      .where('id', '=', post.accountId)
      .where('user_id', '=', userId)
      .where('status', '=', 'connected')
      .executeTakeFirst(),
  )
  if (account === undefined)
    throw new AppError('FORBIDDEN', 'The account of this post is no longer linked: link it again to read its media.')
  const key = `${userId} ${post.accountId} ${post.postId}`
  const nowMs = deps.clock.nowMs()
  const known = addresses.get(key)
  if (known !== undefined && known.untilMs > nowMs) return known.source
  const source = await askForFile(deps, userId, post, account)
  addresses.delete(key)
  addresses.set(key, { source, untilMs: nowMs + addressMs })
  for (const oldest of addresses.keys()) {
    if (addresses.size <= addressesMax) break
    addresses.delete(oldest)
  }
  return source
}

type Account = Pick<
  Selectable<Database['platform_accounts']>,
  'credentials_kind' | 'scopes' | 'platform_account_id' | 'developer_credentials_vault_id'
>

async function askForFile(
  deps: PostDeps,
  userId: UserId,
  { accountId, postId }: OwnPost,
  account: Account,
): Promise<MediaSource> {
  const kind = credentialKinds.find(name => name === account.credentials_kind)
  const data = kind === undefined ? null : deps.platforms.data(kind)
  const ownVideo = data?.ownVideo ?? null
  if (data === null || ownVideo === null) throw new Error('A post is attached by an account of Instagram.')
  const { scopes, platform_account_id: platformAccountId, developer_credentials_vault_id: credentialKey } = account
  const cost = data.cost('file')
  if (cost && credentialKey !== null) {
    const isGranted = await deps.media.spend({ ownerId: userId, credentialKey, platformAccountId, cost })
    if (!isGranted)
      throw new AppError(
        'UNAVAILABLE',
        'Instagram may not be asked more for this account now: try again in a few minutes.',
      )
  }
  try {
    const file = await withAccessToken(deps, accountId, accessToken => ownVideo({ accessToken, scopes }, postId))
    return { kind: 'named', place: `instagram:${postId}`, ...file }
  } catch (error) {
    throw error instanceof PlatformError ? asAppError(error) : error
  }
}

function asAppError(error: PlatformError): AppError {
  switch (error.class) {
    case 'token':
    case 'grant':
    case 'permission':
    case 'client':
      return new AppError('FORBIDDEN', `Instagram does not give this post to us: ${error.message}`, { cause: error })
    case 'not_found':
    case 'bad_request':
      return new AppError('BAD_REQUEST', error.message, { cause: error })
    default:
      return new AppError('UNAVAILABLE', `Instagram cannot be asked for this post now: ${error.message}`, {
        cause: error,
      })
  }
}

/** Posts that the platform listed as those of an account which the user has linked. */
async function ownPosts(db: Db, userId: UserId, postIds: readonly string[]) {
  const rows = await db.asUser(userId, trx =>
    trx
      .selectFrom('polled_posts')
      .innerJoin('platform_accounts', 'platform_accounts.id', 'polled_posts.account_id')
      .select(['polled_posts.video_id', 'polled_posts.product', 'polled_posts.account_id'])
      .where('polled_posts.platform', '=', 'instagram')
      .where('polled_posts.owner_id', '=', userId)
      .where('polled_posts.video_id', 'in', postIds)
      .where('platform_accounts.user_id', '=', userId)
      .where('platform_accounts.status', '=', 'connected')
      .whereRef('platform_accounts.platform_account_id', '=', 'polled_posts.creator_id')
      .execute(),
  )
  return rows.flatMap(row => (row.account_id === null ? [] : { ...row, account_id: row.account_id }))
}

function instagramId(vodId: string): string | null {
  const id = VideoIdSchema.safeParse(vodId)
  if (!id.success) return null
  const { platform, nativeId } = splitId(id.data)
  return platform === 'instagram' ? nativeId : null
}
