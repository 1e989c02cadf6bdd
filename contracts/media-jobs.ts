import { z } from 'zod'
import { CutOptionsSchema } from './media.ts'
import { ChatMessageSchema, MomentWeightsSchema, TimelineLevelSchema } from './timeline.ts'
import { VodIdSchema } from './vods.ts'

/** Work on media besides single clips: `/api/media`. */

const input = z.strictObject({ vodId: VodIdSchema })
const seconds = z.number().min(0).max(43_200)
const segment = z.strictObject({ startTime: seconds, endTime: seconds })

/** Every type of work with its parameters. Times are in seconds of the media. */
export const mediaWork = {
  /** Several clips of one VOD. */
  'video/clips': z.strictObject({ segments: z.array(segment).min(1).max(20), ...CutOptionsSchema.shape }),
  /** Single pictures (PNG). */
  'video/frames': z.strictObject({
    times: z.array(seconds).min(1).max(120),
    widthPx: z.number().int().min(16).max(1920).default(640),
  }),
  /** Where the picture changes as a whole. */
  'video/scenes': z.strictObject({ level: z.enum(['keyframes', 'full']).default('keyframes') }),
  'audio/silence': z.strictObject({}),
  /** Loudness over time. */
  'audio/energy': z.strictObject({}),
  /** All of it in one pass over the file, with suggested moments and what made each. */
  'timeline/analyze': z.strictObject({
    level: TimelineLevelSchema.default('keyframes'),
    weights: MomentWeightsSchema.optional(),
    /** Of a stream's chat, where it was recorded: what was said when. */
    chat: z.array(ChatMessageSchema).max(5000).optional(),
    /** How many moments are wanted. */
    countMax: z.number().int().min(1).max(50).optional(),
  }),
} as const
export type MediaWorkType = keyof typeof mediaWork

/**
 * Work that is asked for: what each type takes is in `mediaWork`. Equal work is done once with or without an
 * `idempotencyKey`: the key tells a repetition from a mistake.
 */
export const MediaWorkRequestSchema = z.discriminatedUnion('type', [
  workRequest('video/clips'),
  workRequest('video/frames'),
  workRequest('video/scenes'),
  workRequest('audio/silence'),
  workRequest('audio/energy'),
  workRequest('timeline/analyze'),
])
export type MediaWorkRequest = z.infer<typeof MediaWorkRequestSchema>

function workRequest<T extends MediaWorkType>(type: T) {
  return z.strictObject({
    type: z.literal(type),
    input,
    params: mediaWork[type],
    idempotencyKey: z.string().min(1).max(200).optional(),
  })
}

/** What work will cost before it is done. `isStored`: it was done before, and costs nothing. */
export const MediaEstimateSchema = z.object({
  type: z.string(),
  vodId: z.string(),
  cpuSeconds: z.number(),
  credits: z.number().int(),
  isStored: z.boolean(),
})
export type MediaEstimate = z.infer<typeof MediaEstimateSchema>

/** `expired`: it was done, and its files are gone. */
export const MediaJobStatusSchema = z.enum(['queued', 'running', 'done', 'failed', 'cancelled', 'expired'])

export const MediaJobSchema = z.object({
  jobId: z.uuid(),
  type: z.string(),
  input: z.object({ vodId: z.string() }),
  params: z.record(z.string(), z.unknown()),
  status: MediaJobStatusSchema,
  progress: z.number(),
  estimatedCompletion: z.iso.datetime().nullable(),
  credits: z.number().int(),
  estimateCpuSeconds: z.number(),
  actualCpuSeconds: z.number().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  createdAt: z.iso.datetime(),
  finishedAt: z.iso.datetime().nullable(),
  expiresAt: z.iso.datetime().nullable(),
})
export type MediaJob = z.infer<typeof MediaJobSchema>

/** `result` is what the type gives as JSON; `files` have links that were made now and end soon. */
export const MediaOutputsSchema = z.object({
  jobId: z.uuid(),
  type: z.string(),
  result: z.unknown(),
  files: z.array(
    z.object({
      name: z.string(),
      contentType: z.string(),
      bytes: z.number().int(),
      url: z.string(),
      urlExpiresAt: z.iso.datetime(),
    }),
  ),
})
export type MediaOutputs = z.infer<typeof MediaOutputsSchema>

/**
 * How work on media goes: the event `media.changed` of `/ws`, to its owner alone. A clip request has the type `clip`, and
 * its `requestId` is the `jobId`.
 */
export const MediaChangeSchema = z.object({
  jobId: z.string(),
  type: z.string(),
  vodId: z.string(),
  status: MediaJobStatusSchema,
  progress: z.number(),
})
export type MediaChange = z.infer<typeof MediaChangeSchema>
