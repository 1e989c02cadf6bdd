import { z } from 'zod'
import { type Platform, PlatformSchema } from '../../contracts/ids.ts'
import { policyOf } from '../../contracts/samples.ts'
import { mayBeWithheld } from '../boundaries.ts'
import type { AnalyticsContext } from '../context.ts'
import { meetsTerms } from '../policy.ts'
import { compose, maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
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
  may_derive: z.number(),
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
  /** Measures may be made of its numbers. */
  readonly mayDerive: boolean
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
    page: videos.map(({ platform, id }) => [platform, id]),
    fromMs: Math.max(0, Math.min(window.fromMs - window.backMs, quarterMinMs)),
    startMs: window.fromMs,
    quarterMs: quarter.fromMs,
    quarterMinMs,
    endMs: window.toMs,
    endMinMs: Math.max(0, window.toMs - window.backMs),
    sliceMs,
  }
  const rows = await runQuery(ctx, withTerms(ctx, 'clip-details'), values, DetailRow, { tag: 'analytics:details' })
  return new Map(
    rows.map(row => [refKey({ platform: row.platform, id: row.video_id }), detailOf(row, window, sliceMs)]),
  )
}

function detailOf(row: z.infer<typeof DetailRow>, window: Window, sliceMs: number): ClipDetail {
  const bySlice = new Map(
    row.slices.map((slice, index) => [slice, readingOf([row.slice_ms[index] ?? 0, row.slice_views[index] ?? 0])]),
  )
  return {
    platform: row.platform,
    videoId: row.video_id,
    creatorId: row.creator_id,
    mayDerive: row.may_derive === 1 && policyOf(row.source).mayDerive,
    views: row.views,
    likes: row.likes,
    comments: row.comments,
    shares: row.shares,
    saves: row.saves,
    source: row.source,
    sampleAtMs: row.sample_ms,
    quarter: readingOf([row.quarter_ms, row.quarter_views]),
    afterQuarter: readingOf([row.after_ms, row.after_views]),
    spark: sparkOf(bySlice, window, sliceMs),
  }
}

/** The text with what says of which videos measures may be made; where there are none to withhold it costs nothing. */
function withTerms(ctx: AnalyticsContext, file: string): string {
  const withheld = sqlPart('filters', 'withheld')
  return compose(sqlPart(file), { may_derive: mayBeWithheld(ctx) ? sqlPart('filters', 'may_derive') : '1', withheld })
}

/** Creator, counters, source and instant of a reading; the instant is 0 where there is none. */
const LastRow = z.tuple([
  z.string(),
  maybeNumber,
  maybeNumber,
  maybeNumber,
  maybeNumber,
  maybeNumber,
  z.string(),
  wholeNumber,
])

