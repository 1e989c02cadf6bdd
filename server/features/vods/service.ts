import { randomUUID } from 'node:crypto'
import type { Selectable, Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema, VideoIdSchema } from '../../../contracts/ids.ts'
import type { VodRow } from '../../../contracts/library.ts'
import { type MediaInfo, MediaInfoSchema } from '../../../contracts/media.ts'
import type { Vod, VodId, VodRequest, VodSourceRequest } from '../../../contracts/vods.ts'
import type { Database } from '../../../core/db/schema.ts'
import { secretId } from '../../../core/vault/place.ts'
import type { SecretPlace } from '../../../core/vault/port.ts'
import type { MediaSource } from '../../../media/source/open-source.ts'
import { isOperator } from '../../auth/authenticator.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import type { InstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { forgetPrint } from '../copies/keep-print.ts'
import type { TokenDeps } from '../links/access-token.ts'
import { removeFiles, uploadFile } from '../media-jobs/files.ts'
import { cancelJob, tellOfJob } from '../media-jobs/finish-job.ts'
import type { MediaDesk } from '../media-jobs/media-desk.ts'
import { deleteUpload, finishUpload } from '../uploads/service.ts'
import { ownPostOf, sourceOfPost, withOwnPosts } from './own-posts.ts'
import {
  allowedPath,
  labelOf,
  parseSource,
  pathUnderRoots,
  type SourcePlace,
  SourcePlaceSchema,
} from './source-text.ts'

type Trx = Transaction<Database>
type MediaRow = Selectable<Database['vods']>
export type VodDeps = Pick<
  ServerDeps,
  'db' | 'store' | 'vault' | 'bus' | 'clock' | 'log' | 'media' | 'outbound' | 'platforms'
>
/** What it takes to remove one: its source is not asked. */
type DropDeps = Omit<VodDeps, 'platforms' | 'outbound'>

/** VODs with media of one user. */
export const vodsMax = 10_000
/** How long reading the head of a source may take, in ms. */
const probeMsMax = 20_000

/**
 * Registers media as a VOD of the caller's.
 * @throws AppError BAD_REQUEST with what is wrong with the source or the file; FORBIDDEN for one that the caller may not
 *   name; NOT_FOUND; CONFLICT when the caller has the most that one may have; UNAVAILABLE when its host does not answer
 */
export async function registerVod(deps: VodDeps, caller: Caller, request: VodRequest): Promise<Vod> {
  const found = await lookAt(deps, caller, placeNamed(deps, request.source))
  return await keepVod(deps, ownerOf(caller), {
    ...found,
    vodId: `own:${randomUUID()}`,
    title: request.title || found.label,
    creatorId: request.creatorId ?? null,
  })
}

/**
 * Gives media to an indexed video, or other media to a VOD of the caller's; what was made of the media before goes.
 * @param video what is known of the video; its id is known to some source
 * @param source also `instagram`, as a text or a type: the file of the post itself, when it is the caller's own
 * @throws AppError as `registerVod`
 */
export async function attachSource(
  deps: VodDeps,
  caller: Caller,
  video: { readonly vodId: VodId; readonly title: string; readonly creatorId: string | null },
  source: VodSourceRequest['source'],
): Promise<Vod> {
  const userId = ownerOf(caller)
  const isOwnPost = source === 'instagram' || typeof source === 'object'
  const place = isOwnPost ? await ownPostOf(deps.db, userId, video.vodId) : placeNamed(deps, source)
  const found = await lookAt(deps, caller, place)
  await dropVod(deps, userId, video.vodId)
  return await keepVod(deps, userId, { ...found, ...video, title: video.title || found.label })
}

/** A user's VODs with media, newest first. `before` is the instant of the last one that was seen. */
export async function listVods(
  deps: Pick<VodDeps, 'db'>,
  caller: Caller,
  page: { readonly limit: number; readonly before: InstantCursor | null },
): Promise<{ rows: Vod[]; hasMore: boolean }> {
  const userId = ownerOf(caller)
  const found = await deps.db.asUser(userId, trx => {
    const rows = trx.selectFrom('vods').selectAll().where('owner_id', '=', userId)
    const { before } = page
    const older = before
      ? rows.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('created_at', 'vod_id'), '<', tuple(new Date(before.createdAtMs), before.id)),
        )
      : rows
    return older
      .orderBy('created_at', 'desc')
      .orderBy('vod_id', 'desc')
      .limit(page.limit + 1)
      .execute()
  })
  return { rows: found.slice(0, page.limit).map(fromRow), hasMore: found.length > page.limit }
}

