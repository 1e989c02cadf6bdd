import { join } from 'node:path'
import {
  type EncodedPacket,
  EncodedPacketSink,
  FilePathTarget,
  Mp4OutputFormat,
  Output,
  type PacketRetrievalOptions,
} from 'mediabunny'
import { AppError } from '../../contracts/errors.ts'
import { mediaLimits } from '../../contracts/media.ts'
import type { OpenedMedia } from '../source/open-source.ts'
import type { PicturePacket } from './frames.ts'
import { audioTrack, type PacketTrack, shifted, videoTrack, writeInterleaved } from './write-packets.ts'

/** Twelve hours of 60 frames a second and their sound. */
const packetsMax = 5_000_000
/** Decoders of sound need a little of what was before. */
const soundBeforeSec = 0.15
const soundAfterSec = 0.15
/** No codec shows a picture after more than so many that were decoded behind it. */
const reorderedMax = 16

/** A part of a source, copied into a file of its own that begins at a keyframe. */
export interface Span {
  /** Absolute, in the job's folder: MP4, whatever the source was. */
  readonly path: string
  /** What the clock of the source shows when the clock of this file shows 0. */
  readonly baseSec: number
  /** Of the picture, in the order of decoding, on this file's clock. */
  readonly packets: readonly PicturePacket[]
  readonly hasSound: boolean
}

/**
 * Copies what is needed to show every frame from `startSec` to `endSec`, on the clock of the source, with its sound.
 * Everything further works on this copy: the source is read once, and engines see a short plain file.
 *
 * @throws AppError BAD_REQUEST when there is no keyframe to begin with, or the keyframes are too far apart
 */
export async function takeSpan(
  media: OpenedMedia,
  wanted: {
    readonly startSec: number
    readonly endSec: number
    readonly withPicture: boolean
    /** A little before the start unless told. */
    readonly soundFromSec?: number
  },
  job: { readonly folder: string; readonly signal: AbortSignal | undefined },
): Promise<Span> {
  const packets: PicturePacket[] = []
  const path = join(job.folder, 'span.mp4')
  const copied = await copyPackets(media, wanted, {
    path,
    format: new Mp4OutputFormat({ fastStart: false }),
    signal: job.signal,
    onPicture: ({ timestamp, duration, type }) =>
      packets.push({ atSec: timestamp, durationSec: duration, isKey: type === 'key' }),
  })
  return { path, packets, ...copied }
}

/**
 * Copies all of a source that is no single file into one. Memory does not grow with its length.
 * @param job.take told of each few bytes before they are written
 * @returns what the clock of the source shows when the clock of the file shows 0
 */
export async function takeWhole(
  media: OpenedMedia,
  job: { readonly path: string; readonly signal: AbortSignal; readonly take: (bytes: number) => Promise<void> },
): Promise<{ readonly baseSec: number }> {
  return await copyPackets(
    media,
    { startSec: media.zeroSec, endSec: Number.MAX_SAFE_INTEGER, withPicture: true },
    { ...job, format: new Mp4OutputFormat({ fastStart: 'fragmented' }) },
  )
}

interface CopyJob {
  readonly path: string
  readonly format: Mp4OutputFormat
  readonly signal: AbortSignal | undefined
  /** Each packet of the picture, on the clock of the copy. */
  readonly onPicture?: (packet: EncodedPacket) => void
  readonly take?: (bytes: number) => Promise<void>
}

