import { AppError } from '../../../contracts/errors.ts'
import { type CutOptions, clipLimits, type MediaInfo } from '../../../contracts/media.ts'

/** Processor seconds, measured on 1080p30 H.264: a copy; a smart cut, which encodes about two keyframe intervals. */
const copyCpu = 0.2
const smartCpu = 4
/** Encoding, for each second of the clip. */
const encodeCpu = 0.9
const audioCpu = 0.03
const measuredPx = 1920 * 1080
const measuredFps = 30
/** A request may run beyond the end by this much; the clip then ends where the media does. */
const beyondSecMax = 1

/**
 * A part of media, cut to what is there.
 * @throws AppError BAD_REQUEST with what is wrong with it
 */
export function partOf(
  media: MediaInfo,
  { startTime, endTime }: { readonly startTime: number; readonly endTime: number },
): { startTime: number; endTime: number } {
  const wrong = (message: string) =>
    new AppError('BAD_REQUEST', message, { details: { durationSec: media.durationSec } })
  if (endTime <= startTime) throw wrong('The end of the clip must lie after its start.')
  if (startTime >= media.durationSec || endTime > media.durationSec + beyondSecMax)
    throw wrong(`The media is ${media.durationSec.toFixed(3)} s long: the clip must lie in it.`)
  const end = Math.min(endTime, media.durationSec)
  const seconds = end - startTime
  if (seconds < clipLimits.durationSecMin) throw wrong(`A clip is at least ${clipLimits.durationSecMin} s long.`)
  if (seconds > clipLimits.durationSecMax) throw wrong(`A clip is at most ${clipLimits.durationSecMax} s long.`)
  return { startTime, endTime: end }
}

/** How much processor time a cut will take, in seconds, before it is made. */
export function cutCpuSeconds(media: MediaInfo, options: CutOptions, seconds: number): number {
  const { video } = media
  if (options.isAudioOnly || video === null) return copyCpu + audioCpu * seconds
  if (options.mode === 'keyframe' && options.crop === null) return copyCpu
  const sound = audioCpu * seconds
  const size = (video.widthPx * video.heightPx) / measuredPx
  const encode = encodeCpu * seconds * size * ((video.framesPerSec ?? measuredFps) / measuredFps) + sound
  // Only H.264 can be cut without encoding what lies between both ends.
  return video.codec === 'avc' && options.crop === null ? Math.min(encode, smartCpu * size + sound) : encode
}
