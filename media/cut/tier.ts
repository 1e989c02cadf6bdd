import { AppError } from '../../contracts/errors.ts'
import type { CutOptions, CutResult } from '../../contracts/media.ts'
import type { MediaEngine } from '../engine/port.ts'
import type { ClipContainer } from './write-clip.ts'

/** What each way of cutting is asked, on the clock of the source. */
export interface TierRequest {
  readonly startSec: number
  readonly endSec: number
  readonly options: CutOptions
}

/** What each way of cutting answers: times on the clock of the source. */
export type TierResult = Pick<
  CutResult,
  'tier' | 'actual' | 'frameCount' | 'encodedFrameCount' | 'container' | 'bytes' | 'avOffsetMs' | 'cpuSec' | 'notes'
> & {
  /** Absolute. */
  readonly path: string
}

/** @throws AppError BAD_REQUEST when the container is one for sound alone */
export function pictureContainer(container: CutOptions['container']): ClipContainer {
  if (container === 'mp4' || container === 'mov' || container === 'mkv') return container
  throw new AppError('BAD_REQUEST', `A clip with a picture is mp4, mov or mkv; ${container} is for sound alone.`)
}

/** @throws AppError NOT_CONFIGURED when there is no engine */
export function decoderOf(engine: MediaEngine | null): MediaEngine {
  if (engine !== null) return engine
  throw new AppError(
    'NOT_CONFIGURED',
    'Exact cuts need a decoder, and there is none here: install ffmpeg 5.1 or newer, or set FFMPEG_PATH. Cuts at keyframes work without.',
    { details: { reason: 'MEDIA_DECODER_MISSING' } },
  )
}

/** The processor time of several calls; null when one of them is not known. */
export function sumOfCpu(parts: readonly (number | null)[]): number | null {
  return parts.reduce((sum, part) => (sum === null || part === null ? null : sum + part), 0)
}
