import { z } from 'zod'
import { TrendingSchema } from './trending.ts'
import { VodSourceStateSchema } from './vods.ts'

/** A creator as a search finds it. `creatorId` is the wire id; `followers` is the last count that was read. */
export const CreatorRowSchema = z.object({
  creatorId: z.string(),
  platform: z.string(),
  name: z.string(),
  handle: z.string(),
  followers: z.number().nullable(),
  videos: z.number().int(),
  lastSeenAt: z.string().nullable(),
})
export type CreatorRow = z.infer<typeof CreatorRowSchema>

/** A VOD: a video of a creator that may have media attached. `duration` is in seconds; `source` says which media is there. */
export const VodRowSchema = z.object({
  vodId: z.string(),
  title: z.string(),
  publishedAt: z.string().nullable(),
  duration: z.number().nullable(),
  thumbnailUrl: z.string(),
  kind: z.string(),
  source: VodSourceStateSchema,
  /** Of a video of one's own linked account, which is attached in one step: as `{source: {type: <this>}}`. */
  attachAs: z.enum(['instagram']).optional(),
  /** Only in answers for plans with premium indicators. */
  trending: TrendingSchema.nullable().optional(),
})
export type VodRow = z.infer<typeof VodRowSchema>

/** A VOD with its creator, and when it was indexed: when a source first described it together with that creator. */
export const IndexedVodRowSchema = VodRowSchema.extend({ creatorId: z.string(), indexedAt: z.iso.datetime() })
export type IndexedVodRow = z.infer<typeof IndexedVodRowSchema>

/** One video: its description and its last counters. */
export const VideoSchema = z.object({
  videoId: z.string(),
  platform: z.string(),
  kind: z.string(),
  title: z.string(),
  url: z.string(),
  thumbnailUrl: z.string(),
  creatorId: z.string().nullable(),
  creatorName: z.string().nullable(),
  publishedAt: z.string().nullable(),
  endedAt: z.string().nullable(),
  durationSeconds: z.number().nullable(),
  category: z.string(),
  tags: z.array(z.string()),
  regions: z.array(z.string()),
  niches: z.array(z.object({ niche: z.string(), rule: z.string() })),
  views: z.number().nullable(),
  likes: z.number().nullable(),
  comments: z.number().nullable(),
  shares: z.number().nullable(),
  saves: z.number().nullable(),
  observedAt: z.string().nullable(),
  source: z.string(),
})
export type Video = z.infer<typeof VideoSchema>
