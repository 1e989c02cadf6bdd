import { z } from 'zod'

/** What the child is told to do with the picture of its input. Filters are ours. */
const PictureJobSchema = z.object({
  filters: z.string(),
  isTurned: z.boolean(),
  skip: z.enum(['nokey', 'noref']).nullable(),
  framesMax: z.number(),
  output: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('raw'), pixels: z.enum(['rgb24', 'gray']) }),
    z.object({
      kind: z.literal('h264'),
      path: z.string(),
      profile: z.string(),
      rateFactor: z.number(),
      parameterSetId: z.number(),
    }),
  ]),
})
export type PictureJob = z.infer<typeof PictureJobSchema>

/** What it is told to do with the sound. */
const SoundJobSchema = z.object({
  filters: z.string(),
  /** A file without sound is an error. */
  isNeeded: z.boolean(),
  output: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('raw') }),
    z.object({
      kind: z.literal('file'),
      path: z.string(),
      format: z.string(),
      formatOptions: z.record(z.string(), z.string()),
      encoder: z.string(),
      bitsPerSec: z.number(),
      /** Encoders take just so many at a time. */
      samplesOfPacket: z.number(),
    }),
  ]),
})
export type SoundJob = z.infer<typeof SoundJobSchema>

/** One run of the child, as its only argument in JSON. Raw pictures go to descriptor 1, raw sound to 3, events to 4. */
export const NodeAvJobSchema = z.object({
  input: z.string(),
  /** The name of a format when the input does not say it. */
  inputFormat: z.string().nullable(),
  fileFormats: z.string(),
  pixelsMax: z.number(),
  /** Where reading begins, on the file's clock: at the keyframe before. */
  seekSec: z.number().nullable(),
  picture: PictureJobSchema.nullable(),
  sound: SoundJobSchema.nullable(),
})
export type NodeAvJob = z.infer<typeof NodeAvJobSchema>
