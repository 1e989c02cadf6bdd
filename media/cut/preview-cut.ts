import { EncodedPacketSink, type InputAudioTrack, type InputVideoTrack } from 'mediabunny'
import type { OpenedMedia } from '../source/open-source.ts'
import type { CutJob } from './cut-clip.ts'
import { endOf, framesBetween, type PicturePacket } from './frames.ts'
import { keyPacketAt, known, picturePackets, takeSpan } from './span.ts'
import { pictureContainer, type TierRequest, type TierResult } from './tier.ts'
import { writeClip } from './write-clip.ts'
import { shifted } from './write-packets.ts'
import { openWrittenFile } from './written-file.ts'

/** The sound of a part begins about with its keyframe: what is before that is in the part before. */
const soundPacketSec = 0.03

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
  const video = known(media.video)
  media.willRead(request)
  const key = await keyPacketAt(new EncodedPacketSink(video), request.startSec)
  if (media.bytes !== null) {
    media.willRead({ startSec: key.timestamp, endSec: request.endSec })
    return await copyFrames({ video, audio: media.audio }, request, job)
  }
  // Times, pictures and sound are read one after the other: of a stream each would fetch its parts again.
  const span = await takeSpan(
    media,
    {
      ...{ startSec: key.timestamp, endSec: request.endSec, withPicture: true },
      soundFromSec: key.timestamp + soundPacketSec,
    },
    { folder: job.folder, signal: job.signal },
  )
  const file = await openWrittenFile(span.path)
  try {
    const times = { startSec: request.startSec - span.baseSec, endSec: request.endSec - span.baseSec }
    const made = await copyFrames({ video: known(file.video), audio: file.audio }, { ...request, ...times }, job)
    const { startSec, endSec } = made.actual
    return { ...made, actual: { startSec: startSec + span.baseSec, endSec: endSec + span.baseSec } }
  } finally {
    file.close()
  }
}

async function copyFrames(
  { video, audio }: { readonly video: InputVideoTrack; readonly audio: InputAudioTrack | null },
  request: TierRequest,
  job: CutJob,
): Promise<TierResult> {
  const container = pictureContainer(request.options.container)
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
  const soundSink = audio && new EncodedPacketSink(audio)
  const { path, bytes } = await writeClip(job.folder, container, {
    picture: {
      codec: known(await video.getCodec()),
      config: known(await video.getDecoderConfig()),
      matrix: await video.getTransformationMatrix(),
      packetCountMax: copiedCount,
      packets: copied(),
    },
    sound: audio && {
      track: audio,
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
    avOffsetMs: audio === null ? null : 0,
    cpuSec: 0,
    notes: request.options.crop === null ? [] : ['A copy cannot be cropped: ask for an exact cut.'],
  }
}
