import { endianness } from 'node:os'
import type { Readable } from 'node:stream'
import { AppError } from '../../contracts/errors.ts'
import type { DecodedFrame } from './port.ts'

const wordBytesMax = 2 * 1024 * 1024

interface FrameSize {
  readonly widthPx: number
  readonly heightPx: number
  readonly pixels: 'rgb24' | 'gray'
}

/** The bytes of one frame of raw pixels. */
export function frameBytes(size: FrameSize): number {
  return size.widthPx * size.heightPx * (size.pixels === 'gray' ? 1 : 3)
}

/** Cuts a stream of raw pixels into frames, one after the other; what is left at the end is no frame. */
export async function readFrames(
  stream: Readable,
  size: FrameSize,
  take: (pixels: Uint8Array) => Promise<void>,
): Promise<void> {
  const bytes = frameBytes(size)
  let frame = new Uint8Array(bytes)
  let filled = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk)
    for (let offset = 0; offset < part.length; ) {
      const count = Math.min(bytes - filled, part.length - offset)
      frame.set(part.subarray(offset, offset + count), filled)
      filled += count
      offset += count
      if (filled < bytes) continue
      await take(frame)
      frame = new Uint8Array(bytes)
      filled = 0
    }
  }
}

/** Cuts a stream of 16-bit samples at whole ones: a chunk may end in the middle. */
export async function readSamples(stream: Readable, take: (samples: Int16Array) => Promise<void>): Promise<void> {
  let left = Buffer.alloc(0)
  for await (const chunk of stream) {
    const bytes = Buffer.concat([left, Buffer.from(chunk)])
    const wholeBytes = bytes.length - (bytes.length % 2)
    left = bytes.subarray(wholeBytes)
    if (wholeBytes > 0) await take(samplesOf(bytes.subarray(0, wholeBytes)))
  }
}

/** Engines write the lower byte first, as nearly all machines do; a copy, because samples must lie at even addresses. */
function samplesOf(bytes: Buffer): Int16Array {
  const copy = new Uint8Array(bytes)
  if (endianness() === 'BE') Buffer.from(copy.buffer).swap16()
  return new Int16Array(copy.buffer)
}

/**
 * Reads a stream of 32-bit words, lower byte first, whole.
 * @throws AppError BAD_REQUEST when there are more than a fingerprint of an hour has
 */
export async function readWords(stream: Readable): Promise<Uint32Array<ArrayBuffer>> {
  const parts: Buffer[] = []
  let byteCount = 0
  for await (const chunk of stream) {
    const part = Buffer.from(chunk)
    byteCount += part.length
    if (byteCount > wordBytesMax) throw new AppError('BAD_REQUEST', 'The sound is too long for a fingerprint.')
    parts.push(part)
  }
  const bytes = Buffer.concat(parts)
  return Uint32Array.from({ length: bytes.length >> 2 }, (_, index) => bytes.readUInt32LE(index * 4))
}

/** A picture is complete for a parser when the next one begins: an access unit delimiter begins one. */
const accessUnitDelimiter = Uint8Array.of(0, 0, 0, 1, 9, 0xf0)

/** Pictures of a bare stream, each marked as complete at once. */
export async function* delimited(pictures: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const picture of pictures) yield Buffer.concat([picture, accessUnitDelimiter])
}

/** Brings together the frames of one pipe and their times, which come by another: the n-th with the n-th. */
export class FramePairs {
  readonly #withoutTimes: boolean
  readonly #times: number[] = []
  #timesRead = 0
  #isOver = false
  #wake: () => void = () => undefined

  /** @param withoutTimes whether the frames have none, as those of a bare stream */
  constructor(withoutTimes: boolean) {
    this.#withoutTimes = withoutTimes
  }

  /** The next time, in seconds; null when there are no more. */
  takeTime(atSec: number | null): void {
    if (atSec === null) this.#isOver = true
    else this.#times.push(atSec)
    this.#wake()
  }

  async next(pixels: Uint8Array): Promise<DecodedFrame> {
    if (this.#withoutTimes) return { atSec: null, pixels }
    const index = this.#timesRead
    this.#timesRead += 1
    while (index >= this.#times.length && !this.#isOver) {
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    return { atSec: this.#times[index] ?? null, pixels }
  }
}
