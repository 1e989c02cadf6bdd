import type { MediaInfo } from '../../contracts/media.ts'
import type { MediaEngine } from '../engine/port.ts'

/** Reading and resampling a second of sound takes about so much processor time, seconds. */
const cpuSecPerSec = 0.002

/**
 * The chromaprint of a file's sound.
 * @param source a file in the private folder of a job
 * @returns null when it has no sound
 * @throws AppError as `MediaEngine.soundFingerprint`
 */
export async function printSound(
  engine: MediaEngine,
  { path, info, zeroSec }: { readonly path: string; readonly info: MediaInfo; readonly zeroSec: number },
  signal?: AbortSignal,
): Promise<Uint32Array | null> {
  if (!info.audio) return null
  const span = { startSec: zeroSec, durationSec: info.durationSec }
  const cpuSecEstimate = 1 + cpuSecPerSec * info.durationSec
  return engine.soundFingerprint(
    { input: { kind: 'file', path }, ...span },
    { cpuSecEstimate, ...(signal && { signal }) },
  )
}
