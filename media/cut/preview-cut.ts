import { EncodedPacketSink } from 'mediabunny'
import type { OpenedMedia } from '../source/open-source.ts'
import type { CutJob } from './cut-clip.ts'
import { endOf, framesBetween, type PicturePacket } from './frames.ts'
import { keyPacketAt, known, picturePackets } from './span.ts'
import { pictureContainer, type TierRequest, type TierResult } from './tier.ts'
import { writeClip } from './write-clip.ts'
import { shifted } from './write-packets.ts'

/**
 * A copy at once, without decoding. The file begins at the keyframe before the start and says that what comes before
 * the start is not shown; a player that ignores this begins early, with picture and sound together.
 */
export async function previewCut(
  _deps: unknown,
  media: OpenedMedia,
  request: TierRequest,
  job: CutJob,
): Promise<TierResult> {
  const container = pictureContainer(request.options.container)
  const video = known(media.video)
  const sink = new EncodedPacketSink(video)
  const key = await keyPacketAt(sink, request.startSec)
  const packets: PicturePacket[] = []
  // Their times are enough, which most containers have in one place.
  for await (const packet of picturePackets(sink, key, request.endSec, { metadataOnly: true })) {
    job.signal?.throwIfAborted()
    packets.push({ atSec: packet.timestamp, durationSec: packet.duration, isKey: packet.type === 'key' })
  }
  const frames = framesBetween(packets, request.startSec, request.endSec)
  const copiedCount = 1 + Math.max(...frames.map(frame => frame.packetIndex))
  const startSec = container === 'mkv' ? key.timestamp : frames[0].shownAtSec
  const endSec = Math.max(
    endOf(frames),
    ...packets.slice(0, copiedCount).map(packet => packet.atSec + packet.durationSec),
  )
  const copied = async function* () {
    let count = 0
    for await (const packet of picturePackets(sink, key, request.endSec, {})) {
      job.signal?.throwIfAborted()
      if (count === copiedCount) return
      count += 1
      yield shifted(packet, -startSec)
    }
  }
  const soundSink = media.audio && new EncodedPacketSink(media.audio)
  const { path, bytes } = await writeClip(job.folder, container, {
    picture: {
      codec: known(await video.getCodec()),
      config: known(await video.getDecoderConfig()),
      matrix: await video.getTransformationMatrix(),
      packetCountMax: copiedCount,
      packets: copied(),
    },
    sound: media.audio && {
      track: media.audio,
      from: soundSink && (await soundSink.getPacket(key.timestamp)),
      zeroSec: startSec,
      endSec: endSec - startSec,
    },
  })
  const shownCount = packets.slice(0, copiedCount).filter(packet => packet.atSec >= startSec).length
  return {
    path,
    tier: 'preview',
    actual: { startSec, endSec },
    frameCount: shownCount,
    encodedFrameCount: 0,
    container,
    bytes,
    avOffsetMs: media.audio === null ? null : 0,
    cpuSec: 0,
    notes: request.options.crop === null ? [] : ['A copy cannot be cropped: ask for an exact cut.'],
  }
}
