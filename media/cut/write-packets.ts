import {
  type AudioCodec,
  EncodedAudioPacketSource,
  type EncodedPacket,
  EncodedVideoPacketSource,
  type Output,
  type TransformationMatrix,
  type VideoCodec,
} from 'mediabunny'

/** Packets on their way into a track of an output, in the order of decoding. */
export interface PacketTrack {
  readonly packets: AsyncIterable<EncodedPacket>
  add(packet: EncodedPacket, isFirst: boolean): Promise<void>
}

/** Adds a track of pictures to an output that is not started. */
export function videoTrack(
  output: Output,
  track: {
    readonly codec: VideoCodec
    readonly config: VideoDecoderConfig
    readonly matrix: TransformationMatrix
    readonly packetCountMax?: number
    readonly packets: AsyncIterable<EncodedPacket>
  },
): PacketTrack {
  const source = new EncodedVideoPacketSource(track.codec)
  output.addVideoTrack(source, { transformationMatrix: track.matrix, ...reserved(track.packetCountMax) })
  const add = (packet: EncodedPacket, isFirst: boolean) =>
    source.add(packet, isFirst ? { decoderConfig: track.config } : undefined)
  return { packets: track.packets, add }
}

/** Adds a track of sound to an output that is not started. */
export function audioTrack(
  output: Output,
  track: {
    readonly codec: AudioCodec
    readonly config: AudioDecoderConfig
    readonly packetCountMax?: number
    readonly packets: AsyncIterable<EncodedPacket>
  },
): PacketTrack {
  const source = new EncodedAudioPacketSource(track.codec)
  output.addAudioTrack(source, reserved(track.packetCountMax))
  let lastSec = Number.NEGATIVE_INFINITY
  const add = (packet: EncodedPacket, isFirst: boolean) => {
    // Where recordings were joined, the sound of one may reach a few milliseconds into the next.
    lastSec = Math.max(lastSec, packet.timestamp)
    const inOrder = packet.timestamp === lastSec ? packet : packet.clone({ timestamp: lastSec })
    return source.add(inOrder, isFirst ? { decoderConfig: track.config } : undefined)
  }
  return { packets: track.packets, add }
}

function reserved(maximumPacketCount: number | undefined): { maximumPacketCount?: number } {
  return maximumPacketCount === undefined ? {} : { maximumPacketCount }
}

/** The same packet at another time. */
export function shifted(packet: EncodedPacket, bySec: number): EncodedPacket {
  return packet.clone({ timestamp: packet.timestamp + bySec })
}

/**
 * Writes a file from packets of its tracks, always the one that is due next, so that neither waits in memory for the
 * other. The output has its tracks; it is started and finished here, and cancelled on an error.
 */
export async function writeInterleaved(output: Output, tracks: readonly PacketTrack[]): Promise<void> {
  await output.start()
  try {
    const queues = await Promise.all(tracks.map(openQueue))
    for (;;) {
      const due = queues
        .filter(queue => queue.next !== null)
        .reduce<Queue | null>(
          (first, queue) => (first === null || queue.reachedSec < first.reachedSec ? queue : first),
          null,
        )
      if (due === null) break
      await due.write()
    }
    await output.finalize()
  } catch (error) {
    await output.cancel()
    throw error
  }
}

interface Queue {
  next: EncodedPacket | null
  /** The greatest time so far. */
  reachedSec: number
  write(): Promise<void>
}

async function openQueue(track: PacketTrack): Promise<Queue> {
  const packets = track.packets[Symbol.asyncIterator]()
  const read = async (): Promise<EncodedPacket | null> => {
    const { value, done } = await packets.next()
    return done ? null : value
  }
  let isFirst = true
  const queue: Queue = {
    next: await read(),
    reachedSec: Number.NEGATIVE_INFINITY,
    async write() {
      if (queue.next === null) return
      await track.add(queue.next, isFirst)
      isFirst = false
      queue.reachedSec = Math.max(queue.reachedSec, queue.next.timestamp)
      queue.next = await read()
    },
  }
  return queue
}
