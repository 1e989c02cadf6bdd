import { z } from 'zod'
import { CreatorIdSchema, platforms, splitId, TopicIdSchema, VideoIdSchema } from '../../contracts/ids.ts'
import type { SeriesParams } from '../../contracts/measures.ts'
import type { AnalyticsContext } from '../context.ts'
import { isMixed, meetsTerms, sourcePrefixes } from '../policy.ts'
import { compose, maybeNumber, runQuery, sqlPart, wholeNumber } from '../queries/run-query.ts'
import type { Counters, Reading } from '../scores.ts'
import { withheldCreators } from './details.ts'

/** A clip, creator or topic that is asked about by its wire id. */
export interface SubjectRef {
  readonly type: SeriesParams['type']
  /** Native id, or the topic's text. */
  readonly id: string
  readonly platforms: readonly string[]
}

/** @throws ZodError for an id that the parameter schema would have refused */
export function subjectOf(type: SeriesParams['type'], id: string, platform: string = 'all'): SubjectRef {
  const asked: readonly string[] = platform === 'all' ? platforms : [platform]
  if (type === 'topics') return { type, id: TopicIdSchema.parse(id), platforms: asked }
  const parts = splitId(type === 'clips' ? VideoIdSchema.parse(id) : CreatorIdSchema.parse(id))
  return { type, id: parts.nativeId, platforms: asked.filter(name => name === parts.platform) }
}

const KnownRow = z.object({ known: wholeNumber })

/** Whether any store has ever heard of it. */
export async function isKnown(ctx: AnalyticsContext, subject: SubjectRef): Promise<boolean> {
  const values = { platforms: subject.platforms, id: subject.id, kind: subject.type }
  const [row] = await runQuery(ctx, sqlPart('subject', 'is_known'), values, KnownRow)
  return (row?.known ?? 0) > 0
}

const ClipRow = z.object({
  at_ms: wholeNumber,
  views: maybeNumber,
  likes: maybeNumber,
  comments: maybeNumber,
  shares: maybeNumber,
  saves: maybeNumber,
  source: z.string(),
  endpoint: z.string(),
  creator_id: z.string(),
})

/** A clip's samples in order of time. */
export async function clipSamples(ctx: AnalyticsContext, subject: SubjectRef, fromMs: number, toMs: number) {
  const values = { platforms: subject.platforms, id: subject.id, fromMs: Math.max(0, fromMs), toMs }
  return runQuery(ctx, sqlPart('subject', 'clip'), values, ClipRow, { tag: 'analytics:subject' })
}

const GroupRow = z.object({
  platform: z.string(),
  video_id: z.string(),
  creator_id: z.string(),
  at_ms: z.array(wholeNumber),
  views: z.array(wholeNumber),
  likes: z.array(maybeNumber),
  comments: z.array(maybeNumber),
  shares: z.array(maybeNumber),
  saves: z.array(maybeNumber),
})
const PublishedRow = z.object({
  platform: z.string(),
  video_id: z.string(),
  creator_id: z.string(),
  published_ms: wholeNumber,
})

/** One video of a creator or topic, with its readings in order of time. */
export interface GroupVideo {
  readonly creatorId: string
  readonly publishedMs: number | null
  readonly readings: readonly (Reading & Counters)[]
}

/** The videos of a creator or topic that were read in that time, with their readings. */
export async function groupVideos(
  ctx: AnalyticsContext,
  subject: SubjectRef,
  fromMs: number,
  toMs: number,
): Promise<GroupVideo[]> {
  const slots = slotsOf(subject)
  const values = { platforms: subject.platforms, id: subject.id, fromMs: Math.max(0, fromMs), toMs }
  const [rows, published] = await Promise.all([
    runQuery(ctx, compose(sqlPart('subject', 'group'), slots), values, GroupRow, { tag: 'analytics:subject' }),
    publishedVideos(ctx, subject),
  ])
  const publishedOf = new Map(published.map(row => [`${row.platform} ${row.video_id}`, row.published_ms]))
  return rows.map(row => ({
    creatorId: `${row.platform}:${row.creator_id}`,
    publishedMs: publishedOf.get(`${row.platform} ${row.video_id}`) ?? null,
    readings: row.at_ms.map((atMs, index) => ({
      atMs,
      views: row.views[index] ?? 0,
      likes: row.likes[index] ?? null,
      comments: row.comments[index] ?? null,
      shares: row.shares[index] ?? null,
      saves: row.saves[index] ?? null,
    })),
  }))
}

/** When the group's videos were published, and by whom. */
export async function publishedVideos(ctx: AnalyticsContext, subject: SubjectRef) {
  const values = { platforms: subject.platforms, id: subject.id }
  return runQuery(ctx, compose(sqlPart('subject', 'published'), slotsOf(subject)), values, PublishedRow)
}

function slotsOf(subject: SubjectRef): Record<string, string> {
  return {
    videos: sqlPart('subject', subject.type === 'creators' ? 'videos_of_creator' : 'videos_of_topic'),
    mixable: allowedOf(subject),
    withheld: sqlPart('filters', 'withheld'),
  }
}

/** Which videos of a group count: sums over creators are measures, those over one creator's videos may be raw. */
function allowedOf({ type, platforms: asked }: SubjectRef): string {
  if (isMixed(asked)) return sqlPart('subject', 'mixable')
  return type === 'topics' && meetsTerms(asked) ? sqlPart('subject', 'derivable') : ''
}

const WithheldRow = z.object({ is_withheld: z.number() })

/** Whether no measure may be made of a clip or a creator: its source's terms want it accepted first. Sums of topics leave such out. */
export async function isWithheld(
  ctx: AnalyticsContext,
  { type, id, platforms: [platform = ''] }: SubjectRef,
): Promise<boolean> {
  if (type === 'topics' || !meetsTerms([platform])) return false
  if (type === 'creators') return (await withheldCreators(ctx, [platform], [{ platform, id }])).size > 0
  const text = compose(sqlPart('subject', 'withheld_video'), { withheld: sqlPart('filters', 'withheld') })
  const [row] = await runQuery(ctx, text, { platform, id }, WithheldRow)
  return row?.is_withheld === 1
}

const OwnRow = z.object({
  platform: z.string(),
  at_ms: wholeNumber,
  views: maybeNumber,
  followers: maybeNumber,
  videos: maybeNumber,
  source: z.string(),
})

/** The counters that a platform publishes of the creator or topic itself, in order of time. */
export async function ownSamples(ctx: AnalyticsContext, subject: SubjectRef, fromMs: number, toMs: number) {
  const part = subject.type === 'creators' ? 'own_creator' : 'own_topic'
  const values = {
    platforms: subject.platforms,
    sourcePrefixes: sourcePrefixes(subject.platforms),
    id: subject.id,
    fromMs: Math.max(0, fromMs),
    toMs,
  }
  return runQuery(ctx, sqlPart('subject', part), values, OwnRow, { tag: 'analytics:subject' })
}
