import { z } from 'zod'
import { CreatorIdSchema } from './ids.ts'
import { MediaInfoSchema } from './media.ts'
import { TrendingSchema } from './trending.ts'

/** VODs with media: `/api/vods`. */

/**
 * One id space: `own:<uuid>` for media that its owner registered, else the id of an indexed video, to which media may be
 * attached.
 */
export const VodIdSchema = z
  .string()
  .max(300)
  .regex(
    /^(own:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|(youtube|tiktok|instagram):[^\p{Cc}]{1,280})$/u,
    'must look like own:<uuid> or platform:id, e.g. youtube:dQw4w9WgXcQ',
  )
  .brand<'VodId'>()
export type VodId = z.infer<typeof VodIdSchema>

/**
 * Where media of the caller's own lies: `upload:<id>` of `/api/uploads`, an http or https address of a file or an HLS
 * playlist, and for the owner of the same machine the absolute path of a file under a declared folder, for those who run
 * the server `s3://bucket/key` of the configured bucket.
 */
const source = z.string().trim().min(1).max(4096)

export const VodRequestSchema = z.strictObject({
  source,
  title: z.string().trim().max(300).optional(),
  creatorId: CreatorIdSchema.optional(),
})
export type VodRequest = z.infer<typeof VodRequestSchema>

/** Besides what may be registered: the file of an own post, which the platform names anew each time it is read. */
export const VodSourceRequestSchema = z.strictObject({
  source: z.union([source, z.strictObject({ type: z.literal('instagram') })]),
})

export type VodSourceRequest = z.infer<typeof VodSourceRequestSchema>

/** Whether there is media of the caller's, whether some may be attached, or whether the video is still under way. */
export const VodSourceStateSchema = z.enum(['attached', 'attachable', 'none'])

/**
 * A VOD of the caller. `sourceLabel` is the name of the file, or the host of the address: nothing more of it is ever
 * shown. `duration` is in seconds; `expiresAt` is when uploaded media goes.
 */
export const VodSchema = z.object({
  vodId: z.string(),
  title: z.string(),
  creatorId: z.string().nullable(),
  source: VodSourceStateSchema,
  sourceKind: z.enum(['file', 'url', 's3', 'upload', 'instagram']),
  sourceLabel: z.string(),
  duration: z.number(),
  bytes: z.number().int().nullable(),
  media: MediaInfoSchema,
  /** Of an indexed video; only in answers for plans with premium indicators. */
  trending: TrendingSchema.nullable().optional(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
})
export type Vod = z.infer<typeof VodSchema>