const ReadingsRow = z.object({
  platform: PlatformSchema,
  video_id: z.string(),
  video_key: z.string(),
  may_mix: z.number(),
  may_derive: z.number(),
  viewed: LastRow,
  viewless: LastRow,
  instants: z.array(z.number()),
  counts: z.array(z.number()),
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
  const layouts = windows.map(window => layoutOf(window, nowMs))
  const values = {
    page: videos.map(({ platform, id }) => [platform, id]),
    fromMs: Math.min(...layouts.flatMap(({ startMinMs, quarterMinMs }) => [startMinMs, quarterMinMs])),
    endMs: nowMs,
  }
  const rows = await runQuery(ctx, withTerms(ctx, 'window-details'), values, ReadingsRow, {
    tag: 'analytics:live-details',
  })
  return rows.flatMap(row => layouts.flatMap(layout => windowDetail(row, layout) ?? []))
}

/** The instants by which readings of one window are told apart. */
interface Layout {
  readonly window: Window
  readonly startMinMs: number
  readonly quarterMs: number
  readonly quarterMinMs: number
  readonly endMinMs: number
  readonly sliceMs: number
}

function layoutOf(window: Window, nowMs: number): Layout {
  const quarter = lastQuarter(window)
  return {
    window,
    startMinMs: Math.max(0, window.fromMs - window.backMs),
    quarterMs: quarter.fromMs,
    quarterMinMs: Math.max(0, quarter.fromMs - quarter.backMs),
    endMinMs: Math.max(0, nowMs - window.backMs),
    sliceMs: Math.max(1, Math.ceil((window.toMs - window.fromMs) / sliceCount)),
  }
}

/** `null` when the video has no reading that is fresh enough at the window's end. */
function windowDetail(row: z.infer<typeof ReadingsRow>, layout: Layout): WindowDetail | null {
  const { window, startMinMs, quarterMs, quarterMinMs, endMinMs, sliceMs } = layout
  // One with views comes before any without.
  const last = [row.viewed, row.viewless].find(([, , , , , , , atMs]) => atMs > 0 && atMs >= endMinMs)
  if (!last) return null
  const [creatorId, views, likes, comments, shares, saves, source, sampleAtMs] = last
  let start: Reading | null = null
  let first: Reading | null = null
  let quarter: Reading | null = null
  let afterQuarter: Reading | null = null
  const bySlice = new Map<number, Reading>()
  for (const [index, atMs] of row.instants.entries()) {
    const reading = { atMs, views: row.counts[index] ?? 0 }
    if (atMs > window.fromMs) first = earlier(first, reading)
    else if (atMs >= startMinMs) start = later(start, reading)
    if (atMs > quarterMs) afterQuarter = earlier(afterQuarter, reading)
    else if (atMs >= quarterMinMs) quarter = later(quarter, reading)
    const slice = Math.min(sliceCount, Math.max(0, Math.ceil((atMs - window.fromMs) / sliceMs)))
    bySlice.set(slice, later(bySlice.get(slice) ?? null, reading))
  }
  return {
    platform: row.platform,
    videoId: row.video_id,
    creatorId,
    mayDerive: row.may_derive === 1 && policyOf(source).mayDerive,
    ...{ views, likes, comments, shares, saves },
    source,
    sampleAtMs,
    quarter,
    afterQuarter,
    spark: sparkOf(bySlice, window, sliceMs),
    window,
    key: row.video_key,
    mayMix: row.may_mix === 1,
    start,
    first,
  }
}

/** Of equal instants, here and below, the reading with the most views. */
function later(one: Reading | null, other: Reading): Reading {
  if (one === null || other.atMs > one.atMs) return other
  return other.atMs === one.atMs && other.views > one.views ? other : one
}

function earlier(one: Reading | null, other: Reading): Reading {
  if (one === null || other.atMs < one.atMs) return other
  return other.atMs === one.atMs && other.views > one.views ? other : one
}

interface Reading {
  readonly atMs: number
  readonly views: number
}

/** `null` for the instant 0, which stands for none. */
function readingOf([atMs, views]: readonly [number, number] = [0, 0]): Reading | null {
  return atMs === 0 ? null : { atMs, views }
}

/** @param bySlice the last reading of each slice that has any */
function sparkOf(bySlice: ReadonlyMap<number, Reading | null>, window: Window, sliceMs: number): (number | null)[] {
  let last: Reading | null = null
  return Array.from({ length: sliceCount + 1 }, (_, slice) => {
    last = bySlice.get(slice) ?? last
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

const WithheldRow = z.object({ platform: PlatformSchema, creator_id: z.string() })

/**
 * Those of the creators of whom no measure may be made, by `platform id`: of them or of a video of theirs.
 * @param platforms those that the question is about
 */
export async function withheldCreators(
  ctx: AnalyticsContext,
  platforms: readonly string[],
  creators: readonly NativeRef[],
): Promise<Set<string>> {
  if (creators.length === 0 || !meetsTerms(platforms)) return new Set()
  const text = compose(sqlPart('descriptions', 'withheld_creators'), { withheld: sqlPart('filters', 'withheld') })
  const rows = await runQuery(ctx, text, pageOf(creators), WithheldRow, { tag: 'analytics:withheld' })
  return new Set(rows.map(row => refKey({ platform: row.platform, id: row.creator_id })))
}

/** The key of the maps above. */
export function refKey(ref: NativeRef): string {
  return `${ref.platform} ${ref.id}`
}

function pageOf(refs: readonly NativeRef[]): { pagePlatforms: string[]; pageIds: string[] } {
  return { pagePlatforms: refs.map(ref => ref.platform), pageIds: refs.map(ref => ref.id) }
}
