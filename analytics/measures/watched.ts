import { CreatorIdSchema, splitId, TopicIdSchema, VideoIdSchema } from '../../contracts/ids.ts'
import { type Period, periodMs, type TrendRow, type TrendsParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import {
  creatorDescriptions,
  followersOf,
  type NativeRef,
  nichesOf,
  peersOf,
  refKey,
  videoDescriptions,
  windowDetails,
} from './details.ts'
import { titleOf } from './subject-at.ts'
import { clipRow, creatorsOf, outlierSubject, trends } from './trends.ts'
import { makeWindow } from './window.ts'
import { windowRow } from './window-row.ts'

/** Something whose numbers are wanted, by its id on the wire. */
export interface WatchedSubject {
  readonly type: TrendsParams['type']
  readonly id: string
}

type Numbers = Omit<TrendRow, 'rank' | 'rankChange' | 'trending'>

/** Creators and topics that are asked for at the same time. */
const parallelMax = 4

/**
 * The numbers of each subject over the window that ends now, in the order of the subjects: those that `trends` would show.
 * Clips cost the same few questions however many they are; a creator or topic costs some of its own.
 */
export async function watchedRows(
  ctx: AnalyticsContext,
  subjects: readonly WatchedSubject[],
  period: Period,
): Promise<{ rows: Numbers[]; asOf: Date }> {
  const toMs = ctx.world.clock.nowMs()
  const clips = subjects.filter(({ type }) => type === 'clips')
  const groups = subjects.filter(({ type }) => type !== 'clips')
  const found = await clipsById(
    ctx,
    clips.map(({ id }) => refOf(id)),
    { fromMs: toMs - periodMs[period], toMs },
  )
  for (let at = 0; at < groups.length; at += parallelMax) {
    const portion = groups.slice(at, at + parallelMax)
    const rows = await Promise.all(portion.map(subject => groupRow(ctx, subject, period)))
    for (const [index, subject] of portion.entries()) {
      const row = rows[index]
      if (row) found.set(keyOf(subject), row)
    }
  }
  const rows = await Promise.all(
    subjects.map(async subject => found.get(keyOf(subject)) ?? nothingOf(subject, await titleOf(ctx, subject))),
  )
  return { rows, asOf: new Date(toMs) }
}

function keyOf({ type, id }: WatchedSubject): string {
  return `${type} ${id}`
}

function refOf(id: string): NativeRef {
  const { platform, nativeId } = splitId(VideoIdSchema.parse(id))
  return { platform, id: nativeId }
}

async function clipsById(
  ctx: AnalyticsContext,
  videos: readonly NativeRef[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): Promise<Map<string, Numbers>> {
  if (videos.length === 0) return new Map()
  const window = makeWindow(Math.max(0, fromMs), toMs)
  const [read, descriptions, niches] = await Promise.all([
    windowDetails(ctx, [window], videos, toMs),
    videoDescriptions(ctx, videos),
    nichesOf(ctx, videos),
  ])
  const creators = creatorsOf(read)
  const [names, followers, peers] = await Promise.all([
    creatorDescriptions(ctx, creators),
    followersOf(ctx, window, creators),
    peersOf(
      ctx,
      read.flatMap(detail => outlierSubject(detail, descriptions) ?? []),
    ),
  ])
  const details = new Map(read.map(detail => [refKey({ platform: detail.platform, id: detail.videoId }), detail]))
  const parts = { details, descriptions, niches, names, followers, peers }
  const rows = read.flatMap(detail => {
    const ref = { key: detail.key, platform: detail.platform, id: detail.videoId }
    const publishedMs = descriptions.get(refKey(ref))?.published_ms ?? null
    return clipRow(windowRow(detail, publishedMs), ref, window, parts) ?? []
  })
  return new Map(rows.map(row => [keyOf({ type: 'clips', id: row.key }), row]))
}

async function groupRow(ctx: AnalyticsContext, { type, id }: WatchedSubject, period: Period): Promise<Numbers | null> {
  const only = type === 'creators' ? { creator: CreatorIdSchema.parse(id) } : { topic: TopicIdSchema.parse(id) }
  const found = await trends(ctx, { type, platform: 'all', period, sort: 'gain', limit: 1, ...only })
  return found.rows.find(row => row.key === id) ?? null
}

/** What nothing has read for so long has a name at most. */
function nothingOf({ type, id }: WatchedSubject, title: string): Numbers {
  const numbers = ['views', 'gain', 'velocity', 'acceleration', 'engagement', 'outlier', 'outlierZ', 'followers']
  return {
    key: id,
    platform: type === 'topics' ? null : splitId(VideoIdSchema.parse(id)).platform,
    title: type === 'topics' ? id : title,
    creatorId: null,
    creatorName: null,
    url: '',
    publishedAt: null,
    views: null,
    gain: null,
    gainState: 'partial',
    velocity: null,
    acceleration: null,
    engagement: null,
    engagementOver: [],
    outlier: null,
    outlierZ: null,
    clippers: null,
    followers: null,
    videos: 0,
    niches: [],
    regions: [],
    sampleAt: null,
    source: '',
    spark: [],
    missing: Object.fromEntries(numbers.map(name => [name, 'stale' as const])),
  }
}
