import { text } from 'node:stream/consumers'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import { CutOptionsSchema, type MediaInfo } from '../../../contracts/media.ts'
import {
  type MediaEstimate,
  type MediaJob,
  type MediaOutputs,
  type MediaWorkRequest,
  mediaWork,
} from '../../../contracts/media-jobs.ts'
import { type Timeline, TimelineSchema } from '../../../contracts/timeline.ts'
import { suggestMoments } from '../../../media/timeline/moments.ts'
import { timelineCpuSec } from '../../../media/timeline/timeline-cost.ts'
import type { ServerDeps } from '../../deps.ts'
import type { Caller } from '../../http/caller.ts'
import type { InstantCursor } from '../../http/instant-cursor.ts'
import { ownerOf } from '../../http/owner-of.ts'
import { mediaOf } from '../vods/service.ts'
import { clipCpuSeconds, partOf } from './clip-part.ts'
import { createJob, creditsOf, type NewJob } from './create-job.ts'
import { linksOf } from './downloads.ts'
import { outputKey, readFileOf } from './files.ts'
import { findJob, listJobs, removeJob, type SeenJob } from './find-job.ts'
import type { MediaJobRow } from './job-states.ts'
import { levelNeeded, storedTimeline, timelineFile } from './stored-timeline.ts'

export type MediaJobDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log' | 'media' | 'accounts'>

/** Processor time to find and decode one picture, in seconds. */
const frameCpuSeconds = 0.5
const usualFramesPerSec = 30

/**
 * What work would cost.
 * @throws AppError BAD_REQUEST for times that are not in the media; SOURCE_REQUIRED; NOT_FOUND
 */
export async function estimateWork(
  deps: MediaJobDeps,
  caller: Caller,
  request: MediaWorkRequest,
): Promise<MediaEstimate> {
  const { estimateCpuSeconds, isStored } = await prepare(deps, ownerOf(caller), request)
  return {
    type: request.type,
    vodId: request.input.vodId,
    cpuSeconds: estimateCpuSeconds,
    credits: creditsOf(estimateCpuSeconds),
    isStored,
  }
}

/** Has work done. @throws AppError as `estimateWork` and `createJob` */
export async function requestWork(deps: MediaJobDeps, caller: Caller, request: MediaWorkRequest): Promise<MediaJob> {
  const userId = ownerOf(caller)
  const { isStored: _, ...job } = await prepare(deps, userId, request)
  const { row } = await createJob(deps, userId, { ...job, idempotencyKey: request.idempotencyKey })
  return toJob(await findJob(deps, userId, row.id, 'others'))
}

/** @throws AppError NOT_FOUND */
export async function getWork(deps: MediaJobDeps, caller: Caller, jobId: string): Promise<MediaJob> {
  return toJob(await findJob(deps, ownerOf(caller), jobId, 'others'))
}

/** The caller's jobs, newest first. */
export async function listWork(
  deps: MediaJobDeps,
  caller: Caller,
  page: { readonly limit: number; readonly before: InstantCursor | null },
): Promise<{ rows: MediaJob[]; hasMore: boolean }> {
  const { jobs, hasMore } = await listJobs(deps, ownerOf(caller), { ...page, family: 'others', states: null })
  return { rows: jobs.map(toJob), hasMore }
}

/** Cancels a job, or forgets one that is over with its files. @throws AppError NOT_FOUND */
export async function removeWork(deps: MediaJobDeps, caller: Caller, jobId: string): Promise<void> {
  await removeJob(deps, ownerOf(caller), jobId, 'others')
}

/** What came of a job, with links that were made now. @throws AppError NOT_FOUND; NOT_READY, CONFLICT and GONE as `linksOf` */
export async function outputsOf(deps: MediaJobDeps, caller: Caller, jobId: string): Promise<MediaOutputs> {
  const userId = ownerOf(caller)
  const { row } = await findJob(deps, userId, jobId, 'others')
  const links = await linksOf(deps, userId, row)
  return {
    jobId: row.id,
    type: row.type,
    result: await resultOf(deps, userId, row),
    files: links.map(link => ({
      name: link.fileName,
      contentType: link.contentType,
      bytes: link.bytes,
      url: link.url,
      urlExpiresAt: link.expiresAt,
    })),
  }
}

