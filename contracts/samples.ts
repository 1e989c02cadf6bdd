import { z } from 'zod'
import { PlatformSchema } from './ids.ts'

/**
 * What sources hand to the pipeline and what the writer stores. Counters are cumulative, at an instant, and `null`
 * where the source does not give them (never zero for missing). The field names match the columns of
 * `sql/clickhouse/migrations`, in camelCase.
 */

/** A whole number from 0 to 2^63-1 given as a safe number or bigint. */
const count = z.union([
  z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  z.bigint().min(0n).max(9223372036854775807n),
])
const instantMs = z.number().int().min(0).max(4102444800000)
const text = (max: number) => z.string().max(max)

/** One reading of one video. */
export const SampleSchema = z.object({
  platform: PlatformSchema,
  videoId: text(280).min(1),
  creatorId: text(280),
  observedAtMs: instantMs,
  views: count.nullable(),
  likes: count.nullable(),
  comments: count.nullable(),
  shares: count.nullable(),
  saves: count.nullable(),
  /** Where it came from, e.g. `import:youtube-trending-2017` or `youtube-api`. */
  source: text(100).min(1),
  /** The part of the source, e.g. the country table `US` or `videos.list`. */
  endpoint: text(100),
  /** Version of our reading of that source's counter definitions. */
  definitionVersion: z.number().int().min(1).max(65535),
  /** When the row must be gone; `null` keeps it. The writer goes by its source's class where that is sooner. */
  expiresAtMs: instantMs.nullable(),
})
export type Sample = z.infer<typeof SampleSchema>

/** What is known about a video beside its counters; later records replace earlier ones field by field where not empty. */
export const VideoRecordSchema = z.object({
  platform: PlatformSchema,
  videoId: text(280).min(1),
  creatorId: text(280),
  kind: z.enum(['clip', 'vod', 'stream']),
  title: text(2000),
  url: text(2000),
  thumbnailUrl: text(2000),
  publishedAtMs: instantMs.nullable(),
  endedAtMs: instantMs.nullable(),
  durationSeconds: z.number().min(0).max(1e7).nullable(),
  /** The platform's category name in English where known, e.g. `Music`; empty when not given. */
  category: text(200),
  tags: z.array(text(300)).max(500),
  /** Country codes in which the source saw it trending, upper case. */
  regions: z.array(text(8)).max(250),
  /** Hashtags and title phrases found in it, normalised (see `TopicIdSchema`). */
  topics: z.array(text(100)).max(100),
  /** When the source said so: the newest record wins. */
  observedAtMs: instantMs,
  source: text(100).min(1),
})
export type VideoRecord = z.infer<typeof VideoRecordSchema>

export const CreatorRecordSchema = z.object({
  platform: PlatformSchema,
  creatorId: text(280).min(1),
  name: text(500),
  handle: text(300),
  observedAtMs: instantMs,
  source: text(100).min(1),
})
export type CreatorRecord = z.infer<typeof CreatorRecordSchema>

export const CreatorSampleSchema = z.object({
  platform: PlatformSchema,
  creatorId: text(280).min(1),
  observedAtMs: instantMs,
  followers: count.nullable(),
  views: count.nullable(),
  videos: count.nullable(),
  likes: count.nullable(),
  source: text(100).min(1),
  endpoint: text(100),
  definitionVersion: z.number().int().min(1).max(65535),
  expiresAtMs: instantMs.nullable(),
})
export type CreatorSample = z.infer<typeof CreatorSampleSchema>

/** A topic's own counters as a platform publishes them (e.g. TikTok's discover lists), not those of its videos. */
export const TopicSampleSchema = z.object({
  platform: PlatformSchema,
  topic: text(100).min(1),
  observedAtMs: instantMs,
  views: count.nullable(),
  videos: count.nullable(),
  source: text(100).min(1),
  endpoint: text(100),
  definitionVersion: z.number().int().min(1).max(65535),
  expiresAtMs: instantMs.nullable(),
})
export type TopicSample = z.infer<typeof TopicSampleSchema>

/** What the terms of a source allow. */
export interface SourcePolicy {
  /** Its numbers may stand beside those of other platforms in one ranking, and feed the clip index. */
  readonly mayMix: boolean
  /** Measures may be made of its numbers: gains, velocities, ratios, and ranks by them. */
  readonly mayDerive: boolean
  /** How long after the observation its numbers may be kept; `null`: as long as the user likes. */
  readonly keepMsMax: number | null
  /** As `keepMsMax`, of titles, names, tags and everything else that is said of a video or creator. */
  readonly keepTextMsMax: number | null
}

/** Of what a user imported or owns. */
const unbound: SourcePolicy = { mayMix: true, mayDerive: true, keepMsMax: null, keepTextMsMax: null }
/** What platforms' own interfaces say: never beside the numbers of others. */
const unmixed: SourcePolicy = { ...unbound, mayMix: false }
const dayMs = 86_400_000
/** YouTube's terms, and those that its amendment for derived metrics replaces: 36 months have 1,095 days at the least. */
const youtube = { mayDerive: false, keepMsMax: 30 * dayMs, keepTextMsMax: 30 * dayMs } as const
const youtubeAmended = { mayDerive: true, keepMsMax: 1_095 * dayMs, keepTextMsMax: 30 * dayMs } as const

/**
 * The one list of classes: a source's name begins with its class, and the first that fits counts. Platforms' own interfaces
 * forbid ranking their numbers beside those of others and deriving an index from them; YouTube's must be gone after 30 days
 * unless they were read again, and no measure may be made of them before its amendment was accepted. TikTok and Instagram
 * name no such time: what they said goes with the link. A test holds the views `unmixable_videos_mv_v1`,
 * `video_terms_mv_v1` and `creator_terms_mv_v1` equal to this list.
 */
export const sourceClasses: Readonly<Record<string, SourcePolicy>> = {
  'import:': unbound,
  'own:youtube-api:amendment': { ...unbound, ...youtubeAmended },
  'own:youtube-api': { ...unbound, ...youtube },
  'own:': unbound,
  'youtube-api:amendment': { ...unmixed, ...youtubeAmended },
  'youtube-api': { ...unmixed, ...youtube },
  'tiktok-api': unmixed,
  'instagram-api': unmixed,
}

/** The policy of a source's class; sources of no class may not be mixed. */
export function policyOf(source: string): SourcePolicy {
  for (const prefix in sourceClasses) if (source.startsWith(prefix)) return sourceClasses[prefix] ?? unmixed
  return unmixed
}

/** One thing that a source's row became: the writer groups them by kind. */
export type Item =
  | { kind: 'sample'; row: Sample }
  | { kind: 'video'; row: VideoRecord }
  | { kind: 'creator'; row: CreatorRecord }
  | { kind: 'creatorSample'; row: CreatorSample }
  | { kind: 'topicSample'; row: TopicSample }
