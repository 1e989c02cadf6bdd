import { AppError } from '../../contracts/errors.ts'
import {
  type Bucket,
  bucketMs,
  buckets,
  type MissingReason,
  type SeriesParams,
  type SeriesPoint,
} from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { ownClippers } from '../copies/clippers.ts'
import { accelerationOf, engagementOf, type Gain, gainOf, lookBackMs, type Reading, valueAt } from '../scores.ts'
import { videoDescriptions } from './details.ts'
import {
  clipSamples,
  type GroupVideo,
  groupVideos,
  isWithheld,
  ownSamples,
  publishedVideos,
  type SubjectRef,
  subjectOf,
} from './subject.ts'
import { lastQuarter, makeWindow, type Window, windowOf } from './window.ts'

/** A line over time. `asOf` is the end of the window. */
export interface Series {
  readonly points: SeriesPoint[]
  readonly bucket: Bucket
  readonly asOf: Date
}

const pointsMax = 2000
/** Points that a bucket which nobody chose may lead to. */
const pointsWanted = 150

/**
 * One measure of one subject at the end of each bucket (UTC, aligned) of the window, oldest first; `views`, `followers`
 * and `engagement` end with the window's end itself. Gain, velocity, acceleration and clippers are those of the bucket
 * that ends there. A subject that nobody knows has only gaps.
 *
 * @throws AppError BAD_REQUEST when the bucket would give more than 2,000 points
 */
export async function series(ctx: AnalyticsContext, params: SeriesParams): Promise<Series> {
  const window = windowOf(params, ctx.world.clock.nowMs(), '7d')
  const bucket = params.bucket ?? bucketFor(window)
  const instants = instantsOf(window, bucketMs[bucket], isLevel(params.metric))
  if (instants.length > pointsMax) {
    throw new AppError(
      'BAD_REQUEST',
      `A series has at most ${pointsMax} points: choose a longer bucket or a shorter window.`,
      {
        details: { field: 'bucket' },
      },
    )
  }
  const value = await meter(ctx, params, window, bucketMs[bucket])
  const points = instants.map(atMs => {
    const found = value(atMs)
    const at = new Date(atMs).toISOString()
    if (typeof found === 'string') return { at, value: null, state: found }
    return { at, value: found, state: found === 0 ? ('zero' as const) : ('value' as const) }
  })
  return { points, bucket, asOf: new Date(window.toMs) }
}

/** The measure at an instant of data time, or why there is none. */
export type Meter = (atMs: number) => number | MissingReason

function isLevel(metric: SeriesParams['metric']): boolean {
  return metric === 'views' || metric === 'followers' || metric === 'engagement'
}

function bucketFor(window: Window): Bucket {
  const spanMs = window.toMs - window.fromMs
  return buckets.find(bucket => spanMs / bucketMs[bucket] <= pointsWanted) ?? '7d'
}

function instantsOf(window: Window, stepMs: number, hasEnd: boolean): number[] {
  const instants: number[] = []
  for (let atMs = Math.ceil(window.fromMs / stepMs) * stepMs; atMs <= window.toMs; atMs += stepMs) {
    instants.push(atMs)
    if (instants.length > pointsMax) break
  }
  if (hasEnd && instants.at(-1) !== window.toMs) instants.push(window.toMs)
  return instants
}

/**
 * Reads what the metric needs and returns how to look it up at an instant.
 * @param window the instants that will be asked for
 * @param stepMs the span before each instant that gains, velocities and the like are over
 */
export async function meter(
  ctx: AnalyticsContext,
  { type, id, platform, metric }: Pick<SeriesParams, 'type' | 'id' | 'platform' | 'metric'>,
  window: Window,
  stepMs: number,
): Promise<Meter> {
  if (metric === 'clippers' && type !== 'topics') return ownClippersMeter(ctx, type, id, stepMs)
  const subject = subjectOf(type, id, platform)
  const backMs = lookBackMs(stepMs)
  const fromMs = window.fromMs - stepMs - backMs
  if (metric === 'followers') return followersMeter(ctx, subject, window, backMs)
  if (metric === 'clippers') return topicClippersMeter(ctx, subject, stepMs)
  if (metric !== 'views' && (await isWithheld(ctx, subject))) return () => 'needs_amendment'
  const own = subject.type === 'clips' ? [] : await ownSamples(ctx, subject, fromMs, window.toMs)
  const ownReadings = readingsOf(own)
  const videos: readonly GroupVideo[] =
    metric !== 'engagement' && ownReadings.length > 0
      ? [{ creatorId: '', publishedMs: null, readings: ownReadings.map(reading => ({ ...reading, ...noCounters })) }]
      : subject.type === 'clips'
        ? [await clipAsGroup(ctx, subject, fromMs, window.toMs)]
        : await groupVideos(ctx, subject, fromMs, window.toMs)
  if (!videos.some(video => video.readings.length > 0)) return () => 'not_provided'
  switch (metric) {
    case 'views':
      return atMs => sumOf(videos, video => valueAt(video.readings, atMs, backMs)?.views ?? null) ?? 'stale'
    case 'engagement':
      return atMs => engagementAt(videos, atMs, backMs)
    case 'gain':
      return atMs => sumOf(videos, video => gainIn(video, atMs, stepMs)?.gain ?? null) ?? 'stale'
    case 'velocity':
      return atMs => sumOf(videos, video => gainIn(video, atMs, stepMs)?.velocity ?? null) ?? 'too_few'
    case 'acceleration':
      return atMs => accelerationAt(videos, atMs, stepMs)
  }
}

