import { z } from 'zod'
import { type Platform, PlatformSchema } from '../../contracts/ids.ts'
import type { AnalyticsContext } from '../context.ts'
import { maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import type { Counters } from '../scores.ts'
import { lastQuarter, type Window } from './window.ts'

/** A video or creator by its two parts. */
export interface NativeRef {
  readonly platform: string
  readonly id: string
}

const KeyRow = z.object({ key: z.string(), platform: PlatformSchema, id: z.string() })
export type PageKey = z.infer<typeof KeyRow>

/** From the hashes that ranking works with back to the ids. */
export async function keysOfPage(
  ctx: AnalyticsContext,
  kind: 'clips' | 'creators',
  platforms: readonly string[],
  keys: readonly string[],
): Promise<Map<string, PageKey>> {
  if (keys.length === 0) return new Map()
  const rows = await runQuery(ctx, sqlPart('keys-of-page', kind), { platforms, keys }, KeyRow)
  return new Map(rows.map(row => [row.key, row]))
}

const DetailRow = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  creator_id: z.string(),
  views: maybeNumber,
  likes: maybeNumber,
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
  source: z.string(),
  sample_ms: wholeNumber,
  quarter_ms: wholeNumber,
  quarter_views: wholeNumber,
  after_ms: wholeNumber,
  after_views: wholeNumber,
  slices: z.array(wholeNumber),
  slice_views: z.array(wholeNumber),
  slice_ms: z.array(wholeNumber),
})

/** Slices of a row's spark line. */
const sliceCount = 24

/** What a row shows beside its gain. */
export interface ClipDetail extends Counters {
  readonly platform: Platform
  readonly videoId: string
  readonly creatorId: string
  readonly source: string
  readonly sampleAtMs: number
  /** The reading that the last quarter starts from, and the first one inside it; `null` when there is none. */
  readonly quarter: { atMs: number; views: number } | null
  readonly afterQuarter: { atMs: number; views: number } | null
  /** Views at 25 evenly spaced instants of the window, both ends included; `null` is a gap. */
  readonly spark: (number | null)[]
}

/** Details of the named videos, by `platform id`. */
export async function clipDetails(
  ctx: AnalyticsContext,
  window: Window,
  videos: readonly NativeRef[],
): Promise<Map<string, ClipDetail>> {
  if (videos.length === 0) return new Map()
  const quarter = lastQuarter(window)
  const quarterMinMs = Math.max(0, quarter.fromMs - quarter.backMs)
  const sliceMs = Math.max(1, Math.ceil((window.toMs - window.fromMs) / sliceCount))
  const values = {
    ...pageOf(videos),
    fromMs: Math.max(0, Math.min(window.fromMs - window.backMs, quarterMinMs)),
    startMs: window.fromMs,
    quarterMs: quarter.fromMs,
    quarterMinMs,
    endMs: window.toMs,
    endMinMs: Math.max(0, window.toMs - window.backMs),
    sliceMs,
  }
  const rows = await runQuery(ctx, sqlPart('clip-details'), values, DetailRow, { tag: 'analytics:details' })
  return new Map(
    rows.map(row => [refKey({ platform: row.platform, id: row.video_id }), detailOf(row, window, sliceMs)]),
  )
}

function detailOf(row: z.infer<typeof DetailRow>, window: Window, sliceMs: number): ClipDetail {
  return {
    platform: row.platform,
    videoId: row.video_id,
    creatorId: row.creator_id,
    views: row.views,
    likes: row.likes,
    comments: row.comments,
    shares: row.shares,
    saves: row.saves,
    source: row.source,
    sampleAtMs: row.sample_ms,
    quarter: row.quarter_ms === 0 ? null : { atMs: row.quarter_ms, views: row.quarter_views },
    afterQuarter: row.after_ms === 0 ? null : { atMs: row.after_ms, views: row.after_views },
    spark: sparkOf(row, window, sliceMs),
  }
}

const WindowDetailRow = DetailRow.extend({
  video_key: z.string(),
  may_mix: z.number(),
  from_ms: wholeNumber,
  until_ms: wholeNumber,
  start_ms: wholeNumber,
  start_views: wholeNumber,
  first_ms: wholeNumber,
  first_views: wholeNumber,
})

