/**
 * One pass over a file makes all of its timeline: the engine decodes small pictures and mono sound side by side, and
 * what is measured of them is measured here, chunk by chunk. Decoding is what costs; a second pass for thumbnails or
 * fingerprints would double it. Memory holds results only: about 2 MB an hour, and 5 MB of thumbnails.
 */
import type { MediaInfo } from '../../contracts/media.ts'
import { mediaLimits } from '../../contracts/media.ts'
import type { Timeline, TimelineLevel } from '../../contracts/timeline.ts'
import type { DecodeRequest, EngineUsage, HighRange, MediaEngine } from '../engine/port.ts'
import { type PictureTrack, queryPrint, storedPrint } from '../fingerprint/picture-print.ts'
import { analysedSize, type Picture } from '../picture.ts'
import { derivedVersion } from './derived-key.ts'
import { type MomentRequest, suggestMoments } from './moments.ts'
import { encodePng } from './png.ts'
import { sceneMeter } from './scene-cuts.ts'
import { findSilences, silentBelow } from './silence.ts'
import { energyStepSec, meteredRateHz, type SoundMeter, soundMeter } from './sound-meter.ts'
import { thumbnailPicker } from './thumbnails.ts'
import { timelineCpuSec } from './timeline-cost.ts'
import { levelFor, type Waveform } from './waveform.ts'

/** A file in the private folder of a job. */
export interface TimelineSource {
  readonly path: string
  readonly info: MediaInfo
  /** The instant of the file's own clock at which the media's timeline begins. */
  readonly zeroSec: number
  /** On the media's timeline; null when the container was not asked. */
  readonly keyframes: readonly number[] | null
  readonly highRange?: HighRange
}

/** What a pass makes: the timeline, and the files beside it. */
export interface TimelineAnalysis {
  readonly timeline: Timeline
  /** For drawing at any zoom (`writeWaveform`). */
  readonly waveform: Waveform | null
  /** The sheet of `timeline.thumbnails` as a PNG file. */
  readonly thumbnails: Buffer | null
  /** Views of the picture, by which copies of it are found; empty when no picture was looked at. */
  readonly views: readonly PictureTrack[]
  /**
   * Parts of the picture, by which it is known as a copy itself; empty but at the level `full` of up to ten minutes.
   */
  readonly parts: readonly PictureTrack[]
  readonly usage: EngineUsage
}

/** Steps of the waveform that stands in the timeline itself; the file beside it has all. */
const peaksMin = 1000
/** Longer media are what copies are made of, not copies. */
const copySecMax = 600
/** Keyframes nearer to the last one are left out: where all frames are keyframes, few are enough. */
const keyframeSpacingSec = 0.4

/**
 * @param request.level see `timelineLevels`; a file without picture gets the `audio` level whatever is asked
 * @throws AppError as `MediaEngine.decode`
 */
export async function analyzeTimeline(
  engine: MediaEngine,
  source: TimelineSource,
  request: { readonly level: TimelineLevel } & MomentRequest,
  task: { readonly signal?: AbortSignal; readonly onProgress?: (share: number) => void },
): Promise<TimelineAnalysis> {
  const { info, zeroSec, highRange } = source
  const level = info.video ? request.level : 'audio'
  const sound = info.audio ? soundMeter() : null
  const pictures = info.video && level !== 'audio' ? pictureMeters(level, info.video, info.durationSec) : null
  const usage = await engine.decode(
    {
      input: { kind: 'file', path: source.path },
      picture: pictures && { ...pictures.asked, ...(highRange && { highRange }) },
      sound: sound && { rateHz: meteredRateHz },
      startSec: zeroSec,
      durationSec: info.durationSec,
    },
    {
      onFrame: frame => pictures?.push(frame.pixels, (frame.atSec ?? 0) - zeroSec),
      onSound: samples => sound?.push(samples),
    },
    {
      cpuSecEstimate: timelineCpuSec(level, info),
      ...(task.signal && { signal: task.signal }),
      onProgress: doneSec => task.onProgress?.(Math.min(1, doneSec / info.durationSec)),
    },
  )
  const seen = pictures?.finish() ?? null
  const heard = sound ? heardOf(sound) : null
  const sheet = seen?.thumbnails ?? null
  const unsuggested = {
    version: derivedVersion,
    level,
    durationSec: info.durationSec,
    energy: heard?.energy ?? null,
    speech: heard?.speech ?? null,
    silences: heard?.silences ?? null,
    peaks: heard?.peaks ?? null,
    keyframes: source.keyframes?.map(roundMs) ?? seen?.keyframes ?? null,
    cuts: seen?.cuts ?? null,
    thumbnails: sheet?.sheet ?? null,
  }
  return {
    timeline: { ...unsuggested, moments: suggestMoments(unsuggested, request) },
    waveform: heard?.waveform ?? null,
    thumbnails: sheet && (await encodePng(sheet.picture)),
    views: seen?.views ?? [],
    parts: seen?.parts ?? [],
    usage,
  }
}

/** All that is measured of pictures, fed together. */
function pictureMeters(
  level: 'keyframes' | 'full',
  shown: { readonly widthPx: number; readonly heightPx: number },
  durationSec: number,
) {
  const size = analysedSize(shown)
  const scenes = sceneMeter(level === 'full' ? 'frames' : 'keyframes')
  const thumbnails = thumbnailPicker(durationSec)
  const views = storedPrint()
  const parts = level === 'full' && durationSec <= copySecMax ? queryPrint() : null
  const keyframes: number[] = []
  return {
    asked: {
      ...size,
      pixels: 'rgb24',
      which: level === 'full' ? 'referenced' : 'keyframes',
      framesMax: Math.ceil((durationSec + 1) * mediaLimits.framesPerSecMax),
    } satisfies DecodeRequest['picture'],
    push(rgb: Uint8Array, exactSec: number) {
      const atSec = roundMs(exactSec)
      if (level === 'keyframes') {
        if (atSec < (keyframes.at(-1) ?? Number.NEGATIVE_INFINITY) + keyframeSpacingSec) return
        keyframes.push(atSec)
      }
      const frame: Picture = { ...size, rgb }
      scenes.push(frame, atSec)
      thumbnails.push(frame, atSec)
      views.push(frame, atSec)
      parts?.push(frame, atSec)
    },
    finish: () => ({
      cuts: scenes.finish(),
      thumbnails: thumbnails.finish(),
      views: views.finish(),
      parts: parts?.finish() ?? [],
      keyframes: level === 'keyframes' ? keyframes : null,
    }),
  }
}

function heardOf(sound: SoundMeter) {
  const { dbfs, speech, waveform } = sound.finish()
  const silentBelowDbfs = roundMs(silentBelow(dbfs))
  const pyramid = waveform.finish()
  const { stepSec, minMax } = levelFor(pyramid, peaksMin)
  return {
    energy: { stepSec: energyStepSec, dbfs: [...dbfs], silentBelowDbfs },
    speech: speech.map(roundMs),
    silences: findSilences({ dbfs, stepSec: energyStepSec, startSec: 0 }, silentBelowDbfs),
    peaks: { stepSec, minMax: [...minMax] },
    waveform: pyramid,
  }
}

/** To thousandths: milliseconds of an instant. */
function roundMs(value: number): number {
  return Math.round(value * 1000) / 1000
}
