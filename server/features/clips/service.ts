import { z } from 'zod'
import type {
  ClipAccepted,
  ClipRequest,
  ClipStatus,
  ClipStatusName,
  DownloadLink,
  Storage,
} from '../../../contracts/clips.ts'
import { CutOptionsSchema, CutResultSchema } from '../../../contracts/media.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import type { InstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { billingAccount } from '../billing/account.ts'
import { clipCpuSeconds, partOf } from '../media-jobs/clip-part.ts'
import { createJob, usedBytes } from '../media-jobs/create-job.ts'
import { linksOf } from '../media-jobs/downloads.ts'
import { findJob, listJobs, removeJob, type SeenJob } from '../media-jobs/find-job.ts'
import type { MediaJobRow } from '../media-jobs/job-states.ts'
import { mediaOf } from '../vods/service.ts'

export type ClipDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log' | 'media' | 'accounts'>

/** What a clip request's job is given: the part is what is there, the options are complete. */
export const ClipParamsSchema = z.object({
  startTime: z.number(),
  endTime: z.number(),
  options: CutOptionsSchema,
})

/** A file whose time is over was ready: its download says that it is gone. */
const statusOf: Readonly<Record<MediaJobRow['status'], ClipStatusName>> = {
  queued: 'pending',
  running: 'processing',
  done: 'ready',
  expired: 'ready',
  failed: 'error',
  cancelled: 'error',
}

/**
 * Has a clip cut. The same part of the same media with the same options is the same request.
 * @throws AppError BAD_REQUEST for a part that is not in the media; SOURCE_REQUIRED; INSUFFICIENT_CREDITS; and as `createJob`
 */
export async function requestClip(deps: ClipDeps, caller: Caller, request: ClipRequest): Promise<ClipAccepted> {
  const userId = ownerOf(caller)
  const { vodId, startTime, endTime, ...given } = request
  const media = await mediaOf(deps, userId, vodId)
  const part = partOf(media, { startTime, endTime })
  const options = CutOptionsSchema.parse(given)
  const { row } = await createJob(deps, userId, {
    type: 'clip',
    vodId,
    params: { ...part, options },
    contentId: media.contentId,
    estimateCpuSeconds: clipCpuSeconds(media, options, part),
    reason: `Clip of ${vodId}`.slice(0, 200),
  })
  const { completesAt } = await findJob(deps, userId, row.id, 'clips')
  return {
    requestId: row.id,
    status: statusOf[row.status],
    estimatedCompletion: completesAt?.toISOString() ?? null,
    credits: row.credits,
  }
}

/** @throws AppError NOT_FOUND */
export async function clipStatus(deps: ClipDeps, caller: Caller, requestId: string): Promise<ClipStatus> {
  return toStatus(await findJob(deps, ownerOf(caller), requestId, 'clips'))
}

/** The caller's requests, newest first, and what their files take. */
export async function listClips(
  deps: ClipDeps,
  caller: Caller,
  page: {
    readonly status: ClipStatusName | undefined
    readonly limit: number
    readonly before: InstantCursor | null
  },
): Promise<{ rows: ClipStatus[]; hasMore: boolean; storage: Storage }> {
  const userId = ownerOf(caller)
  const { status } = page
  const states = status === undefined ? null : jobStates.filter(state => statusOf[state] === status)
  const { jobs, hasMore } = await listJobs(deps, userId, { ...page, family: 'clips', states })
  const storage = await deps.db.transaction(async trx => ({
    usedBytes: await usedBytes(trx, userId),
    limitBytes: (await billingAccount(trx, userId, new Date(deps.clock.nowMs()))).limits.storageBytes,
  }))
  return { rows: jobs.map(toStatus), hasMore, storage }
}

/** Cancels a request, or deletes the clip that came of it. @throws AppError NOT_FOUND */
export async function removeClip(deps: ClipDeps, caller: Caller, requestId: string): Promise<void> {
  await removeJob(deps, ownerOf(caller), requestId, 'clips')
}

/** @throws AppError NOT_FOUND; and as `linksOf` */
export async function clipLink(deps: ClipDeps, caller: Caller, requestId: string): Promise<DownloadLink> {
  const userId = ownerOf(caller)
  const { row } = await findJob(deps, userId, requestId, 'clips')
  const [link] = await linksOf(deps, userId, row)
  if (!link) throw new Error('A clip that is ready has a file.')
  const { contentType: _, ...rest } = link
  return rest
}

const jobStates = ['queued', 'running', 'done', 'expired', 'failed', 'cancelled'] as const

function toStatus({ row, completesAt, bytes }: SeenJob): ClipStatus {
  const { startTime, endTime, options } = ClipParamsSchema.parse(row.params)
  const result = row.result === null ? null : CutResultSchema.parse(row.result)
  const reason = row.status === 'cancelled' ? 'You cancelled this request.' : row.error_message
  return {
    requestId: row.id,
    vodId: row.vod_id,
    startTime,
    endTime,
    options,
    status: statusOf[row.status],
    progress: row.progress,
    estimatedCompletion: completesAt?.toISOString() ?? null,
    createdAt: row.created_at.toISOString(),
    credits: row.credits,
    ...(reason === null ? {} : { reason }),
    ...(result === null ? {} : { result }),
    ...(bytes === 0 ? {} : { bytes }),
    expiresAt: row.expires_at?.toISOString() ?? null,
  }
}
