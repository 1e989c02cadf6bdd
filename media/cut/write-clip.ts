import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type EncodedPacket,
  EncodedPacketSink,
  FilePathTarget,
  type InputAudioTrack,
  MkvOutputFormat,
  MovOutputFormat,
  Mp4OutputFormat,
  Output,
  type OutputFormat,
  type TransformationMatrix,
  type VideoCodec,
} from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import { known, packetsFrom } from './span.ts'
import { audioTrack, shifted, videoTrack, writeInterleaved } from './write-packets.ts'

/** The picture of a clip, from time 0, in the order of decoding. */
export interface ClipPicture {
  readonly codec: VideoCodec
  readonly config: VideoDecoderConfig
  readonly matrix: TransformationMatrix
  readonly packetCountMax: number
  readonly packets: AsyncIterable<EncodedPacket>
}

/** The sound of a clip: packets of a track from one of them on, whose clock is set back. */
export interface ClipSound {
  readonly track: InputAudioTrack
  readonly from: EncodedPacket | null
  /** What the clock of the track shows when the clip begins. */
  readonly zeroSec: number
  /** On the clip's clock. */
  readonly endSec: number
}

export type ClipContainer = 'mp4' | 'mov' | 'mkv'

/**
 * Writes the clip as `clip.<container>` into the folder. MP4 and MOV carry what comes before time 0 as not shown;
 * Matroska cannot, so sound before it is left out there.
 *
 * @throws AppError BAD_REQUEST when the container does not take the codecs
 */
export async function writeClip(
  folder: string,
  container: ClipContainer,
  clip: { readonly picture: ClipPicture; readonly sound: ClipSound | null },
): Promise<{ path: string; bytes: number }> {
  const format = formatOf(container)
  const path = join(folder, `clip.${container}`)
  const output = new Output({ format, target: new FilePathTarget(path) })
  const { picture, sound } = clip
  checkCodec(format, container, picture.codec)
  const tracks = [videoTrack(output, picture)]
  if (sound) {
    const codec = known(await sound.track.getCodec())
    checkCodec(format, container, codec)
    tracks.push(
      audioTrack(output, {
        codec,
        config: known(await sound.track.getDecoderConfig()),
        packetCountMax: await soundPacketCount(sound),
        packets: soundPackets(sound, container),
      }),
    )
  }
  await writeInterleaved(output, tracks)
  return { path, bytes: (await stat(path)).size }
}

async function* soundPackets(sound: ClipSound, container: ClipContainer): AsyncGenerator<EncodedPacket> {
  const sink = new EncodedPacketSink(sound.track)
  for await (const packet of packetsFrom(sink, sound.from ?? (await sink.getFirstPacket()))) {
    const own = shifted(packet, -sound.zeroSec)
    if (own.timestamp >= sound.endSec) return
    if (container !== 'mkv' || own.timestamp >= 0) yield own
  }
}

/** With room to spare: the tables in front of the file are as long as this says. */
async function soundPacketCount(sound: ClipSound): Promise<number> {
  const { averagePacketRate } = await sound.track.computePacketStats(100)
  const packetsPerSec = Number.isFinite(averagePacketRate) && averagePacketRate > 0 ? averagePacketRate : 100
  const durationSec = sound.endSec + Math.max(0, sound.zeroSec - (sound.from?.timestamp ?? 0))
  return Math.ceil(packetsPerSec * durationSec * 1.5) + 100
}

function formatOf(container: ClipContainer): OutputFormat {
  switch (container) {
    case 'mp4':
      return new Mp4OutputFormat({ fastStart: 'reserve' })
    case 'mov':
      return new MovOutputFormat({ fastStart: 'reserve' })
    case 'mkv':
      return new MkvOutputFormat()
  }
}

function checkCodec(format: OutputFormat, container: ClipContainer, codec: string): void {
  if (format.getSupportedCodecs().some(supported => supported === codec)) return
  throw new AppError(
    'BAD_REQUEST',
    `A copy of this media cannot be put into ${container} (${codec}): choose mkv, or an exact cut.`,
  )
}
