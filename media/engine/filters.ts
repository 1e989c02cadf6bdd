/**
 * The filter chains of both engines, as FFmpeg writes them. Numbers alone go into them: no text of anybody's.
 */
import type {
  AudioEncodeRequest,
  DecodeRequest,
  HighRange,
  MediaEngine,
  SoundFingerprintRequest,
  VideoEncodeRequest,
} from './port.ts'

/** What the encoders take. */
const sampleFormats = { aac: 'fltp', mp3: 'fltp', 'pcm-s16': 's16' } as const

/** Times in containers are rounded: a frame this much before the beginning is still the first one. */
const frameToleranceSec = 0.0005

/** Where to look for the keyframe to begin decoding at, for a span that begins at `startSec`. */
export function seekSec(startSec: number): number {
  return Math.max(0, startSec - 2 * frameToleranceSec)
}

/** What filters an engine has. */
type Able = Pick<MediaEngine, 'mapsRange'>

export function pictureFilters(
  request: DecodeRequest,
  picture: NonNullable<DecodeRequest['picture']>,
  able: Able,
): string {
  return [
    ...trim('trim', request, frameToleranceSec),
    ...(picture.framesPerSec === undefined ? [] : [`fps=${decimal(picture.framesPerSec)}`]),
    `scale=${picture.widthPx}:${picture.heightPx}:flags=area`,
    // Small pictures are mapped at a small price.
    ...rangeFilters(picture.highRange, able),
  ].join(',')
}

/** Gaps in the sound become silence, so that the n-th sample is at n / rate after the beginning. */
export function soundFilters(request: DecodeRequest, sound: NonNullable<DecodeRequest['sound']>): string {
  return [
    ...trim('atrim', request, 0),
    ...evenSound(request.startSec ?? 0, sound.rateHz),
    'aformat=sample_fmts=s16:channel_layouts=mono',
  ].join(',')
}

export function videoFilters(request: VideoEncodeRequest, able: Able): string {
  const { crop, scale } = request
  return [
    `trim=start=${decimal(request.startSec - frameToleranceSec)}:end=${decimal(request.endSec - frameToleranceSec)}`,
    'setpts=PTS-STARTPTS',
    ...(crop ? [`crop=${crop.widthPx}:${crop.heightPx}:${crop.xPx}:${crop.yPx}`] : []),
    ...(scale ? [`scale=${scale.widthPx}:${scale.heightPx}:flags=bicubic`] : []),
    ...rangeFilters(request.highRange, able),
    // Either as it is: changing from one to the other would squeeze the range of the brightness.
    'format=yuv420p|yuvj420p',
  ].join(',')
}

/** Exactly as many samples as the span has, the first of them at its beginning; silence where the source has none. */
export function audioFilters(request: AudioEncodeRequest): string {
  const { startSec, endSec, rateHz } = request
  const sampleCount = Math.round((endSec - startSec) * rateHz)
  return [
    `atrim=start=${decimal(startSec)}:end=${decimal(endSec)}`,
    ...evenSound(startSec, rateHz),
    `aformat=sample_fmts=${sampleFormats[request.codec]}:sample_rates=${rateHz}:channel_layouts=${request.channelCount === 1 ? 'mono' : 'stereo'}`,
    `apad=whole_len=${sampleCount}`,
    `atrim=end_sample=${sampleCount}`,
  ].join(',')
}

/** Chromaprint's own rate and channels are made by itself; it takes 16-bit samples. */
export function fingerprintFilters(request: SoundFingerprintRequest): string {
  return [...trim('atrim', request, 0), 'aformat=sample_fmts=s16:channel_layouts=mono'].join(',')
}

const transfers = { pq: 'smpte2084', hlg: 'arib-std-b67' } as const

/** By light: 100 candela a square metre of the source become white, what is brighter is pressed together above. */
function rangeFilters(highRange: HighRange | undefined, { mapsRange }: Able): string[] {
  if (highRange === undefined || !mapsRange) return []
  return [
    `zscale=tin=${transfers[highRange]}:pin=bt2020:min=bt2020nc:t=linear:npl=100`,
    'format=gbrpf32le',
    'zscale=p=bt709',
    'tonemap=hable:desat=0',
    'zscale=t=bt709:m=bt709:r=tv',
    'format=yuv420p',
  ]
}

/** Sound that begins at `startSec`, which becomes zero, with silence in its gaps and before it. */
function evenSound(startSec: number, rateHz: number): string[] {
  return [`asetpts=PTS-${decimal(startSec)}/TB`, `aresample=${rateHz}:async=1:first_pts=0`]
}

function trim(
  filter: 'trim' | 'atrim',
  span: { startSec?: number; durationSec?: number },
  toleranceSec: number,
): string[] {
  const startSec = span.startSec ?? 0
  const start = startSec > 0 ? [`start=${decimal(startSec - toleranceSec)}`] : []
  const end = span.durationSec === undefined ? [] : [`end=${decimal(startSec + span.durationSec - toleranceSec)}`]
  const bounds = [...start, ...end]
  return bounds.length === 0 ? [] : [`${filter}=${bounds.join(':')}`]
}

/** Never in the form 1e-7, which a filter would not read. */
function decimal(value: number): string {
  return value.toFixed(6)
}
