import { stat } from 'node:fs/promises'
import { AppError } from '../../contracts/errors.ts'
import type { MediaEngine } from '../engine/port.ts'
import type { OpenedMedia } from '../source/open-source.ts'
import { encodeSound } from './clip-sound.ts'
import type { CutJob } from './cut-clip.ts'
import { takeSpan } from './span.ts'
import { decoderOf, type TierRequest, type TierResult } from './tier.ts'

/** The sound alone, encoded from and to the very sample: m4a, mp3 or wav; mp4 asked for means m4a. */
export async function soundCut(
  deps: { readonly engine: MediaEngine | null },
  media: OpenedMedia,
  request: TierRequest,
  job: CutJob,
): Promise<TierResult> {
  if (media.audio === null) throw new AppError('BAD_REQUEST', 'The media has no sound to cut.')
  const engine = decoderOf(deps.engine)
  const container = soundContainer(request.options.container)
  const span = await takeSpan(media, { ...request, withPicture: false }, { folder: job.folder, signal: job.signal })
  if (!span.hasSound) throw new AppError('BAD_REQUEST', 'The media has no sound between these times.')
  const codecs = { m4a: 'aac', mp3: 'mp3', wav: 'pcm-s16' } as const
  const durationSec = request.endSec - request.startSec
  const { path, cpuSec } = await encodeSound(
    engine,
    span,
    media.audio,
    { startSec: request.startSec - span.baseSec, endSec: request.endSec - span.baseSec, codec: codecs[container] },
    {
      folder: job.folder,
      signal: job.signal,
      onProgress: doneSec => job.onProgress?.(0.1 + (0.9 * doneSec) / durationSec),
    },
  )
  return {
    path,
    tier: 'audio',
    actual: { startSec: request.startSec, endSec: request.endSec },
    frameCount: null,
    encodedFrameCount: 0,
    container,
    bytes: (await stat(path)).size,
    avOffsetMs: null,
    cpuSec,
    notes:
      media.video === null && !request.options.isAudioOnly
        ? ['The media has no picture: the clip is sound alone.']
        : [],
  }
}

function soundContainer(container: TierRequest['options']['container']): 'm4a' | 'mp3' | 'wav' {
  if (container === 'm4a' || container === 'mp3' || container === 'wav') return container
  if (container === 'mp4') return 'm4a'
  throw new AppError('BAD_REQUEST', `Sound alone is m4a, mp3 or wav; ${container} is for clips with a picture.`)
}
