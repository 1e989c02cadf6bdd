import { z } from 'zod'

/**
 * Uploads: `/api/uploads` speaks the tus protocol 1.0.0 (creation, expiration, termination), so any tus client resumes
 * where it was cut off. What is below is about uploads that exist.
 */

/** Limits of one upload and of one user. */
export const uploadLimits = {
  bytesMax: 20 * 1024 ** 3,
  /** Uploads of one user that are not finished. */
  openMax: 10,
  /** Bytes that one user's uploads may take together. */
  userBytesMax: 100 * 1024 ** 3,
  unfinishedKeptMs: 24 * 3_600_000,
  finishedKeptMs: 7 * 24 * 3_600_000,
} as const

/** `ready`: register it with `POST /api/vods {"source":"upload:<id>"}`. It goes at `expiresAt`. */
export const UploadSchema = z.object({
  uploadId: z.uuid(),
  fileName: z.string(),
  bytes: z.number().int(),
  receivedBytes: z.number().int(),
  status: z.enum(['receiving', 'ready', 'refused']),
  reason: z.string().nullable(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
})
export type Upload = z.infer<typeof UploadSchema>
