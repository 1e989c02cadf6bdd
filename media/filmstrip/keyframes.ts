import { EncodedPacketSink } from 'mediabunny'
import type { OpenedMedia } from '../source/open-source.ts'
import { readingMedia } from '../source/reading-media.ts'

/** Most keyframes of one list: one a second for the longest media. */
const keyframesMax = 43_200

/**
 * When the keyframes of media are, on its timeline, in order; as its container says it, without decoding. Keyframes may
 * be many (of some codecs every frame is one): from 43,200 on they are left out.
 * @returns null when there is no picture
 */
export async function keyframesOf(
  { video, zeroSec }: Pick<OpenedMedia, 'video' | 'zeroSec'>,
  signal?: AbortSignal,
): Promise<number[] | null> {
  if (!video) return null
  return readingMedia(signal, async () => {
    const sink = new EncodedPacketSink(video)
    const options = { metadataOnly: true }
    const found: number[] = []
    let packet = await sink.getFirstKeyPacket(options)
    while (packet && found.length < keyframesMax) {
      signal?.throwIfAborted()
      if (packet.timestamp >= zeroSec) found.push(packet.timestamp - zeroSec)
      packet = await sink.getNextKeyPacket(packet, options)
    }
    return found
  })
}