const noCounters = { likes: null, comments: null, shares: null, saves: null }

async function clipAsGroup(
  ctx: AnalyticsContext,
  subject: SubjectRef,
  fromMs: number,
  toMs: number,
): Promise<GroupVideo> {
  const platform = subject.platforms[0] ?? ''
  const [samples, descriptions] = await Promise.all([
    clipSamples(ctx, subject, fromMs, toMs),
    videoDescriptions(ctx, [{ platform, id: subject.id }]),
  ])
  const [description] = descriptions.values()
  return {
    creatorId: '',
    publishedMs: description?.published_ms ?? null,
    readings: samples.flatMap(sample =>
      sample.views === null ? [] : [{ ...sample, atMs: sample.at_ms, views: sample.views }],
    ),
  }
}

function gainIn(video: GroupVideo, toMs: number, spanMs: number): Gain | null {
  return gainOf(video.readings, { fromMs: toMs - spanMs, toMs }, video.publishedMs)
}

function accelerationAt(videos: readonly GroupVideo[], atMs: number, stepMs: number): number | MissingReason {
  const window = makeWindow(Math.max(0, atMs - stepMs), atMs)
  const quarterMs = atMs - lastQuarter(window).fromMs
  const velocity = sumOf(videos, video => gainIn(video, atMs, stepMs)?.velocity ?? null)
  const recent = sumOf(videos, video => gainIn(video, atMs, quarterMs)?.velocity ?? null)
  return accelerationOf(recent, velocity) ?? 'too_few'
}

function engagementAt(videos: readonly GroupVideo[], atMs: number, backMs: number): number | MissingReason {
  let engaged = 0
  let views = 0
  for (const video of videos) {
    const last = video.readings.findLast(reading => reading.atMs <= atMs)
    if (!last || last.atMs < atMs - backMs || last.views === 0) continue
    const { value } = engagementOf(last)
    if (value === null) continue
    engaged += value * last.views
    views += last.views
  }
  return views === 0 ? 'not_provided' : engaged / views
}

async function followersMeter(
  ctx: AnalyticsContext,
  subject: SubjectRef,
  window: Window,
  backMs: number,
): Promise<Meter> {
  if (subject.type !== 'creators') return () => 'not_provided'
  const own = await ownSamples(ctx, subject, window.fromMs - backMs, window.toMs)
  const readings = own.flatMap(row => (row.followers === null ? [] : [{ atMs: row.at_ms, views: row.followers }]))
  if (readings.length === 0) return () => 'not_provided'
  return atMs => valueAt(readings, atMs, backMs)?.views ?? 'stale'
}

/** Over copies among media of the one who asks. */
function ownClippersMeter(ctx: AnalyticsContext, type: 'clips' | 'creators', id: string, stepMs: number): Meter {
  return atMs => ownClippers(ctx, type, id, { fromMs: atMs - stepMs, toMs: atMs }) ?? 'not_provided'
}

async function topicClippersMeter(ctx: AnalyticsContext, subject: SubjectRef, stepMs: number): Promise<Meter> {
  const posted = await publishedVideos(ctx, subject)
  if (posted.length === 0) return () => 'not_provided'
  return atMs => {
    const inside = posted.filter(row => row.published_ms > atMs - stepMs && row.published_ms <= atMs)
    return new Set(inside.map(row => `${row.platform}:${row.creator_id}`)).size
  }
}

function readingsOf(rows: readonly { at_ms: number; views: number | null }[]): Reading[] {
  return rows.flatMap(row => (row.views === null ? [] : [{ atMs: row.at_ms, views: row.views }]))
}

/** The sum over those that have a value; `null` when none has. */
function sumOf(videos: readonly GroupVideo[], value: (video: GroupVideo) => number | null): number | null {
  let sum: number | null = null
  for (const video of videos) {
    const found = value(video)
    if (found !== null) sum = (sum ?? 0) + found
  }
  return sum
}
