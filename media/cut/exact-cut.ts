import { join } from 'node:path'
import type { InputVideoTrack } from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import type { MediaEngine, VideoEncodeRequest } from '../engine/port.ts'
import { highRangeOf } from '../source/high-range.ts'
import type { OpenedMedia } from '../source/open-source.ts'
import { encodeSound } from './clip-sound.ts'
import { decodeCpuSec, encodeCpuSec, type PictureSize } from './cost.ts'
import { even, portraitCrop } from './crop.ts'
import type { CutJob } from './cut-clip.ts'
import { type ClipFrame, endOf, framesBetween } from './frames.ts'
import { checkSmartClip, smartEligibility, smartPicture } from './smart-cut.ts'
import { known, type Span, takeSpan } from './span.ts'
import { decoderOf, pictureContainer, sumOfCpu, type TierRequest, type TierResult } from './tier.ts'
import { type ClipContainer, type ClipPicture, writeClip } from './write-clip.ts'
import { openWrittenFile, packetsAtFrames, shownTimes } from './written-file.ts'

/** Of clips that are encoded as a whole. */
const rateFactor = 20
const usualFramesPerSec = 30
/** Shares of the work, for the progress. */
const copiedShare = 0.1
const encodedShare = 0.9

/** Everything that both ways of an exact cut work on. */
interface Workpiece {
  readonly engine: MediaEngine
  readonly span: Span
  readonly video: InputVideoTrack
  readonly frames: readonly [ClipFrame, ...ClipFrame[]]
  readonly sound: { readonly path: string; readonly cpuSec: number | null } | null
  readonly size: PictureSize
  readonly container: ClipContainer
  readonly options: TierRequest['options']
  readonly folder: string
  readonly signal: AbortSignal | undefined
  readonly onProgress: (doneSec: number) => void
}

/**
 * A clip whose first and last frames are the ones asked for: with copied frames between its edges where the codec
 * allows that and nothing is changed about the picture, else encoded as a whole.
 */
export async function exactCut(
  deps: { readonly engine: MediaEngine | null },
  media: OpenedMedia,
  request: TierRequest,
  job: CutJob,
): Promise<TierResult> {
  const engine = decoderOf(deps.engine)
  const container = pictureContainer(request.options.container)
  const span = await takeSpan(media, { ...request, withPicture: true }, { folder: job.folder, signal: job.signal })
  job.onProgress?.(copiedShare)
  const frames = framesBetween(span.packets, request.startSec - span.baseSec, request.endSec - span.baseSec)
  const [startSec, endSec] = [frames[0].shownAtSec, endOf(frames)]
  const spanFile = await openWrittenFile(span.path)
  try {
    const video = known(spanFile.video)
    const sound =
      spanFile.audio &&
      (await encodeSound(
        engine,
        span,
        spanFile.audio,
        { startSec, endSec, codec: 'aac' },
        {
          folder: job.folder,
          signal: job.signal,
        },
      ))
    const made = await smartOrWhole({
      engine,
      span,
      video,
      frames,
      sound,
      size: {
        widthPx: await video.getCodedWidth(),
        heightPx: await video.getCodedHeight(),
        framesPerSec: frames.length / Math.max(endSec - startSec, 1 / usualFramesPerSec),
      },
      container,
      options: request.options,
      folder: job.folder,
      signal: job.signal,
      onProgress: doneSec =>
        job.onProgress?.(copiedShare + (encodedShare - copiedShare) * Math.min(1, doneSec / (endSec - startSec))),
    })
    return {
      ...made,
      actual: { startSec: startSec + span.baseSec, endSec: endSec + span.baseSec },
      container,
      cpuSec: sumOfCpu([made.cpuSec, sound === null ? 0 : sound.cpuSec]),
    }
  } finally {
    spanFile.close()
  }
}

type Made = Omit<TierResult, 'actual' | 'container'>

async function smartOrWhole(piece: Workpiece): Promise<Made> {
  if (piece.options.crop !== null) return encodeWhole(piece, [])
  const eligible = await smartEligibility(piece.video)
  if ('refusal' in eligible) return encodeWhole(piece, [eligible.refusal])
  const smart = await smartPicture(piece.engine, piece.span, piece.video, piece.frames, eligible, piece)
  if (smart === null) return encodeWhole(piece, [])
  try {
    const written = await write(piece, smart.picture)
    const check = await checkSmartClip(piece.engine, written.path, piece.frames, smart.jointsSec, piece)
    const cpuSec = sumOfCpu([smart.cpuSec, check.cpuSec])
    if (check.isSound) {
      const { encodedFrameCount } = smart
      return { ...written, tier: 'smart', frameCount: piece.frames.length, encodedFrameCount, cpuSec, notes: [] }
    }
    const note = 'The copied part did not decode without faults where it meets its edges, so all was encoded.'
    const whole = await encodeWhole(piece, [note])
    return { ...whole, cpuSec: sumOfCpu([whole.cpuSec, cpuSec]) }
  } finally {
    smart.close()
  }
}