/** @throws AppError NOT_FOUND when the caller has attached no media to it */
export async function getVod(deps: Pick<VodDeps, 'db'>, caller: Caller, vodId: VodId): Promise<Vod> {
  const row = await findVod(deps, ownerOf(caller), vodId)
  if (!row) throw noSuchVod()
  return fromRow(row)
}

/**
 * Removes the media of a VOD with everything that was made of it but clips, which are files of their own: uploads,
 * pictures, timelines, fingerprints.
 * @throws AppError NOT_FOUND
 */
export async function deleteVod(deps: VodDeps, caller: Caller, vodId: VodId): Promise<void> {
  if (!(await dropVod(deps, ownerOf(caller), vodId))) throw noSuchVod()
}

/**
 * Removes an upload; with it the VOD that it is the media of, and everything that was made of that but clips.
 * @throws AppError NOT_FOUND
 */
export async function removeUpload(deps: VodDeps, userId: UserId, uploadId: string): Promise<void> {
  const vodId = await vodOfUpload(deps, userId, uploadId)
  if (vodId === null) await deleteUpload(deps, userId, uploadId)
  else await dropVod(deps, userId, vodId)
}

/** Indexed videos with what is attached to them; a service key has attached nothing. */
export async function withAttached(
  { db }: Pick<VodDeps, 'db'>,
  caller: Caller,
  videos: readonly VodRow[],
): Promise<VodRow[]> {
  if (caller.principal?.isService || videos.length === 0) return [...videos]
  const userId = ownerOf(caller)
  const vodIds = videos.map(video => video.vodId)
  const rows = await db.asUser(userId, trx =>
    trx.selectFrom('vods').select('vod_id').where('owner_id', '=', userId).where('vod_id', 'in', vodIds).execute(),
  )
  const attached = new Set(rows.map(row => row.vod_id))
  const marked = videos.map(video => (attached.has(video.vodId) ? { ...video, source: 'attached' as const } : video))
  return await withOwnPosts(db, userId, marked)
}

/** Whose videos some of the caller's VODs are; those that are gone are left out. */
export async function creatorsOf(
  { db }: Pick<VodDeps, 'db'>,
  caller: Caller,
  vodIds: readonly string[],
): Promise<{ vodId: string; creatorId: string | null }[]> {
  if (vodIds.length === 0) return []
  const userId = ownerOf(caller)
  const rows = await db.asUser(userId, trx =>
    trx
      .selectFrom('vods')
      .select(['vod_id', 'creator_id'])
      .where('owner_id', '=', userId)
      .where('vod_id', 'in', vodIds)
      .execute(),
  )
  return rows.map(row => ({ vodId: row.vod_id, creatorId: row.creator_id }))
}

/**
 * The media of a VOD for work on it, as it was when it was registered.
 * @throws AppError SOURCE_REQUIRED for an indexed video without media; NOT_FOUND for an id of ours that is not there
 */
export async function mediaOf(deps: Pick<VodDeps, 'db'>, userId: UserId, vodId: VodId): Promise<MediaInfo> {
  const row = await findVod(deps, userId, vodId)
  if (row) return MediaInfoSchema.parse(row.media)
  if (!VideoIdSchema.safeParse(vodId).success) throw noSuchVod()
  throw new AppError(
    'SOURCE_REQUIRED',
    vodId.startsWith('instagram:')
      ? 'This video has no media of yours: attach your file or address first, or say "instagram" where it is a post of your own account (POST /api/vods/<vodId>/source).'
      : 'This video has no media of yours: attach your file or address first (POST /api/vods/<vodId>/source).',
    { details: { vodId } },
  )
}

/**
 * Where the media of a VOD lies, for those who read it.
 * @throws AppError NOT_FOUND when it is gone; FORBIDDEN when its folder is no longer declared
 */
export async function sourceOf(deps: PlaceDeps, userId: UserId, vodId: string): Promise<MediaSource> {
  const text = await deps.db.asUser(userId, async trx => {
    const row = await trx
      .selectFrom('vods')
      .select('source_vault_id')
      .where('owner_id', '=', userId)
      .where('vod_id', '=', vodId)
      .executeTakeFirst()
    if (!row) throw noSuchVod()
    return await deps.vault.read(trx, vaultPlace(userId), secretId(row.source_vault_id))
  })
  return await sourceAt(deps, userId, SourcePlaceSchema.parse(JSON.parse(text)))
}

