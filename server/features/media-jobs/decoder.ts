import { AppError } from '../../../contracts/errors.ts'
import type { MediaEngine } from '../../../media/engine/port.ts'

/** @throws AppError NOT_CONFIGURED when nothing on this machine decodes */
export function decoderOf(engine: MediaEngine | null): MediaEngine {
  if (engine !== null) return engine
  throw new AppError(
    'NOT_CONFIGURED',
    'Nothing can decode media on this machine: install ffmpeg 5.1 or newer, or set FFMPEG_PATH.',
    { details: { reason: 'MEDIA_DECODER_MISSING' } },
  )
}
