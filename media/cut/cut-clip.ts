import { AppError } from '../../contracts/errors.ts'
import { type CutOptions, type CutResult, clipLimits } from '../../contracts/media.ts'
import { diskFull } from '../engine/messages.ts'
import type { MediaEngine } from '../engine/port.ts'
import { type MediaSource, type OpenedMedia, openMediaSource, type SourceDeps } from '../source/open-source.ts'
import { readingMedia } from '../source/reading-media.ts'
import { exactCut } from './exact-cut.ts'
import { previewCut } from './preview-cut.ts'
import { soundCut } from './sound-cut.ts'

export interface CutDeps extends SourceDeps {
  /** Null: nothing can be decoded or encoded here, so only copies are made. */
  readonly engine: MediaEngine | null
}

export interface CutRequest {
  readonly source: MediaSource
  /** Seconds from the beginning of the media. */
  readonly startSec: number
  readonly endSec: number
  readonly options: CutOptions
}

export interface CutJob {
  /** Absolute: empty, private to this job, removed by whoever made it. */
  readonly folder: string
  readonly signal?: AbortSignal
  /** 0 to 1, never falling. */
  readonly onProgress?: (share: number) => void
}

/** Sound is often a little longer than the picture. */
const brokenOffSecMin = 0.5

/**
 * Cuts a clip out of a source into a file in the job's folder, and says what was made.
 *
 * @throws AppError BAD_REQUEST when the times or the media do not allow it; NOT_CONFIGURED without a decoder, with
 * `details.reason` `MEDIA_DECODER_MISSING`; UNAVAILABLE when it may work later; the signal's reason when aborted
 */
export async function cutClip(
  deps: CutDeps,
  request: CutRequest,
  job: CutJob,
): Promise<CutResult & { readonly path: string }> {
  checkTimes(request)
  const media = await openMediaSource(deps, request.source, { ...(job.signal && { signal: job.signal }) })
  try {
    const result = await readingMedia(job.signal, () => cutOpened(deps, media, request, withRisingProgress(job)))
    job.onProgress?.(1)
    return { ...result, bytesRead: media.bytesRead() }
  } catch (error) {
    throw isDiskFull(error) ? diskFull(error) : error
  } finally {
    await media.close()
  }
}

async function cutOpened(
  deps: CutDeps,
  media: OpenedMedia,
  request: CutRequest,
  job: CutJob,
): Promise<Omit<CutResult, 'bytesRead'> & { readonly path: string }> {
  const notes: string[] = []
  const { durationSec } = media
  if (request.startSec >= durationSec || request.endSec > durationSec + clipLimits.overEndSecMax)
    throw new AppError(
      'BAD_REQUEST',
      `The media is ${durationSec.toFixed(2)} s long: choose times within it (${request.startSec} to ${request.endSec} s were asked for).`,
    )
  const endSec = Math.min(request.endSec, durationSec)
  if (endSec < request.endSec)
    notes.push(`The media ends at ${durationSec.toFixed(2)} s: the clip was shortened to that.`)
  const wanted = { startSec: request.startSec + media.zeroSec, endSec: endSec + media.zeroSec }
  const { isAudioOnly, mode } = request.options
  const cut = isAudioOnly || media.video === null ? soundCut : mode === 'keyframe' ? previewCut : exactCut
  const made = await cut(deps, media, { ...wanted, options: request.options }, job)
  return {
    ...made,
    requested: { startSec: request.startSec, endSec: request.endSec },
    actual: { startSec: made.actual.startSec - media.zeroSec, endSec: made.actual.endSec - media.zeroSec },
    contentType: contentTypes[made.container],
    notes: [...notes, ...made.notes, ...brokenOff(made.actual.endSec, wanted.endSec)],
  }
}

function brokenOff(endSec: number, wantedSec: number): string[] {
  const isShort = wantedSec - endSec > brokenOffSecMin
  return isShort
    ? [`The picture breaks off ${(wantedSec - endSec).toFixed(2)} s before the end that was asked for.`]
    : []
}

const contentTypes: Readonly<Record<CutResult['container'], string>> = {
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  mkv: 'video/x-matroska',
  m4a: 'audio/mp4',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}

function checkTimes({ startSec, endSec }: CutRequest): void {
  const { durationSecMin, durationSecMax } = clipLimits
  if (!Number.isFinite(startSec) || !Number.isFinite(endSec) || startSec < 0)
    throw new AppError('BAD_REQUEST', 'The start and end of a clip are seconds from the beginning of the media.')
  if (endSec <= startSec) throw new AppError('BAD_REQUEST', 'The end of a clip must be after its start.')
  if (endSec - startSec < durationSecMin - 0.001 || endSec - startSec > durationSecMax + 0.001)
    throw new AppError('BAD_REQUEST', `A clip is ${durationSecMin} to ${durationSecMax} seconds long.`)
}

/** Work that begins anew, as when a check failed, does not take the bar back. */
function withRisingProgress(job: CutJob): CutJob {
  let reached = 0
  return {
    ...job,
    onProgress(share) {
      if (share <= reached) return
      reached = Math.min(1, share)
      job.onProgress?.(reached)
    },
  }
}
