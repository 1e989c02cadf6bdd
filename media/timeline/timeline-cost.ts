import type { MediaInfo } from '../../contracts/media.ts'
import type { TimelineLevel } from '../../contracts/timeline.ts'

/** Processor seconds a second of media, measured on 1080p30 H.264. */
const audioCost = 0.0009
const keyframesCost = 0.008
const fullCost = 0.08
const measuredPx = 1920 * 1080
const measuredFps = 30
/** Starting the engine and opening a file. */
const startCpuSec = 0.2

/**
 * How much processor time analysing a file will take, in seconds, before it is done. Keyframes are estimated at one every
 * two seconds or so: a file whose keyframes are rarer costs less.
 */
export function timelineCpuSec(
  level: TimelineLevel,
  { durationSec, video }: Pick<MediaInfo, 'durationSec' | 'video'>,
): number {
  const sound = audioCost * durationSec
  if (level === 'audio' || video === null) return startCpuSec + sound
  const size = (video.widthPx * video.heightPx) / measuredPx
  if (level === 'keyframes') return startCpuSec + sound + keyframesCost * durationSec * size
  return startCpuSec + sound + fullCost * durationSec * size * ((video.framesPerSec ?? measuredFps) / measuredFps)
}