/** Removes uploaded media whose time has come. @returns how many VODs went */
export async function dropExpiredVods(deps: DropDeps): Promise<number> {
  const due = await deps.db.system
    .selectFrom('vods')
    .select(['owner_id', 'vod_id'])
    .where('expires_at', '<=', new Date(deps.clock.nowMs()))
    .limit(1000)
    .execute()
  for (const { owner_id, vod_id } of due) await dropVod(deps, UserIdSchema.parse(owner_id), vod_id)
  return due.length
}

interface Looked {
  readonly place: SourcePlace
  readonly label: string
  readonly media: MediaInfo
  readonly expiresAt: Date | null
}

/** @throws AppError as `parseSource` */
function placeNamed({ media: { samplePath, bucket } }: VodDeps, text: string): SourcePlace {
  return parseSource(text, { samplePath, bucketName: bucket?.name ?? null })
}

/** Reads the head of a source, after checking that the caller may name it. */
async function lookAt(deps: VodDeps, caller: Caller, named: SourcePlace): Promise<Looked> {
  const userId = ownerOf(caller)
  const place = await allowedPlace(deps, caller, named)
  const upload = place.kind === 'upload' ? await freeUpload(deps, userId, place.uploadId) : null
  const media = await deps.media.probe(await sourceAt(deps, userId, place), AbortSignal.timeout(probeMsMax))
  return { place, label: labelOf(place, upload?.fileName ?? null), media, expiresAt: upload?.expiresAt ?? null }
}

async function allowedPlace(deps: VodDeps, caller: Caller, place: SourcePlace): Promise<SourcePlace> {
  switch (place.kind) {
    case 'file': {
      const isLocalOwner = await isLocalOwnerOf(deps, ownerOf(caller))
      return { kind: 'file', path: await allowedPath(place.path, { caller, isLocalOwner, roots: deps.media.roots }) }
    }
    case 'url':
      deps.outbound.checkForUser(place.url)
      return place
    case 's3':
      if (caller.principal && isOperator(caller.principal)) return place
      throw new AppError(
        'FORBIDDEN',
        'Objects of the bucket are for those who run the server: send a signed https address.',
      )
    case 'upload':
    case 'instagram':
      return place
  }
}

async function isLocalOwnerOf({ db }: VodDeps, userId: UserId): Promise<boolean> {
  const user = await db.asUser(userId, trx =>
    trx.selectFrom('users').select('is_local').where('id', '=', userId).executeTakeFirst(),
  )
  return user?.is_local ?? false
}

/** An upload that is not the media of a VOD yet; one that arrived whole is finished now, where that was cut off. */
async function freeUpload(deps: VodDeps, userId: UserId, uploadId: string) {
  const row = await finishUpload(deps, userId, uploadId)
  const vodId = await vodOfUpload(deps, userId, uploadId)
  if (vodId !== null) throw new AppError('CONFLICT', `This upload is the media of ${vodId} already.`)
  return { fileName: row.file_name, expiresAt: row.expires_at }
}

async function vodOfUpload({ db }: VodDeps, userId: UserId, uploadId: string): Promise<string | null> {
  const row = await db.asUser(userId, trx =>
    trx
      .selectFrom('vods')
      .select('vod_id')
      .where('upload_id', '=', uploadId)
      .where('owner_id', '=', userId)
      .executeTakeFirst(),
  )
  return row?.vod_id ?? null
}

/** What is needed to find media where it lies. */
type PlaceDeps = TokenDeps & { readonly media: Pick<MediaDesk, 'blobs' | 'bucket' | 'roots' | 'spend'> }

async function sourceAt(deps: PlaceDeps, userId: UserId, place: SourcePlace): Promise<MediaSource> {
  const { media } = deps
  switch (place.kind) {
    case 'file':
      // Again: folders may have been taken back, and links moved.
      return { kind: 'file', path: await pathUnderRoots(place.path, media.roots) }
    case 'url':
      return { kind: 'url', url: place.url }
    case 's3':
      if (media.bucket === null) throw new AppError('NOT_CONFIGURED', 'No bucket is configured: set S3_URL.')
      return { kind: 'blob', blobs: media.bucket.objects, key: place.key }
    case 'upload':
      return {
        kind: 'blob',
        blobs: media.blobs,
        key: uploadFile({ ownerId: userId, uploadId: place.uploadId }),
      }
    case 'instagram':
      return await sourceOfPost(deps, userId, place)
  }
}

