import type { Readable } from 'node:stream'
import type { DecodeRequest, DecodeSink } from './port.ts'
import { delimited, FramePairs, readFrames, readSamples } from './raw-streams.ts'

/** Who reads the pipes of a process that decodes, and what it is fed. The same for every engine. */
interface DecodePipes {
  readonly startSec: number
  /** Pictures of a bare stream, each marked as complete at once; null of a file. */
  readonly chunks: AsyncIterable<Uint8Array> | null
  readonly readers: {
    readonly onPicture?: (stream: Readable) => Promise<void>
    readonly onSound?: (stream: Readable) => Promise<void>
    /** The time of the next frame, in seconds; null when there are no more. */
    readonly onFrameTime: (atSec: number | null) => void
  }
}

/** Brings what comes by the pipes of a request to its sink: frames with their times, and sound. */
export function decodePipes({ input, picture, sound, startSec = 0 }: DecodeRequest, sink: DecodeSink): DecodePipes {
  const isStream = input.kind === 'h264'
  const pairs = new FramePairs(isStream)
  return {
    startSec,
    chunks: isStream ? delimited(input.chunks) : null,
    readers: {
      ...(picture && {
        onPicture: stream => readFrames(stream, picture, async pixels => sink.onFrame?.(await pairs.next(pixels))),
      }),
      ...(sound && { onSound: stream => readSamples(stream, async samples => sink.onSound?.(samples)) }),
      onFrameTime: atSec => pairs.takeTime(atSec),
    },
  }
}
