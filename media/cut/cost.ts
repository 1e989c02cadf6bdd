/** What a picture is to an encoder or decoder. */
export interface PictureSize {
  readonly widthPx: number
  readonly heightPx: number
  readonly framesPerSec: number
}

const fullHdPixels = 1920 * 1080
const usualFramesPerSec = 30

/** Processor seconds to encode so much picture, decoding included. Measured at 1080p30: 0.75 to 1.0 a second. */
export function encodeCpuSec(durationSec: number, size: PictureSize): number {
  return 1.1 * durationSec * weightOf(size)
}

/** Processor seconds to decode so much picture. */
export function decodeCpuSec(durationSec: number, size: PictureSize): number {
  return 0.25 * durationSec * weightOf(size)
}

/**
 * Processor seconds that a cut will probably take, for the estimate shown before it.
 * @param gopSec the usual distance of keyframes, of which an exact cut encodes about one
 */
export function cutCpuSec(clip: {
  readonly durationSec: number
  readonly tier: 'preview' | 'smart' | 'encode' | 'audio'
  readonly size: PictureSize | null
  readonly gopSec?: number
}): number {
  const copySec = 0.2 + 0.01 * clip.durationSec
  if (clip.tier === 'preview') return copySec
  const soundSec = 0.03 * clip.durationSec + 0.2
  if (clip.tier === 'audio' || clip.size === null) return copySec + soundSec
  if (clip.tier === 'encode') return copySec + soundSec + encodeCpuSec(clip.durationSec, clip.size)
  const edgeSec = Math.min(clip.gopSec ?? 4, clip.durationSec)
  return copySec + soundSec + encodeCpuSec(edgeSec / 2, clip.size) + decodeCpuSec(1.5 * edgeSec, clip.size)
}

function weightOf(size: PictureSize): number {
  return ((size.widthPx * size.heightPx) / fullHdPixels) * (size.framesPerSec / usualFramesPerSec)
}
