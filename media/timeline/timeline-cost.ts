import type { MediaInfo } from '../../contracts/media.ts'
import type { TimelineLevel } from '../../contracts/timeline.ts'

/** Processor seconds, measured on 1080p30 H.264 and on small AV1: of the engine and of measuring together. */
const cost = {
  /** Starting the engine and opening a file. */
  start: 0.2,
  soundSec: 0.0015,
  /** Keyframes of a second of media, one every two seconds or so, at 1080p; rarer ones cost less. */
  keyframesSec: 0.01,
  /** A frame of whatever size, and what a frame of 1080p adds. */
  frame: 0.0004,
  largeFrame: 0.0023,
} as const
const largePx = 1920 * 1080
const usualFps = 30
/** Decoders of these codecs can leave out frames; those of others decode all of them for the keyframes alone. */
const skippingCodecs = new Set(['avc', 'hevc'])

/** How much processor time analysing a file will take, in seconds, before it is done. */
export function timelineCpuSec(
  level: TimelineLevel,
  { durationSec, video }: Pick<MediaInfo, 'durationSec' | 'video'>,
): number {
  const sound = cost.start + cost.soundSec * durationSec
  if (level === 'audio' || video === null) return sound
  const size = (video.widthPx * video.heightPx) / largePx
  if (level === 'keyframes' && skippingCodecs.has(video.codec)) return sound + cost.keyframesSec * durationSec * size
  const frameCount = durationSec * (video.framesPerSec ?? usualFps)
  return sound + frameCount * (cost.frame + cost.largeFrame * size)
}
