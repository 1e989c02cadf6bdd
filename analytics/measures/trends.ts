import { creatorId, PlatformSchema, videoId } from '../../contracts/ids.ts'
import type { MissingReason, TrendRow, TrendsParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { withOwnClippers } from '../copies/clippers.ts'
import { withoutMeasures } from '../policy.ts'
import { accelerationOf, engagementOf, outlierOf, velocityBetween } from '../scores.ts'
import { readTrendCursor, writeCursor } from './cursor.ts'
import {
  type ClipDetail,
  type CreatorDescription,
  clipDetails,
  creatorDescriptions,
  type FollowerReading,
  followersOf,
  keysOfPage,
  type NativeRef,
  nichesOf,
  type OutlierSubject,
  type PageKey,
  peersOf,
  refKey,
  type VideoDescription,
  videoDescriptions,
  withheldCreators,
} from './details.ts'
import { platformsOf, positions, type RankedRow, rank } from './ranking.ts'
import { lastQuarter, type Window, windowBefore, windowOf } from './window.ts'

/** A ranked list. `asOf` is data time: the end of the window; `generatedAt` is when it was computed. */
export interface Trends {
  readonly rows: TrendRow[]
  /** Only so many rows were ordered, those with the largest gains; `null`: all there are. */
  readonly rankedAmong: number | null
  readonly asOf: Date
  readonly generatedAt: Date
  readonly nextCursor: string | null
}

/** Clips that an order by outlier multiple looks at: those with the largest gains. */
const outlierCandidatesMax = 500

/**
 * Clips, creators or topics ranked over a window. Rows without a value for the sort come last; ties are broken by views
 * and then by key, so that pages never overlap. Later pages keep the window of the first.
 *
 * @throws AppError BAD_REQUEST for a cursor that is not ours
 */
export async function trends(ctx: AnalyticsContext, params: TrendsParams): Promise<Trends> {
  const cursor = params.cursor === undefined ? null : readTrendCursor(params.cursor)
  const window = windowOf(params, cursor?.toMs ?? ctx.world.clock.nowMs())
  if (params.sort === 'outlier' && params.type === 'clips') return byOutlier(ctx, params, window, cursor?.rank ?? 0)
  const ranked = await rank(ctx, params, window, { limit: params.limit + 1, after: cursor })
  const page = ranked.slice(0, params.limit)
  const rows = await rowsOf(ctx, params, window, page, cursor?.rank ?? 0)
  const last = page.at(-1)
  const hasMore = ranked.length > params.limit && last !== undefined
  const rankLast = (cursor?.rank ?? 0) + page.length
  return {
    rows,
    rankedAmong: null,
    asOf: new Date(window.toMs),
    generatedAt: new Date(),
    nextCursor: hasMore
      ? writeCursor({ toMs: window.toMs, value: last.sortValue, low: last.low, key: last.key, rank: rankLast })
      : null,
  }
}

/** The rows of one page: the first has the rank `rankBefore` + 1. */
export async function rowsOf(
  ctx: AnalyticsContext,
  params: TrendsParams,
  window: Window,
  page: readonly RankedRow[],
  rankBefore: number,
): Promise<TrendRow[]> {
  const keys = page.map(row => row.key)
  const [rows, before] = await Promise.all([
    params.type === 'clips' ? clipRows(ctx, params, window, page) : groupRows(ctx, params, window, page),
    positions(ctx, params, windowBefore(window), keys),
  ])
  return withRanks(rows, keys, before, rankBefore)
}

/** Puts ranks on the rows of one page, whose hashes are `keys`. */
export function withRanks(
  rows: readonly (TrendRow | null)[],
  keys: readonly string[],
  before: ReadonlyMap<string, number>,
  rankBefore: number,
): TrendRow[] {
  return rows.flatMap((row, index) => {
    const key = keys[index]
    if (row === null || key === undefined) return []
    const rankNow = rankBefore + index + 1
    // A change of rank is a measure too.
    const rankThen = row.missing.gain === 'needs_amendment' ? undefined : before.get(key)
    return [{ ...row, rank: rankNow, rankChange: rankThen === undefined ? null : rankThen - rankNow }]
  })
}

async function byOutlier(
  ctx: AnalyticsContext,
  params: TrendsParams,
  window: Window,
  rankBefore: number,
): Promise<Trends> {
  const byGain: TrendsParams = { ...params, sort: 'gain' }
  const ranked = await rank(ctx, byGain, window, { limit: outlierCandidatesMax, after: null })
  const all = (await clipRows(ctx, byGain, window, ranked)).flatMap(row => row ?? [])
  const sorted = all.sort(
    (a, b) => (b.outlier ?? -1) - (a.outlier ?? -1) || (b.views ?? 0) - (a.views ?? 0) || (a.key < b.key ? -1 : 1),
  )
  const page = sorted.slice(rankBefore, rankBefore + params.limit)
  const rankLast = rankBefore + page.length
  return {
    rows: page.map((row, index) => ({ ...row, rank: rankBefore + index + 1, rankChange: null })),
    rankedAmong: outlierCandidatesMax,
    asOf: new Date(window.toMs),
    generatedAt: new Date(),
    nextCursor:
      sorted.length > rankLast && page.length > 0
        ? writeCursor({ toMs: window.toMs, value: null, low: 0, key: '', rank: rankLast })
        : null,
  }
}

type UnrankedRow = Omit<TrendRow, 'rank' | 'rankChange'>
const unranked = { rank: 1, rankChange: null }

/** What rows of clips are made of, each by `platform id`. */
export interface ClipParts {
  readonly details: ReadonlyMap<string, ClipDetail>
  readonly descriptions: ReadonlyMap<string, VideoDescription>
  readonly niches: ReadonlyMap<string, readonly { niche: string }[]>
  readonly names: ReadonlyMap<string, CreatorDescription>
  readonly followers: ReadonlyMap<string, FollowerReading>
  readonly peers: ReadonlyMap<string, readonly number[]>
}

async function clipRows(
  ctx: AnalyticsContext,
  params: TrendsParams,
  window: Window,
  page: readonly RankedRow[],
): Promise<(TrendRow | null)[]> {
  const ids = await keysOfPage(
    ctx,
    'clips',
    platformsOf(params),
    page.map(row => row.key),
  )
  const videos: NativeRef[] = [...ids.values()]
  const [details, descriptions, niches] = await Promise.all([
    clipDetails(ctx, window, videos),
    videoDescriptions(ctx, videos),
    nichesOf(ctx, videos),
  ])
  const creators = creatorsOf(details.values())
  const subjects = [...details.values()].flatMap(detail => outlierSubject(detail, descriptions) ?? [])
  const [names, followers, peers] = await Promise.all([
    creatorDescriptions(ctx, creators),
    followersOf(ctx, window, creators),
    peersOf(ctx, subjects),
  ])
  const parts: ClipParts = { details, descriptions, niches, names, followers, peers }
  const rows = page.map(row => {
    const ref = ids.get(row.key)
    return ref ? clipRow(row, ref, window, parts) : null
  })
  return withOwnClippers(ctx, 'clips', window, rows)
}

/** The creators of clips, each once. */
export function creatorsOf(details: Iterable<ClipDetail>): NativeRef[] {
  return uniqueRefs([...details].map(detail => ({ platform: detail.platform, id: detail.creatorId })))
}

/** One row, not ranked yet; `null` when its video has no details. */
export function clipRow(row: RankedRow, ref: PageKey, window: Window, parts: ClipParts): TrendRow | null {
  const key = refKey(ref)
  const detail = parts.details.get(key)
  if (!detail) return null
  const description = parts.descriptions.get(key)
  const publishedMs = description?.published_ms ?? null
  const creatorKey = refKey({ platform: ref.platform, id: detail.creatorId })
  const acceleration = accelerationOf(quarterVelocity(detail, window, publishedMs), row.velocity)
  const engagement = engagementOf(detail)
  const outlier = outlierOf(detail.views ?? 0, parts.peers.get(key) ?? [])
  const hasViews = row.state !== 'viewless'
  const unknownName = detail.creatorId.startsWith('name:') ? detail.creatorId.slice(5) : null
  const values = {
    views: hasViews ? row.low : null,
    gain: row.gain,
    velocity: row.velocity,
    acceleration,
    engagement: engagement.value,
    outlier: hasViews ? outlier.multiple : null,
    outlierZ: hasViews ? outlier.z : null,
    followers: parts.followers.get(creatorKey)?.followers ?? null,
  }
  const built: UnrankedRow = {
    key: videoId(ref.platform, ref.id),
    platform: ref.platform,
    title: description?.title ?? '',
    creatorId: detail.creatorId === '' ? null : creatorId(ref.platform, detail.creatorId),
    creatorName: parts.names.get(creatorKey)?.name || unknownName,
    url: description?.url ?? '',
    publishedAt: isoOf(publishedMs),
    ...values,
    // Without views there is no gain to have a state: `missing` says so.
    gainState: row.state === 'viewless' ? 'partial' : row.state,
    engagementOver: engagement.over,
    clippers: null,
    videos: 1,
    niches: (parts.niches.get(key) ?? []).map(({ niche }) => niche),
    regions: description?.regions ?? [],
    sampleAt: isoOf(detail.sampleAtMs),
    source: detail.source,
    spark: hasViews ? detail.spark : [],
    missing: missingOf({ ...values, clippers: null }, hasViews),
  }
  return { ...(detail.mayDerive ? built : withoutMeasures(built)), ...unranked }
}

/** What the clip's outlier multiple is asked with; `null` when it can have none. */
export function outlierSubject(
  detail: ClipDetail,
  descriptions: ReadonlyMap<string, { kind: string; published_ms: number | null }>,
): OutlierSubject | null {
  const description = descriptions.get(refKey({ platform: detail.platform, id: detail.videoId }))
  const publishedMs = description?.published_ms ?? null
  if (!description || publishedMs === null || detail.creatorId === '' || detail.sampleAtMs < publishedMs) return null
  return {
    platform: detail.platform,
    id: detail.videoId,
    creatorId: detail.creatorId,
    kind: description.kind,
    publishedMs,
    ageMs: detail.sampleAtMs - publishedMs,
  }
}

function quarterVelocity(detail: ClipDetail, window: Window, publishedMs: number | null): number | null {
  const { fromMs, toMs } = lastQuarter(window)
  if (detail.views === null) return null
  const isNew = publishedMs !== null && publishedMs > fromMs && publishedMs <= toMs
  const start = detail.quarter ?? (isNew ? { atMs: publishedMs, views: 0 } : detail.afterQuarter)
  return start ? velocityBetween(start, { atMs: detail.sampleAtMs, views: detail.views }) : null
}

async function groupRows(
  ctx: AnalyticsContext,
  params: TrendsParams,
  window: Window,
  page: readonly RankedRow[],
): Promise<(TrendRow | null)[]> {
  const isCreators = params.type === 'creators'
  const keys = page.map(row => row.key)
  const ids = isCreators ? await keysOfPage(ctx, 'creators', platformsOf(params), keys) : new Map()
  const creators: NativeRef[] = [...ids.values()]
  const [names, followers, withheld] = await Promise.all([
    creatorDescriptions(ctx, creators),
    followersOf(ctx, window, creators),
    withheldCreators(ctx, platformsOf(params), creators),
  ])
  const rows = page.map(row => {
    const ref = ids.get(row.key)
    if (isCreators && !ref) return null
    const key = ref ? refKey(ref) : ''
    const name = names.get(key)
    const follower = followers.get(key)
    const hasViews = row.state !== 'viewless'
    const title = ref ? name?.name || nameOf(ref.id) : row.key
    const values = {
      views: hasViews ? row.low : null,
      gain: row.gain,
      velocity: row.velocity,
      acceleration: accelerationOf(row.recentVelocity, row.velocity),
      engagement: row.engagement,
      outlier: null,
      outlierZ: null,
      followers: follower?.followers ?? null,
      clippers: params.type === 'topics' && !(row.isOwn && row.videos === 0) ? row.clippers : null,
    }
    const built: UnrankedRow = {
      key: ref ? creatorId(ref.platform, ref.id) : row.key,
      platform: ref ? ref.platform : (PlatformSchema.safeParse(row.platform).data ?? null),
      title,
      creatorId: ref ? creatorId(ref.platform, ref.id) : null,
      creatorName: ref ? title : null,
      url: '',
      publishedAt: null,
      ...values,
      // Without views there is no gain to have a state: `missing` says so.
      gainState: row.state === 'viewless' ? 'partial' : row.state,
      engagementOver: [],
      videos: row.videos,
      niches: [],
      regions: [],
      sampleAt: isoOf(row.endMs),
      source: row.isOwn ? (follower?.source_name ?? '') : '',
      spark: [],
      missing: missingOf(values, hasViews),
    }
    return { ...(withheld.has(key) ? withoutMeasures(built) : built), ...unranked }
  })
  return isCreators ? withOwnClippers(ctx, 'creators', window, rows) : rows
}

/** A creator known by title only has the id `name:<title>`. */
function nameOf(id: string): string {
  return id.startsWith('name:') ? id.slice(5) : id
}

/** Why each number that is not there is not there. */
function missingOf(values: Readonly<Record<string, number | null>>, hasViews: boolean): Record<string, MissingReason> {
  const notProvided = new Set(['followers', 'clippers', 'views'])
  const missing: Record<string, MissingReason> = {}
  for (const [name, value] of Object.entries(values)) {
    if (value === null) missing[name] = !hasViews || notProvided.has(name) ? 'not_provided' : 'too_few'
  }
  return missing
}

function uniqueRefs(refs: readonly NativeRef[]): NativeRef[] {
  return [...new Map(refs.filter(ref => ref.id !== '').map(ref => [refKey(ref), ref])).values()]
}

function isoOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}
