import { z } from 'zod'
import { CutOptionsSchema, CutResultSchema } from './media.ts'
import { TrendingSchema } from './trending.ts'
import { VodIdSchema } from './vods.ts'

/** Clips: `/api/clips`. */

const seconds = z.number().min(0).max(43_200)

/** What is cut out of a VOD: from `startTime` to `endTime`, in seconds of the media, fractions included. */
export const ClipRequestSchema = z.strictObject({
  vodId: VodIdSchema,
  startTime: seconds,
  endTime: seconds,
  ...CutOptionsSchema.shape,
})
export type ClipRequest = z.infer<typeof ClipRequestSchema>

export const ClipStatusNameSchema = z.enum(['pending', 'processing', 'ready', 'error'])
export type ClipStatusName = z.infer<typeof ClipStatusNameSchema>

/** The answer to a request. */
export const ClipAcceptedSchema = z.object({
  requestId: z.uuid(),
  status: ClipStatusNameSchema,
  estimatedCompletion: z.iso.datetime().nullable(),
  /** What it will cost when it succeeds; a request that was made before costs nothing again. */
  credits: z.number().int(),
})
export type ClipAccepted = z.infer<typeof ClipAcceptedSchema>

/**
 * `progress` is from 0 to 1. `estimatedCompletion` is null once it is over. `reason` says why there is no clip. `result`
 * says what was cut, and how; `expiresAt` is when the file goes.
 */
export const ClipStatusSchema = z.object({
  requestId: z.uuid(),
  vodId: z.string(),
  startTime: z.number(),
  endTime: z.number(),
  options: CutOptionsSchema,
  status: ClipStatusNameSchema,
  progress: z.number(),
  estimatedCompletion: z.iso.datetime().nullable(),
  createdAt: z.iso.datetime(),
  credits: z.number().int(),
  reason: z.string().optional(),
  result: CutResultSchema.optional(),
  bytes: z.number().int().optional(),
  /** Of the video that it was cut from; only in answers for plans with premium indicators. */
  trending: TrendingSchema.nullable().optional(),
  expiresAt: z.iso.datetime().nullable(),
})
export type ClipStatus = z.infer<typeof ClipStatusSchema>

/** What a user's clips take, and may take, in bytes. */
export const StorageSchema = z.object({ usedBytes: z.number().int(), limitBytes: z.number().int().nullable() })
export type Storage = z.infer<typeof StorageSchema>

/** `url` serves ranges until `expiresAt`; another one may be asked for as long as the file is there. */
export const DownloadLinkSchema = z.object({
  url: z.string(),
  expiresAt: z.iso.datetime(),
  fileName: z.string(),
  bytes: z.number().int(),
  fileExpiresAt: z.iso.datetime().nullable(),
})
export type DownloadLink = z.infer<typeof DownloadLinkSchema>