/** Details of one video over one window, with what its gain is made of. */
export interface WindowDetail extends ClipDetail {
  readonly window: Window
  /** The hash that ranking works with. */
  readonly key: string
  /** It may stand in lists across platforms. */
  readonly mayMix: boolean
  /** The value at the window's start, and the first reading inside it; `null` when there is none. */
  readonly start: { atMs: number; views: number } | null
  readonly first: { atMs: number; views: number } | null
}

/**
 * Details of the named videos over several windows at once: their samples are read once. A window's quarter and slices
 * are laid out to its end, even when that lies after `nowMs`; samples after `nowMs` do not count.
 */
export async function windowDetails(
  ctx: AnalyticsContext,
  windows: readonly Window[],
  videos: readonly NativeRef[],
  nowMs: number,
): Promise<WindowDetail[]> {
  if (videos.length === 0 || windows.length === 0) return []
  const quarters = windows.map(lastQuarter)
  const laid = windows.map(window => ({
    startMinMs: Math.max(0, window.fromMs - window.backMs),
    sliceMs: Math.max(1, Math.ceil((window.toMs - window.fromMs) / sliceCount)),
  }))
  const quarterMins = quarters.map(quarter => Math.max(0, quarter.fromMs - quarter.backMs))
  const values = {
    ...pageOf(videos),
    startsMs: windows.map(window => window.fromMs),
    untilsMs: windows.map(window => window.toMs),
    startMinsMs: laid.map(({ startMinMs }) => startMinMs),
    quartersMs: quarters.map(quarter => quarter.fromMs),
    quarterMinsMs: quarterMins,
    endMinsMs: windows.map(window => Math.max(0, nowMs - window.backMs)),
    slicesMs: laid.map(({ sliceMs }) => sliceMs),
    fromMs: Math.min(...laid.map(({ startMinMs }) => startMinMs), ...quarterMins),
    endMs: nowMs,
  }
  const rows = await runQuery(ctx, sqlPart('window-details'), values, WindowDetailRow, {
    tag: 'analytics:live-details',
  })
  return rows.flatMap(row => {
    const at = windows.findIndex(({ fromMs, toMs }) => fromMs === row.from_ms && toMs === row.until_ms)
    const [window, sliceMs] = [windows[at], laid[at]?.sliceMs]
    if (!window || sliceMs === undefined || row.sample_ms === 0) return []
    return {
      ...detailOf(row, window, sliceMs),
      window,
      key: row.video_key,
      mayMix: row.may_mix === 1,
      start: row.start_ms === 0 ? null : { atMs: row.start_ms, views: row.start_views },
      first: row.first_ms === 0 ? null : { atMs: row.first_ms, views: row.first_views },
    }
  })
}

function sparkOf(row: z.infer<typeof DetailRow>, window: Window, sliceMs: number): (number | null)[] {
  const bySlice = new Map(row.slices.map((slice, index) => [slice, index]))
  let last: { atMs: number; views: number } | null = null
  return Array.from({ length: sliceCount + 1 }, (_, slice) => {
    const index = bySlice.get(slice)
    if (index !== undefined) last = { atMs: row.slice_ms[index] ?? 0, views: row.slice_views[index] ?? 0 }
    const atMs = window.fromMs + slice * sliceMs
    return last && last.atMs >= atMs - window.backMs ? last.views : null
  })
}

const VideoRow = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  creator_id: z.string(),
  kind: z.string(),
  title: z.string(),
  url: z.string(),
  thumbnail_url: z.string(),
  published_ms: maybeNumber,
  ended_ms: maybeNumber,
  duration_seconds: maybeNumber,
  category: z.string(),
  tags: z.array(z.string()),
  regions: z.array(z.string()),
  source_name: z.string(),
  said_ms: wholeNumber,
})
export type VideoDescription = z.infer<typeof VideoRow>

/** What is known of the named videos beside their counters, by `platform id`. */
export async function videoDescriptions(
  ctx: AnalyticsContext,
  videos: readonly NativeRef[],
): Promise<Map<string, VideoDescription>> {
  if (videos.length === 0) return new Map()
  const rows = await runQuery(ctx, sqlPart('descriptions', 'videos'), pageOf(videos), VideoRow)
  return new Map(rows.map(row => [refKey({ platform: row.platform, id: row.video_id }), row]))
}