/** A request as a job, with what it will cost. */
async function prepare(
  deps: MediaJobDeps,
  userId: UserId,
  { type, input, params }: MediaWorkRequest,
): Promise<NewJob & { readonly isStored: boolean }> {
  const media = await mediaOf(deps, userId, input.vodId)
  const { contentId } = media
  const level = levelNeeded(type, params)
  const now = new Date(deps.clock.nowMs())
  const stored = level === null ? null : await storedTimeline(deps.db, userId, { contentId, level, now })
  return {
    type,
    vodId: input.vodId,
    params,
    contentId,
    estimateCpuSeconds: stored ? 0 : cpuSecondsOf(media, { type, params }),
    reason: `${type} of ${input.vodId}`.slice(0, 200),
    isStored: stored !== null,
  }
}

function cpuSecondsOf(media: MediaInfo, { type, params }: Pick<MediaWorkRequest, 'type' | 'params'>): number {
  const level = levelNeeded(type, params)
  if (level !== null) {
    const { video } = media
    return timelineCpuSec(level, {
      durationSec: media.durationSec,
      video: video && { ...video, framesPerSec: video.framesPerSec ?? usualFramesPerSec },
    })
  }
  if (type === 'video/frames') {
    const { times } = mediaWork['video/frames'].parse(params)
    if (times.some(time => time > media.durationSec))
      throw new AppError('BAD_REQUEST', `The media is ${media.durationSec.toFixed(3)} s long: choose times in it.`)
    return times.length * frameCpuSeconds
  }
  const { segments, ...given } = mediaWork['video/clips'].parse(params)
  const options = CutOptionsSchema.parse(given)
  return segments.reduce((sum, segment) => sum + clipCpuSeconds(media, options, partOf(media, segment)), 0)
}

/** What a job gives as JSON: of an analysis the part that was asked for. */
async function resultOf(deps: MediaJobDeps, userId: UserId, row: MediaJobRow): Promise<unknown> {
  if (levelNeeded(row.type, { level: 'audio' }) === null) return row.result
  const timeline = await timelineOf(deps, userId, row.id)
  switch (row.type) {
    case 'audio/silence':
      return { silences: timeline.silences, silentBelowDbfs: timeline.energy?.silentBelowDbfs ?? null }
    case 'audio/energy':
      return { energy: timeline.energy }
    case 'video/scenes':
      return { level: timeline.level, cuts: timeline.cuts }
    default: {
      const { weights, chat, countMax } = mediaWork['timeline/analyze'].parse(row.params)
      // The pass is stored without them: other weights take no other pass.
      return { ...timeline, moments: suggestMoments(timeline, { weights, chat, countMax }) }
    }
  }
}

async function timelineOf(deps: MediaJobDeps, userId: UserId, jobId: string): Promise<Timeline> {
  const file = await deps.db.asUser(userId, trx =>
    trx
      .selectFrom('media_outputs')
      .select('id')
      .where('job_id', '=', jobId)
      .where('name', '=', timelineFile)
      .executeTakeFirst(),
  )
  if (!file) throw new AppError('GONE', 'What came of this work is no longer kept: ask for it again.')
  const body = await readFileOf(deps, outputKey({ ownerId: userId, jobId, fileId: file.id }), undefined)
  return TimelineSchema.parse(JSON.parse(await text(body)))
}

function toJob({ row, completesAt }: SeenJob): MediaJob {
  const params =
    typeof row.params === 'object' && row.params !== null ? Object.fromEntries(Object.entries(row.params)) : {}
  return {
    jobId: row.id,
    type: row.type,
    input: { vodId: row.vod_id },
    params,
    status: row.status,
    progress: row.progress,
    estimatedCompletion: completesAt?.toISOString() ?? null,
    credits: row.credits,
    estimateCpuSeconds: row.estimate_cpu_seconds,
    actualCpuSeconds: row.actual_cpu_seconds,
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? '' },
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    expiresAt: row.expires_at?.toISOString() ?? null,
  }
}