async function copyPackets(
  media: OpenedMedia,
  wanted: Parameters<typeof takeSpan>[1],
  { path, format, signal, onPicture, take }: CopyJob,
): Promise<Pick<Span, 'baseSec' | 'hasSound'>> {
  const { startSec, endSec, soundFromSec = startSec - soundBeforeSec } = wanted
  media.willRead(wanted)
  const video = wanted.withPicture ? media.video : null
  const videoSink = video && new EncodedPacketSink(video)
  const key = videoSink && (await keyPacketAt(videoSink, startSec))
  const audioSink = media.audio && new EncodedPacketSink(media.audio)
  const firstSound = audioSink && (await firstSoundAt(audioSink, soundFromSec, endSec))
  const baseSec = Math.min(key?.timestamp ?? startSec, firstSound?.timestamp ?? startSec)

  // From the keyframe on, which may be long before the start.
  media.willRead({ startSec: baseSec, endSec })

  const output = new Output({ format, target: new FilePathTarget(path) })
  const tracks: PacketTrack[] = []
  const limits = { bytes: 0, count: 0 }
  const check = async (packet: EncodedPacket): Promise<void> => {
    signal?.throwIfAborted()
    keepWithin(limits, packet)
    await take?.(packet.byteLength)
  }
  if (video && videoSink && key) {
    const copied = async function* (): AsyncGenerator<EncodedPacket> {
      for await (const packet of picturePackets(videoSink, key, endSec)) {
        await check(packet)
        const own = shifted(packet, -baseSec)
        onPicture?.(own)
        yield own
      }
    }
    const [codec, config] = [known(await video.getCodec()), known(await video.getDecoderConfig())]
    tracks.push(videoTrack(output, { codec, config, matrix: await video.getTransformationMatrix(), packets: copied() }))
  }
  if (media.audio && audioSink && firstSound) {
    const copied = async function* (): AsyncGenerator<EncodedPacket> {
      for await (const packet of packetsFrom(audioSink, firstSound)) {
        if (packet.timestamp >= endSec + soundAfterSec) return
        await check(packet)
        yield shifted(packet, -baseSec)
      }
    }
    const [codec, config] = [known(await media.audio.getCodec()), known(await media.audio.getDecoderConfig())]
    tracks.push(audioTrack(output, { codec, config, packets: copied() }))
  }
  await writeInterleaved(output, tracks)
  return { baseSec, hasSound: firstSound !== null }
}

/**
 * Packets of the picture in the order of decoding, from a keyframe to the last that is needed for what is shown before
 * `endSec`. What is shown before the first keyframe is left out: it cannot be decoded from there.
 * @param options by default packets are looked into for what is a keyframe: containers can be wrong about that
 */
export async function* picturePackets(
  sink: EncodedPacketSink,
  key: EncodedPacket,
  endSec: number,
  options: PacketRetrievalOptions = { verifyKeyPackets: true },
): AsyncGenerator<EncodedPacket> {
  // A keyframe after the end, held back until it is known whether frames before the end are made from it.
  let held: EncodedPacket | null = null
  let afterEndCount = 0
  for await (const packet of packetsFrom(sink, key, options)) {
    if (packet.timestamp < key.timestamp) continue
    if (packet.timestamp >= endSec) afterEndCount += 1
    if (afterEndCount > reorderedMax) return
    if (held !== null) {
      if (packet.timestamp >= endSec) return
      yield held
      held = null
    }
    if (packet.type === 'key' && packet.timestamp >= endSec) held = packet
    else yield packet
  }
}

/** The packets of a track from one of them on, each read when it is asked for: the library's own way reads on. */
export async function* packetsFrom(
  sink: EncodedPacketSink,
  first: EncodedPacket | null,
  options: PacketRetrievalOptions = {},
): AsyncGenerator<EncodedPacket> {
  for (let packet = first; packet !== null; packet = await sink.getNextPacket(packet, options)) yield packet
}

/**
 * The keyframe from which the frame at a time can be decoded; the first one when the time is before it.
 * @throws AppError BAD_REQUEST when there is none
 */
export async function keyPacketAt(sink: EncodedPacketSink, atSec: number): Promise<EncodedPacket> {
  const options = { verifyKeyPackets: true }
  const key = (await sink.getKeyPacket(atSec + 0.001, options)) ?? (await sink.getFirstKeyPacket(options))
  if (key === null) throw new AppError('BAD_REQUEST', 'The picture has no keyframe to begin with.')
  return key
}

async function firstSoundAt(sink: EncodedPacketSink, fromSec: number, endSec: number): Promise<EncodedPacket | null> {
  const packet = (await sink.getPacket(fromSec)) ?? (await sink.getFirstPacket())
  return packet !== null && packet.timestamp < endSec ? packet : null
}

/** What the opened tracks were chosen by. */
export function known<T>(value: T | null): T {
  if (value === null) throw new AppError('BAD_REQUEST', 'The file has a codec that is not known.')
  return value
}

function keepWithin(limits: { bytes: number; count: number }, packet: EncodedPacket): void {
  limits.bytes += packet.byteLength
  limits.count += 1
  if (limits.bytes > mediaLimits.bytesMax || limits.count > packetsMax)
    throw new AppError('BAD_REQUEST', 'This part of the media is too large to cut: choose a shorter one.')
}