const CreatorRow = z.object({
  platform: PlatformSchema,
  creator_id: z.string(),
  name: z.string(),
  handle: z.string(),
  source_name: z.string(),
  said_ms: wholeNumber,
})
export type CreatorDescription = z.infer<typeof CreatorRow>

/** Names and handles of the named creators, by `platform id`. */
export async function creatorDescriptions(
  ctx: AnalyticsContext,
  creators: readonly NativeRef[],
): Promise<Map<string, CreatorDescription>> {
  if (creators.length === 0) return new Map()
  const rows = await runQuery(ctx, sqlPart('descriptions', 'creators'), pageOf(creators), CreatorRow)
  return new Map(rows.map(row => [refKey({ platform: row.platform, id: row.creator_id }), row]))
}

const FollowerRow = z.object({
  platform: PlatformSchema,
  creator_id: z.string(),
  followers: wholeNumber,
  source_name: z.string(),
  at_ms: wholeNumber,
})
export type FollowerReading = z.infer<typeof FollowerRow>

/** The last follower counts at the window's end, by `platform id`. */
export async function followersOf(
  ctx: AnalyticsContext,
  window: Window,
  creators: readonly NativeRef[],
): Promise<Map<string, FollowerReading>> {
  if (creators.length === 0) return new Map()
  const values = { ...pageOf(creators), fromMs: Math.max(0, window.toMs - window.backMs), endMs: window.toMs }
  const rows = await runQuery(ctx, sqlPart('descriptions', 'followers'), values, FollowerRow)
  return new Map(rows.map(row => [refKey({ platform: row.platform, id: row.creator_id }), row]))
}

const NicheRow = z.object({ platform: PlatformSchema, video_id: z.string(), niche: z.string(), rule: z.string() })

/** Niches of the named videos with the rule that matched, by `platform id`. */
export async function nichesOf(
  ctx: AnalyticsContext,
  videos: readonly NativeRef[],
): Promise<Map<string, { niche: string; rule: string }[]>> {
  const found = new Map<string, { niche: string; rule: string }[]>()
  if (videos.length === 0) return found
  const values = { ...pageOf(videos), rulesHash: ctx.niches.hash }
  for (const row of await runQuery(ctx, sqlPart('descriptions', 'niches'), values, NicheRow)) {
    const key = refKey({ platform: row.platform, id: row.video_id })
    const known = found.get(key) ?? []
    known.push({ niche: row.niche, rule: row.rule })
    found.set(key, known)
  }
  return found
}

const PeersRow = z.object({ platform: PlatformSchema, video_id: z.string(), peers: z.array(wholeNumber) })

/** A clip whose views are to be held against its creator's usual. */
export interface OutlierSubject extends NativeRef {
  readonly creatorId: string
  readonly kind: string
  readonly publishedMs: number
  readonly ageMs: number
}

/** Views of each clip's peers at its age, by `platform id`; at most 30 each. */
export async function peersOf(
  ctx: AnalyticsContext,
  clips: readonly OutlierSubject[],
): Promise<Map<string, readonly number[]>> {
  if (clips.length === 0) return new Map()
  const values = {
    ...pageOf(clips),
    pageCreators: clips.map(clip => clip.creatorId),
    pageKinds: clips.map(clip => clip.kind),
    pagePublished: clips.map(clip => clip.publishedMs),
    pageAges: clips.map(clip => clip.ageMs),
  }
  const rows = await runQuery(ctx, sqlPart('outliers'), values, PeersRow, { tag: 'analytics:outliers' })
  return new Map(rows.map(row => [refKey({ platform: row.platform, id: row.video_id }), row.peers]))
}

/** The key of the maps above. */
export function refKey(ref: NativeRef): string {
  return `${ref.platform} ${ref.id}`
}

function pageOf(refs: readonly NativeRef[]): { pagePlatforms: string[]; pageIds: string[] } {
  return { pagePlatforms: refs.map(ref => ref.platform), pageIds: refs.map(ref => ref.id) }
}
