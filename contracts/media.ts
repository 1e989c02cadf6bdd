import { z } from 'zod'

/** What media may be like at most: more is refused when it is registered. */
export const mediaLimits = {
  durationSecMax: 12 * 3600,
  sidePxMax: 4096,
  framesPerSecMax: 120,
  trackCountMax: 8,
  bytesMax: 20 * 1024 ** 3,
} as const

/** How long a clip may be, and how far a request may reach over the end of its media, where the clip then ends; in seconds. */
export const clipLimits = { durationSecMin: 0.5, durationSecMax: 600, overEndSecMax: 1 } as const

/** The picture of a file. Sizes are as it is shown: turned, with square pixels. */
const MediaVideoSchema = z.object({
  codec: z.string(),
  widthPx: z.number().int(),
  heightPx: z.number().int(),
  /** By how much the coded picture is turned clockwise when it is shown. */
  rotationDeg: z.union([z.literal(0), z.literal(90), z.literal(180), z.literal(270)]),
  /** Of a variable rate, the usual one; null when it cannot be told. */
  framesPerSec: z.number().nullable(),
  isRateConstant: z.boolean(),
  isHdr: z.boolean(),
})

const MediaAudioSchema = z.object({
  codec: z.string(),
  rateHz: z.number().int(),
  channelCount: z.number().int(),
})

/** What a file is, read without decoding it. */
export const MediaInfoSchema = z.object({
  /** The same for the same bytes, wherever they lie, as far as their source lets that be told. */
  contentId: z.string(),
  container: z.enum(['mp4', 'mov', 'matroska', 'webm', 'mpegts', 'hls', 'wav', 'mp3', 'aac', 'flac', 'ogg']),
  /** From the first picture or sound to the end of the last. */
  durationSec: z.number(),
  /** Null of a playlist. */
  bytes: z.number().int().nullable(),
  /** Null when there is no picture, or none of a codec that is known. */
  video: MediaVideoSchema.nullable(),
  audio: MediaAudioSchema.nullable(),
  trackCount: z.number().int(),
  /** What is unusual, in sentences: e.g. a track that cannot be read. */
  notes: z.array(z.string()),
})
export type MediaInfo = z.infer<typeof MediaInfoSchema>

/**
 * How a clip is made. `exact`: its first and last frame are the ones asked for. `keyframe`: copied at once, beginning
 * at the keyframe before for players that cannot skip to the frame.
 */
export const CutOptionsSchema = z.object({
  mode: z.enum(['exact', 'keyframe']).default('exact'),
  /** The middle of the picture in that shape, 1080 pixels wide at most; the whole picture when null. */
  crop: z.literal('9:16').nullable().default(null),
  isAudioOnly: z.boolean().default(false),
  /** Of the picture: mp4, mov, mkv; of the sound alone: m4a, mp3, wav. */
  container: z.enum(['mp4', 'mov', 'mkv', 'm4a', 'mp3', 'wav']).default('mp4'),
})
export type CutOptions = z.infer<typeof CutOptionsSchema>

const CutSpanSchema = z.object({ startSec: z.number(), endSec: z.number() })

/** What was made, as it is: not as it was asked for. */
export const CutResultSchema = z.object({
  /**
   * `preview`: copied from keyframe on; `smart`: the frames at both ends encoded anew, those between copied; `encode`:
   * all frames encoded anew; `audio`: the sound alone.
   */
  tier: z.enum(['preview', 'smart', 'encode', 'audio']),
  requested: CutSpanSchema,
  /** From the time of the first frame to the end of the last, on the clock of the source. */
  actual: CutSpanSchema,
  /** Null of sound alone. */
  frameCount: z.number().int().nullable(),
  /** How many of the frames were encoded anew. */
  encodedFrameCount: z.number().int(),
  container: CutOptionsSchema.shape.container.unwrap(),
  contentType: z.string(),
  bytes: z.number().int(),
  /** How much of the source was read. */
  bytesRead: z.number().int(),
  /** How much later the sound begins than the picture, against the source; null without either. */
  avOffsetMs: z.number().nullable(),
  /** Processor time of the engine; null where it is not known. */
  cpuSec: z.number().nullable(),
  /** What the one who asked should know, in sentences: what was shortened, and why all was encoded. */
  notes: z.array(z.string()),
})
export type CutResult = z.infer<typeof CutResultSchema>
