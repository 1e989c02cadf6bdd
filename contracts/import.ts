import { z } from 'zod'

/** What an import is asked to do. Paths are absolute. */
export const ImportRequestSchema = z.strictObject({
  files: z.array(z.string().min(1)).min(1).max(1000),
  /** Names the format instead of recognising it. */
  as: z.string().max(64).optional(),
  /** Country code of the table when its name does not say it. */
  region: z
    .string()
    .regex(/^[A-Za-z]{2}$/)
    .optional(),
  dryRun: z.boolean().default(false),
})
export type ImportRequest = z.infer<typeof ImportRequestSchema>

/** Counts of one file. Every row read is in exactly one of accepted, dropped, deadLettered. */
export const ImportSummarySchema = z.object({
  file: z.string(),
  format: z.string(),
  rowsRead: z.number().int(),
  accepted: z.number().int(),
  dropped: z.record(z.string(), z.number().int()),
  deadLettered: z.record(z.string(), z.number().int()),
  /** Rows written by kind: sample, video, creator, creatorSample, topicSample. */
  written: z.record(z.string(), z.number().int()),
  /** Plain sentences, e.g. about a torn last record. */
  notes: z.array(z.string()),
  durationMs: z.number(),
})
export type ImportSummary = z.infer<typeof ImportSummarySchema>

/** Lines of an import's progress, in order; the last is `done` or `failed`. */
export const ImportProgressSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('file'), file: z.string(), format: z.string(), bytesTotal: z.number() }),
  z.object({
    type: z.literal('progress'),
    file: z.string(),
    bytesRead: z.number(),
    bytesTotal: z.number(),
    rowsRead: z.number(),
    rowsPerSecond: z.number(),
    etaSeconds: z.number().nullable(),
  }),
  z.object({ type: z.literal('fileDone'), summary: ImportSummarySchema }),
  z.object({ type: z.literal('fileFailed'), file: z.string(), code: z.string(), message: z.string() }),
  z.object({ type: z.literal('done'), files: z.number().int(), failed: z.number().int() }),
])
export type ImportProgress = z.infer<typeof ImportProgressSchema>
