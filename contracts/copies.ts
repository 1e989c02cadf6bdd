import { z } from 'zod'
import { periods } from './measures.ts'

/**
 * A copy of (a part of) a VOD among the caller's own media. `kind` says what is the same: pictures, sound or both;
 * sound alone may be the same music. `startSec` is where in the original the copy begins, `speed` how many of its
 * seconds pass in one of the copy. `creatorId` and `publishedAt` are known of media that is attached to an indexed
 * video.
 */
export const CopySchema = z.object({
  originalVodId: z.string(),
  vodId: z.string(),
  kind: z.enum(['picture', 'sound', 'both']),
  isMirrored: z.boolean(),
  speed: z.number(),
  startSec: z.number(),
  pictureShare: z.number().nullable(),
  soundDifference: z.number().nullable(),
  title: z.string(),
  creatorId: z.string().nullable(),
  publishedAt: z.iso.datetime().nullable(),
})
export type Copy = z.infer<typeof CopySchema>

/** `clippers`: how many accounts, other than the original's, published a copy in the period. */
export const CopiesSchema = z.object({
  period: z.enum(periods),
  clippers: z.number().int(),
  copies: z.array(CopySchema),
})
export type Copies = z.infer<typeof CopiesSchema>

export const CopiesParamsSchema = z.strictObject({ period: z.enum(periods).default('30d') })