async function encodeWhole(piece: Workpiece, notes: readonly string[]): Promise<Made> {
  const { frames, span, video, size } = piece
  const [first, last] = [frames[0], frames.at(-1) ?? frames[0]]
  const outputPath = join(piece.folder, 'whole.mp4')
  const { cpuSec } = await piece.engine.encodeVideo(
    {
      input: { kind: 'file', path: span.path },
      startSec: first.atSec,
      endSec: last.atSec + Math.max(last.durationSec, 0.002),
      outputPath,
      frameCount: frames.length,
      profile: 'high',
      rateFactor,
      parameterSetId: 0,
      ...(await highRangeOf(video)),
      ...(await shapeOf(piece)),
    },
    {
      cpuSecEstimate: encodeCpuSec(endOf(frames) - first.shownAtSec, size) + decodeCpuSec(20, size),
      onProgress: piece.onProgress,
      ...(piece.signal && { signal: piece.signal }),
    },
  )
  const file = await openWrittenFile(outputPath)
  try {
    const encoded = known(file.video)
    const times = await shownTimes(encoded)
    if (times.length === 0)
      throw new AppError('BAD_REQUEST', 'No frame of this part could be decoded: the file is damaged.')
    const kept = keptFrames(frames, times)
    const written = await write(piece, {
      codec: 'avc',
      config: known(await encoded.getDecoderConfig()),
      matrix:
        piece.options.crop === null ? await video.getTransformationMatrix() : await encoded.getTransformationMatrix(),
      packetCountMax: frames.length,
      packets: packetsAtFrames(encoded, kept, first.shownAtSec),
    })
    const lostCount = frames.length - kept.length
    return {
      ...written,
      tier: 'encode',
      frameCount: kept.length,
      encodedFrameCount: kept.length,
      cpuSec,
      notes: [
        ...notes,
        ...(await rangeNotes(video, piece.engine)),
        ...(lostCount > 0 ? [`Damaged frames of the source were left out: ${lostCount}.`] : []),
      ],
    }
  } finally {
    file.close()
  }
}

async function rangeNotes(video: InputVideoTrack, { mapsRange }: MediaEngine): Promise<string[]> {
  if ((await highRangeOf(video)).highRange === undefined) return []
  return [
    mapsRange
      ? 'The picture has a high range of brightness: in the clip it was brought into the usual one.'
      : 'The picture has a high range of brightness, which this decoder cannot map: the clip has 8 bits of it and looks pale.',
  ]
}

/** The frames that were encoded: all of them, or of a damaged source those at the times that came out. */
function keptFrames(frames: readonly [ClipFrame, ...ClipFrame[]], times: readonly number[]): readonly ClipFrame[] {
  if (times.length === frames.length) return frames
  const startSec = frames[0].atSec - (times[0] ?? 0)
  const nearest = (atSec: number): ClipFrame =>
    frames.reduce((best, frame) => (Math.abs(frame.atSec - atSec) < Math.abs(best.atSec - atSec) ? frame : best))
  return [...new Set(times.map(atSec => nearest(atSec + startSec)))]
}

/** What is done to the picture: nothing but what the encoder needs, or the crop. */
async function shapeOf(piece: Workpiece): Promise<Pick<VideoEncodeRequest, 'rotation' | 'crop' | 'scale'>> {
  const { video, size } = piece
  if (piece.options.crop === null) {
    const fitting = {
      widthPx: even(size.widthPx - (size.widthPx % 2)),
      heightPx: even(size.heightPx - (size.heightPx % 2)),
    }
    const isFitting = fitting.widthPx === size.widthPx && fitting.heightPx === size.heightPx
    return { rotation: 'keep', ...(!isFitting && { scale: fitting }) }
  }
  const isTurned = (await video.getRotation()) % 180 !== 0
  const stored = isTurned ? { widthPx: size.heightPx, heightPx: size.widthPx } : size
  const shown = { widthPx: await video.getDisplayWidth(), heightPx: await video.getDisplayHeight() }
  return { rotation: 'apply', ...portraitCrop(shown, stored) }
}

async function write(piece: Workpiece, picture: ClipPicture): Promise<Pick<Made, 'path' | 'bytes' | 'avOffsetMs'>> {
  const { frames } = piece
  const durationSec = endOf(frames) - frames[0].shownAtSec
  const soundFile = piece.sound && (await openWrittenFile(piece.sound.path))
  try {
    const track = soundFile?.audio ?? null
    const written = await writeClip(piece.folder, piece.container, {
      picture,
      sound: track && { track, from: null, zeroSec: 0, endSec: durationSec },
    })
    return { ...written, avOffsetMs: track === null ? null : await avOffsetMs(written.path) }
  } finally {
    soundFile?.close()
  }
}

/** How much later the sound begins than the picture, as the written file says. What comes before 0 is not heard. */
async function avOffsetMs(path: string): Promise<number | null> {
  const file = await openWrittenFile(path)
  try {
    if (file.video === null || file.audio === null) return null
    const soundSec = Math.max(0, await file.audio.getFirstTimestamp())
    return Math.round((soundSec - (await file.video.getFirstTimestamp())) * 1000)
  } finally {
    file.close()
  }
}
