import { z } from 'zod'
import { AppError } from '../../contracts/errors.ts'
import {
  type CreatorId,
  creatorId,
  type Platform,
  PlatformSchema,
  platforms,
  splitId,
  type VideoId,
  videoId,
} from '../../contracts/ids.ts'
import type { CreatorRow, Video, VodRow } from '../../contracts/library.ts'
import type { CreatorSearchParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { compose, maybeNumber, type QueryParams, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import { readListCursor, writeCursor } from './cursor.ts'
import { creatorDescriptions, followersOf, nichesOf, refKey, videoDescriptions } from './details.ts'
import { clipSamples, isKnown, subjectOf } from './subject.ts'
import type { Window } from './window.ts'

/** A page of a list. */
export interface Page<Row> {
  readonly rows: Row[]
  readonly nextCursor: string | null
}

const CreatorFound = z.object({
  platform: PlatformSchema,
  creator_id: z.string(),
  name: z.string(),
  handle: z.string(),
  videos: wholeNumber,
})

/** Which creators a search looks at. */
export interface Among {
  readonly creators: readonly CreatorId[]
  /** Only these, or all others. */
  readonly isIn: boolean
  /** Leaves out those that no source has named. */
  readonly isNamed?: boolean
}

/** Thousands of ids are more than the engine's 256 KiB. */
const settings = { max_query_size: 16 * 1024 * 1024 }

/**
 * Creators whose name, handle or id contains the text (case does not matter), those with most videos first.
 * @param among all that a source has named when left out
 * @throws AppError BAD_REQUEST for a cursor that is not ours
 */
export async function searchCreators(
  ctx: AnalyticsContext,
  params: CreatorSearchParams,
  among?: Among,
): Promise<Page<CreatorRow>> {
  const after = params.cursor === undefined ? null : readListCursor(params.cursor)
  const values = {
    platforms: params.platform === 'all' ? platforms : [params.platform],
    search: params.search.trim().replace(/^@/, ''),
    hasAfter: after !== null,
    afterVideos: wholeOf(after?.[0]),
    afterPlatform: String(after?.[1] ?? ''),
    afterId: String(after?.[2] ?? ''),
    limit: params.limit + 1,
    ...(among ? amongParams(among) : {}),
  }
  const text = compose(sqlPart('library', 'creators'), {
    also: among?.isIn && !among.isNamed ? sqlPart('library', 'also') : '',
    among: among ? sqlPart('library', 'among') : '',
  })
  const found = await runQuery(ctx, text, values, CreatorFound, { tag: 'analytics:creators', settings })
  const page = found.slice(0, params.limit)
  const rows = await creatorRows(ctx, page)
  const last = page.at(-1)
  return {
    rows,
    nextCursor:
      last && found.length > params.limit
        ? writeCursor({ after: [last.videos, last.platform, last.creator_id] })
        : null,
  }
}

function amongParams({ creators, isIn }: Among): QueryParams {
  const refs = creators.map(splitId)
  return { isIn, amongPlatforms: refs.map(ref => ref.platform), amongIds: refs.map(ref => ref.nativeId) }
}

const HandleRow = z.object({ platform: PlatformSchema, creator_id: z.string() })

/** Creators whose last known handle is one of these, at most 10. */
export async function knownByHandle(
  ctx: AnalyticsContext,
  handles: readonly { readonly platform: Platform; readonly handle: string }[],
): Promise<CreatorId[]> {
  const values = {
    platforms: handles.map(one => one.platform),
    handles: handles.map(one => one.handle.toLowerCase()),
  }
  const rows = await runQuery(ctx, sqlPart('library', 'by_handle'), values, HandleRow, { tag: 'analytics:creators' })
  return rows.map(row => creatorId(row.platform, row.creator_id))
}

async function creatorRows(
  ctx: AnalyticsContext,
  found: readonly z.infer<typeof CreatorFound>[],
): Promise<CreatorRow[]> {
  const refs = found.map(row => ({ platform: row.platform, id: row.creator_id }))
  const followers = await followersOf(ctx, everything(ctx), refs)
  return found.map(row => {
    const follower = followers.get(refKey({ platform: row.platform, id: row.creator_id }))
    return {
      creatorId: creatorId(row.platform, row.creator_id),
      platform: row.platform,
      name: row.name || nameOf(row.creator_id),
      handle: row.handle,
      followers: follower?.followers ?? null,
      videos: row.videos,
      lastSeenAt: follower ? new Date(follower.at_ms).toISOString() : null,
    }
  })
}

/** One creator. @throws AppError NOT_FOUND when no source has named it */
export async function getCreator(ctx: AnalyticsContext, id: CreatorId): Promise<CreatorRow> {
  const { platform, nativeId } = splitId(id)
  await requireKnown(ctx, 'creators', id)
  const [descriptions, vods] = await Promise.all([
    creatorDescriptions(ctx, [{ platform, id: nativeId }]),
    listVods(ctx, id, { limit: vodsCountedMax }),
  ])
  const [said] = descriptions.values()
  const found = {
    platform,
    creator_id: nativeId,
    name: said?.name ?? '',
    handle: said?.handle ?? '',
    videos: vods.rows.length,
  }
  const [row] = await creatorRows(ctx, [found])
  if (!row) throw new AppError('NOT_FOUND', `No source has named the creator ${id}.`)
  return row
}

const vodsCountedMax = 10_000

const VodFound = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  title: z.string(),
  kind: z.string(),
  thumbnail_url: z.string(),
  published_ms: maybeNumber,
  ended_ms: maybeNumber,
  duration_seconds: maybeNumber,
})

