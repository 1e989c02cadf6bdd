import {
  type EncodedPacket,
  EncodedPacketSink,
  FilePathSource,
  Input,
  type InputAudioTrack,
  type InputVideoTrack,
  MATROSKA,
  MP4,
  QTFF,
} from 'mediabunny'
import { readingMedia } from '../source/reading-media.ts'
import type { ClipFrame } from './frames.ts'

/** A file that we or an engine wrote, opened to take its packets. */
export interface WrittenFile {
  readonly video: InputVideoTrack | null
  readonly audio: InputAudioTrack | null
  close(): void
}

/** @throws AppError BAD_REQUEST when it cannot be read: what wrote it failed without saying so */
export async function openWrittenFile(path: string): Promise<WrittenFile> {
  const input = new Input({ formats: [MP4, QTFF, MATROSKA], source: new FilePathSource(path) })
  return readingMedia(undefined, async () => ({
    video: await input.getPrimaryVideoTrack(),
    audio: await input.getPrimaryAudioTrack(),
    close: () => input.dispose(),
  }))
}

/** When the frames of a picture are shown, in the order in which they are. */
export async function shownTimes(track: InputVideoTrack): Promise<number[]> {
  const times: number[] = []
  for await (const packet of new EncodedPacketSink(track).packets(undefined, undefined, { metadataOnly: true }))
    times.push(packet.timestamp)
  return times.sort((a, b) => a - b)
}

/**
 * The packets of an encoding of just these frames, in the order of decoding, at the times of the frames: the n-th that
 * is shown is the n-th frame, whatever the encoder made of the times.
 * @param fromSec becomes 0
 */
export async function* packetsAtFrames(
  track: InputVideoTrack,
  frames: readonly ClipFrame[],
  fromSec: number,
): AsyncGenerator<EncodedPacket> {
  const rankOf = new Map((await shownTimes(track)).map((atSec, rank) => [atSec, rank]))
  for await (const packet of new EncodedPacketSink(track).packets()) {
    const frame = frames[rankOf.get(packet.timestamp) ?? -1]
    if (frame === undefined) continue
    yield packet.clone({ timestamp: frame.shownAtSec - fromSec, duration: frame.durationSec })
  }
}
