import { join } from 'node:path'
import type { InputAudioTrack } from 'mediabunny'
import type { AudioEncodeRequest, MediaEngine } from '../engine/port.ts'
import type { Span } from './span.ts'

/** What encoders of AAC and MP3 take; other rates are brought to 48 kHz. */
const ratesHz = new Set([16_000, 22_050, 24_000, 32_000, 44_100, 48_000])
const rateHzDefault = 48_000
const bitsPerSecOfChannel = 96_000

/**
 * Encodes the sound of a clip, from and to the very sample.
 * @param clip on the clock of the span
 * @returns the file, and what it cost
 */
export async function encodeSound(
  engine: MediaEngine,
  span: Span,
  source: InputAudioTrack,
  clip: { readonly startSec: number; readonly endSec: number; readonly codec: AudioEncodeRequest['codec'] },
  job: {
    readonly folder: string
    readonly signal: AbortSignal | undefined
    readonly onProgress?: (doneSec: number) => void
  },
): Promise<{ path: string; cpuSec: number | null }> {
  const endings = { aac: 'm4a', mp3: 'mp3', 'pcm-s16': 'wav' } as const
  const path = join(job.folder, `sound.${endings[clip.codec]}`)
  const sourceRateHz = await source.getSampleRate()
  const channelCount = (await source.getNumberOfChannels()) === 1 ? 1 : 2
  const { cpuSec } = await engine.encodeAudio(
    {
      input: { kind: 'file', path: span.path },
      startSec: clip.startSec,
      endSec: clip.endSec,
      outputPath: path,
      codec: clip.codec,
      rateHz: ratesHz.has(sourceRateHz) ? sourceRateHz : rateHzDefault,
      channelCount,
      bitsPerSec: bitsPerSecOfChannel * channelCount,
    },
    {
      cpuSecEstimate: 1 + 0.1 * (clip.endSec - clip.startSec),
      ...(job.onProgress && { onProgress: job.onProgress }),
      ...(job.signal && { signal: job.signal }),
    },
  )
  return { path, cpuSec }
}