/**
 * A creator's videos, newest first; those whose date is not known come last.
 * @throws AppError NOT_FOUND when no source has named the creator; BAD_REQUEST for a cursor that is not ours
 */
export async function listVods(
  ctx: AnalyticsContext,
  id: CreatorId,
  params: { readonly limit: number; readonly cursor?: string | undefined },
): Promise<Page<VodRow>> {
  await requireKnown(ctx, 'creators', id)
  const { platform, nativeId } = splitId(id)
  const after = params.cursor === undefined ? null : readListCursor(params.cursor)
  const values = {
    platforms: [platform],
    creatorId: nativeId,
    hasAfter: after !== null,
    afterMs: wholeOf(after?.[0]),
    afterId: String(after?.[1] ?? ''),
    limit: params.limit + 1,
  }
  const found = await runQuery(ctx, sqlPart('library', 'vods'), values, VodFound, { tag: 'analytics:vods' })
  const page = found.slice(0, params.limit)
  const last = page.at(-1)
  return {
    rows: page.map(row => ({
      vodId: videoId(row.platform, row.video_id),
      title: row.title,
      publishedAt: isoOf(row.published_ms),
      duration: row.duration_seconds,
      thumbnailUrl: row.thumbnail_url,
      kind: row.kind,
      source: sourceState(row),
    })),
    nextCursor:
      last && found.length > params.limit ? writeCursor({ after: [last.published_ms ?? 0, last.video_id] }) : null,
  }
}

/** Whether a user may attach media to a video: to a broadcast when it has ended. Whose media is attached is not known here. */
export function sourceState(video: { readonly kind: string; readonly ended_ms: number | null }): 'attachable' | 'none' {
  return video.kind === 'stream' && video.ended_ms === null ? 'none' : 'attachable'
}

/** One video with its last counters. @throws AppError NOT_FOUND when no source has named it */
export async function getVideo(ctx: AnalyticsContext, id: VideoId): Promise<Video> {
  await requireKnown(ctx, 'clips', id)
  const { platform, nativeId } = splitId(id)
  const ref = { platform, id: nativeId }
  const [descriptions, niches, samples] = await Promise.all([
    videoDescriptions(ctx, [ref]),
    nichesOf(ctx, [ref]),
    clipSamples(ctx, subjectOf('clips', id), 0, ctx.world.clock.nowMs()),
  ])
  const said = descriptions.get(refKey(ref))
  const last = samples.at(-1)
  const nativeCreator = said?.creator_id || last?.creator_id || ''
  const names = nativeCreator === '' ? new Map() : await creatorDescriptions(ctx, [{ platform, id: nativeCreator }])
  return {
    videoId: id,
    platform,
    kind: said?.kind ?? 'clip',
    title: said?.title ?? '',
    url: said?.url ?? '',
    thumbnailUrl: said?.thumbnail_url ?? '',
    creatorId: nativeCreator === '' ? null : creatorId(platform, nativeCreator),
    creatorName:
      nativeCreator === '' ? null : names.get(refKey({ platform, id: nativeCreator }))?.name || nameOf(nativeCreator),
    publishedAt: isoOf(said?.published_ms ?? null),
    endedAt: isoOf(said?.ended_ms ?? null),
    durationSeconds: said?.duration_seconds ?? null,
    category: said?.category ?? '',
    tags: said?.tags ?? [],
    regions: said?.regions ?? [],
    niches: niches.get(refKey(ref)) ?? [],
    views: last?.views ?? null,
    likes: last?.likes ?? null,
    comments: last?.comments ?? null,
    shares: last?.shares ?? null,
    saves: last?.saves ?? null,
    observedAt: isoOf(last?.at_ms ?? null),
    source: last?.source ?? '',
  }
}

async function requireKnown(ctx: AnalyticsContext, type: 'clips' | 'creators', id: string): Promise<void> {
  if (await isKnown(ctx, subjectOf(type, id))) return
  const what = type === 'clips' ? 'video' : 'creator'
  throw new AppError('NOT_FOUND', `No source has named the ${what} ${id}: search for it by name.`, { details: { id } })
}

/** A window that holds every reading up to now. */
function everything(ctx: AnalyticsContext): Window {
  const toMs = ctx.world.clock.nowMs()
  return { fromMs: 0, toMs, backMs: toMs }
}

/** A creator known by title only has the id `name:<title>`. */
function nameOf(id: string): string {
  return id.startsWith('name:') ? id.slice(5) : id
}

/** A whole number of a cursor, which anybody may have written. */
function wholeOf(value: string | number | undefined): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
