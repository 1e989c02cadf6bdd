import { AppError } from '../../../contracts/errors.ts'
import { type CutOptions, clipLimits, type MediaInfo } from '../../../contracts/media.ts'
import { cutCpuSec } from '../../../media/cut/cost.ts'

const usualFramesPerSec = 30

/** In seconds of the media. */
export interface ClipPart {
  readonly startTime: number
  readonly endTime: number
}

/**
 * A part of media, shortened to what is there.
 * @throws AppError BAD_REQUEST with what is wrong with it
 */
export function partOf(media: MediaInfo, { startTime, endTime }: ClipPart): ClipPart {
  const wrong = (message: string) =>
    new AppError('BAD_REQUEST', message, { details: { durationSec: media.durationSec } })
  if (endTime <= startTime) throw wrong('The end of the clip must lie after its start.')
  if (startTime >= media.durationSec || endTime > media.durationSec + clipLimits.overEndSecMax)
    throw wrong(`The media is ${media.durationSec.toFixed(3)} s long: the clip must lie in it.`)
  const end = Math.min(endTime, media.durationSec)
  const seconds = end - startTime
  if (seconds < clipLimits.durationSecMin) throw wrong(`A clip is at least ${clipLimits.durationSecMin} s long.`)
  if (seconds > clipLimits.durationSecMax) throw wrong(`A clip is at most ${clipLimits.durationSecMax} s long.`)
  return { startTime, endTime: end }
}

/** How much processor time a cut will probably take, in seconds. */
export function clipCpuSeconds(media: MediaInfo, options: CutOptions, { startTime, endTime }: ClipPart): number {
  return cutCpuSec({
    durationSec: endTime - startTime,
    tier: probableTier(media, options),
    size: media.video && { ...media.video, framesPerSec: media.video.framesPerSec ?? usualFramesPerSec },
  })
}

function probableTier({ video }: MediaInfo, options: CutOptions): 'preview' | 'smart' | 'encode' | 'audio' {
  if (options.isAudioOnly || video === null) return 'audio'
  if (options.crop !== null) return 'encode'
  if (options.mode === 'keyframe') return 'preview'
  // Only H.264 is cut without encoding what lies between both ends.
  return video.codec === 'avc' ? 'smart' : 'encode'
}
