import { z } from 'zod'

/**
 * How much of a file is looked at. `audio` reads the sound only; `keyframes` adds the pictures that the encoder stored
 * whole (one every 1 to 10 s); `full` adds the others that further pictures are made from, so that cuts are known to
 * within a frame or two. Each costs about ten times the one before.
 */
export const timelineLevels = ['audio', 'keyframes', 'full'] as const
export const TimelineLevelSchema = z.enum(timelineLevels)
export type TimelineLevel = z.infer<typeof TimelineLevelSchema>

/**
 * What can make a moment: sound louder than usual there, its sudden rise, the share of speech; picture cuts a second;
 * how near to a silence or cut the moment can begin and end; chat messages, chatters and repeated words a second.
 */
export const momentSignals = ['loudness', 'onset', 'speech', 'cuts', 'edges', 'chat', 'chatters', 'repetition'] as const
export const MomentSignalSchema = z.enum(momentSignals)
export type MomentSignal = z.infer<typeof MomentSignalSchema>

/** Weights of the signals, each 0 to 1; those that are left out keep their default. Only their ratios matter. */
export const MomentWeightsSchema = z.partialRecord(MomentSignalSchema, z.number().min(0).max(1))
export type MomentWeights = z.infer<typeof MomentWeightsSchema>

/** A message of a stream's chat; `atSec` on the media's own timeline. */
export const ChatMessageSchema = z.object({
  atSec: z.number().min(0),
  author: z.string().max(100),
  text: z.string().max(500),
})
export type ChatMessage = z.infer<typeof ChatMessageSchema>

/** Seconds on the media's own timeline; the end is not part of it. */
const SpanSchema = z.object({ startSec: z.number(), endSec: z.number() })
export type Span = z.infer<typeof SpanSchema>

/**
 * A place where the picture changes as a whole: the new scene's first analysed frame is at `atSec`, the old scene's
 * last at `fromSec`. `score` is the share of full scale by which the picture changed, 0 to 1.
 */
const CutSchema = z.object({ atSec: z.number(), fromSec: z.number(), score: z.number() })
export type Cut = z.infer<typeof CutSchema>

/**
 * What a signal gave to a moment. `z` is how far it stood above the ten minutes around it, in robust standard
 * deviations (absent for `edges`); `points` is what it added to the score, and all points add up to it.
 */
const MomentPartSchema = z.object({
  signal: MomentSignalSchema,
  weight: z.number(),
  z: z.number().optional(),
  points: z.number(),
  why: z.string(),
})
export type MomentPart = z.infer<typeof MomentPartSchema>

/** A suggested clip: `score` 0 to 1, greatest first in a list; `why` says in one sentence what made it. */
export const MomentSchema = SpanSchema.extend({
  peakSec: z.number(),
  score: z.number(),
  parts: z.array(MomentPartSchema),
  why: z.string(),
})
export type Moment = z.infer<typeof MomentSchema>

/** What the sound is like over time; `dbfs` has one value a step, 0 being full scale, -100 the floor. */
const EnergySchema = z.object({
  stepSec: z.number(),
  dbfs: z.array(z.number()),
  /** Steps below this are silent. */
  silentBelowDbfs: z.number(),
})

/**
 * Peaks for drawing: pairs of least and greatest sample of each step, -127 to 127. The finer file is a separate output.
 */
const PeaksSchema = z.object({ stepSec: z.number(), minMax: z.array(z.number().int()) })

/**
 * A sheet of small pictures: `columns` across, left to right and then down, picture `i` showing the instant `atSec[i]`.
 */
const SheetSchema = z.object({
  widthPx: z.number().int(),
  heightPx: z.number().int(),
  columns: z.number().int(),
  atSec: z.array(z.number()),
})
export type Sheet = z.infer<typeof SheetSchema>

/**
 * All that one decode pass says of a file. What its level does not look at, and what the file does not have, is null:
 * never an empty list that would say "none".
 */
export const TimelineSchema = z.object({
  /** Of the rules that made it: another version is made anew. */
  version: z.number().int(),
  level: TimelineLevelSchema,
  durationSec: z.number(),
  energy: EnergySchema.nullable(),
  /** Share of the sound's power in the band of speech, 0 to 1, one value a second. */
  speech: z.array(z.number()).nullable(),
  silences: z.array(SpanSchema).nullable(),
  peaks: PeaksSchema.nullable(),
  keyframes: z.array(z.number()).nullable(),
  cuts: z.array(CutSchema).nullable(),
  thumbnails: SheetSchema.nullable(),
  moments: z.array(MomentSchema),
})
export type Timeline = z.infer<typeof TimelineSchema>
