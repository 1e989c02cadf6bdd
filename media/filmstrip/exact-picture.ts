import { EncodedPacketSink } from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import { takeSpan } from '../cut/span.ts'
import type { EngineUsage, MediaEngine } from '../engine/port.ts'
import type { Picture } from '../picture.ts'
import { highRangeOf } from '../source/high-range.ts'
import type { OpenedMedia } from '../source/open-source.ts'
import { readingMedia } from '../source/reading-media.ts'

/** Times are rounded by containers: the frame is looked for from a little before its own. */
const slackSec = 0.002
/** From the keyframe before, frames may have to be decoded for so long. */
const cpuSecEstimate = 3

/** Media whose frames are wanted. */
interface FrameSource {
  readonly opened: OpenedMedia
  /** The whole file in a private folder of ours; null where there is none: then the part that is needed is copied. */
  readonly path: string | null
  /** Private, empty. */
  readonly folder: string
}

/**
 * The frame that is shown at an instant, to the frame, and the instant at which it begins to be shown. Beyond the end
 * it is the last frame.
 * @throws AppError BAD_REQUEST when the media has no picture or is damaged there; as `MediaEngine.decode`
 */
export async function exactPicture(
  engine: MediaEngine,
  { opened, path, folder }: FrameSource,
  { atSec, widthPx, heightPx }: { readonly atSec: number; readonly widthPx: number; readonly heightPx: number },
  { signal, isWatched = false }: { readonly signal: AbortSignal; readonly isWatched?: boolean },
): Promise<{ atSec: number; picture: Picture; usage: EngineUsage }> {
  const { video, zeroSec } = opened
  if (!video) throw new AppError('BAD_REQUEST', 'This media has no picture.')
  const shown = await readingMedia(signal, async () => {
    const sink = new EncodedPacketSink(video)
    const options = { metadataOnly: true }
    const packet =
      (await sink.getPacket(zeroSec + atSec + slackSec / 2, options)) ?? (await sink.getFirstPacket(options))
    if (!packet) throw new AppError('BAD_REQUEST', 'This media has no picture.')
    if (path !== null) return { path, fileSec: packet.timestamp, sourceSec: packet.timestamp }
    const wanted = { startSec: packet.timestamp, endSec: packet.timestamp + slackSec, withPicture: true }
    const span = await takeSpan(opened, wanted, { folder, signal })
    return { path: span.path, fileSec: packet.timestamp - span.baseSec, sourceSec: packet.timestamp }
  })
  const frames: Uint8Array[] = []
  const usage = await engine.decode(
    {
      input: { kind: 'file', path: shown.path },
      picture: { widthPx, heightPx, pixels: 'rgb24', which: 'all', framesMax: 1, ...(await highRangeOf(video)) },
      sound: null,
      startSec: Math.max(0, shown.fileSec - slackSec),
    },
    { onFrame: ({ pixels }) => void frames.push(pixels) },
    { cpuSecEstimate, signal, isWatched },
  )
  const [rgb] = frames
  if (!rgb)
    throw new AppError('BAD_REQUEST', 'The picture at this instant cannot be decoded: the file is damaged there.')
  return { atSec: Math.max(0, shown.sourceSec - zeroSec), picture: { widthPx, heightPx, rgb }, usage }
}