async function keepVod(
  deps: VodDeps,
  userId: UserId,
  vod: Looked & { readonly vodId: string; readonly title: string; readonly creatorId: string | null },
): Promise<Vod> {
  const { place, media } = vod
  const row = await deps.db.asUser(userId, async trx => {
    const { count } = await trx
      .selectFrom('vods')
      .select(eb => eb.fn.countAll<string>().as('count'))
      .where('owner_id', '=', userId)
      .executeTakeFirstOrThrow()
    if (Number(count) >= vodsMax)
      throw new AppError('CONFLICT', `You have ${vodsMax} VODs with media, the most there may be: delete some first.`)
    return await trx
      .insertInto('vods')
      .values({
        owner_id: userId,
        vod_id: vod.vodId,
        title: vod.title,
        creator_id: vod.creatorId,
        source_kind: place.kind,
        source_label: vod.label,
        source_vault_id: await deps.vault.put(trx, vaultPlace(userId), JSON.stringify(place)),
        upload_id: place.kind === 'upload' ? place.uploadId : null,
        content_id: media.contentId,
        duration_seconds: media.durationSec,
        bytes: media.bytes,
        media: JSON.stringify(media),
        created_at: new Date(deps.clock.nowMs()),
        expires_at: vod.expiresAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow()
  })
  return fromRow(row)
}

/** @returns whether there was one */
async function dropVod(deps: DropDeps, ownerId: UserId, vodId: string): Promise<boolean> {
  const now = new Date(deps.clock.nowMs())
  const gone = await deps.db.transaction(async trx => {
    const row = await trx
      .deleteFrom('vods')
      .where('owner_id', '=', ownerId)
      .where('vod_id', '=', vodId)
      .returning(['source_vault_id', 'upload_id'])
      .executeTakeFirst()
    if (!row) return null
    await deps.vault.remove(trx, vaultPlace(ownerId), secretId(row.source_vault_id))
    if (row.upload_id !== null) await trx.deleteFrom('uploads').where('id', '=', row.upload_id).execute()
    return { uploadId: row.upload_id, ...(await dropDerived(trx, ownerId, vodId, now)) }
  })
  if (!gone) return false
  await forgetPrint(deps, { owner: ownerId, vodId })
  for (const job of gone.cancelled) await tellOfJob(deps, job)
  for (const jobId of gone.derived) await removeFiles(deps, { ownerId, jobId })
  if (gone.uploadId !== null) await removeFiles(deps, { ownerId, uploadId: gone.uploadId })
  return true
}

/** Stops what is under way on a VOD, and forgets what was made of it. */
async function dropDerived(trx: Trx, ownerId: UserId, vodId: string, now: Date) {
  const jobs = await trx
    .selectFrom('media_jobs')
    .select(['id', 'type', 'status'])
    .where('owner_id', '=', ownerId)
    .where('vod_id', '=', vodId)
    .execute()
  const cancelled = []
  for (const { id } of jobs) {
    const row = await cancelJob(trx, ownerId, id, now)
    if (row) cancelled.push(row)
  }
  const derived = jobs.filter(job => job.type !== 'clip' && job.type !== 'video/clips').map(job => job.id)
  if (derived.length > 0) await trx.deleteFrom('media_jobs').where('id', 'in', derived).execute()
  return { cancelled, derived }
}

async function findVod({ db }: Pick<VodDeps, 'db'>, userId: UserId, vodId: VodId): Promise<MediaRow | undefined> {
  return await db.asUser(userId, trx =>
    trx.selectFrom('vods').selectAll().where('owner_id', '=', userId).where('vod_id', '=', vodId).executeTakeFirst(),
  )
}

/** Where the vault keeps the sources of a user. */
function vaultPlace(ownerId: UserId): SecretPlace {
  return { ownerId, purpose: 'media_source' }
}

function noSuchVod(): AppError {
  return new AppError('NOT_FOUND', 'There is no such VOD of yours.')
}

function fromRow(row: MediaRow): Vod {
  return {
    vodId: row.vod_id,
    title: row.title,
    creatorId: row.creator_id,
    source: 'attached',
    sourceKind: row.source_kind,
    sourceLabel: row.source_label,
    duration: row.duration_seconds,
    bytes: row.bytes === null ? null : Number(row.bytes),
    media: MediaInfoSchema.parse(row.media),
    createdAt: row.created_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  }
}
