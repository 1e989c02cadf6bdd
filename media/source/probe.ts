import { EncodedPacketSink, HLS, type InputAudioTrack, type InputVideoTrack } from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import { type MediaInfo, mediaLimits } from '../../contracts/media.ts'
import { type MediaSource, type OpenedMedia, openMediaSource, type SourceDeps } from './open-source.ts'
import { readingMedia } from './reading-media.ts'

/** Enough to tell a constant rate from a variable one. */
const probedPacketCount = 256

const containers: Readonly<Record<string, MediaInfo['container']>> = {
  MP4: 'mp4',
  'QuickTime File Format': 'mov',
  Matroska: 'matroska',
  WebM: 'webm',
  'MPEG Transport Stream': 'mpegts',
  WAVE: 'wav',
  MP3: 'mp3',
  ADTS: 'aac',
  FLAC: 'flac',
  Ogg: 'ogg',
}

/** Opens a source, says what it is, and closes it. */
export async function probeSource(
  deps: SourceDeps,
  source: MediaSource,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MediaInfo> {
  const media = await openMediaSource(deps, source, options)
  try {
    return await probeMedia(media, options)
  } finally {
    await media.close()
  }
}

/**
 * What media is, without decoding it.
 * @throws AppError BAD_REQUEST when it is damaged or beyond what is taken, with the limit
 */
export async function probeMedia(
  media: OpenedMedia,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MediaInfo> {
  return readingMedia(options.signal, async () => {
    const isPlaylist = (await media.input.getFormat()) === HLS
    const info: MediaInfo = {
      contentId: media.contentId,
      container: isPlaylist ? 'hls' : (containers[(await media.input.getFormat()).name] ?? 'mp4'),
      durationSec: media.durationSec,
      bytes: media.bytes,
      video: media.video && (await videoOf(media.video)),
      audio: media.audio && (await audioOf(media.audio)),
      trackCount: media.trackCount,
      notes: await notesOn(media),
    }
    const excess = excessOf(info)
    if (excess !== null) throw new AppError('BAD_REQUEST', excess)
    return info
  })
}

async function videoOf(track: InputVideoTrack): Promise<NonNullable<MediaInfo['video']>> {
  const rates = await track.computeFrameRateMetrics({ targetPacketCount: probedPacketCount })
  const isRateConstant = rates.frameRateIsConstant || rates.underlyingFrameRate !== null
  // A guess at the rate behind uneven times can be the rate of the clock they are written with.
  const framesPerSec = isRateConstant ? rates.bestGuessFrameRate : rates.averageFrameRate
  return {
    codec: (await track.getCodec()) ?? 'unknown',
    widthPx: Math.round(await track.getDisplayWidth()),
    heightPx: Math.round(await track.getDisplayHeight()),
    rotationDeg: await track.getRotation(),
    framesPerSec: Number.isFinite(framesPerSec) ? framesPerSec : null,
    isRateConstant,
    isHdr: await track.hasHighDynamicRange(),
  }
}

async function audioOf(track: InputAudioTrack): Promise<NonNullable<MediaInfo['audio']>> {
  return {
    codec: (await track.getCodec()) ?? 'unknown',
    rateHz: await track.getSampleRate(),
    channelCount: await track.getNumberOfChannels(),
  }
}

async function notesOn(media: OpenedMedia): Promise<string[]> {
  const notes: string[] = []
  const playedCount = (media.video === null ? 0 : 1) + (media.audio === null ? 0 : 1)
  if (media.trackCount > playedCount)
    notes.push(`${media.trackCount - playedCount} of ${media.trackCount} tracks are not used.`)
  if (media.bytes !== null && !(await endsWhole(media)))
    notes.push('The file is cut off: its last part is described but not there.')
  return notes
}

/** Whether the last packet that the container speaks of can be read. */
async function endsWhole(media: OpenedMedia): Promise<boolean> {
  const track = media.video ?? media.audio
  if (track === null) return true
  const sink = new EncodedPacketSink(track)
  return sink.getPacket(Number.POSITIVE_INFINITY).then(
    packet => packet !== null,
    () => false,
  )
}

/** What is more than is taken, in a sentence. */
function excessOf(info: MediaInfo): string | null {
  const { video } = info
  if (info.durationSec > mediaLimits.durationSecMax) return 'Media of up to 12 hours is taken; this is longer.'
  if ((info.bytes ?? 0) > mediaLimits.bytesMax) return 'Files of up to 20 GiB are taken; this is larger.'
  if (info.trackCount > mediaLimits.trackCountMax)
    return `Files with up to ${mediaLimits.trackCountMax} tracks are taken; this has ${info.trackCount}.`
  if (video !== null && Math.max(video.widthPx, video.heightPx) > mediaLimits.sidePxMax)
    return `Pictures of up to ${mediaLimits.sidePxMax} pixels a side are taken; these have ${video.widthPx} × ${video.heightPx}.`
  if ((video?.framesPerSec ?? 0) > mediaLimits.framesPerSecMax)
    return `Up to ${mediaLimits.framesPerSecMax} frames a second are taken; this has ${Math.round(video?.framesPerSec ?? 0)}.`
  if (info.durationSec === 0) return 'The file holds no picture and no sound.'
  return null
}
