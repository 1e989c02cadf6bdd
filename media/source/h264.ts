/**
 * What must be known of H.264 to join two encodings in one file and to feed pictures to a decoder: the parameter sets
 * (ITU-T H.264, 7.3.2) and the record that carries them in MP4 (ISO/IEC 14496-15, 5.3.3).
 */
import type { InputVideoTrack } from 'mediabunny'

/** The decoder configuration of a track, taken apart. */
export interface AvcConfig {
  /** Profile, compatibility and level, as they stand in the record. */
  readonly header: Uint8Array
  /** Bytes of the length in front of each unit of a packet: 1, 2 or 4. */
  readonly lengthBytes: number
  readonly sequenceSets: readonly Uint8Array[]
  readonly pictureSets: readonly Uint8Array[]
  /** What profiles from High on append. */
  readonly extension: Uint8Array
}

/** What of a sequence parameter set decides whether another encoding can be joined to it. */
export interface SequenceSet {
  readonly id: number
  readonly profileIdc: number
  readonly chromaFormat: number
  readonly bitDepth: number
  /** Whether pictures are whole frames, never fields. */
  readonly isProgressive: boolean
}

export const idrUnit = 5
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])
const startCode = Uint8Array.of(0, 0, 0, 1)

/** The configuration of a track of H.264; null of others, and of streams that carry it within. */
export async function avcConfigOf(track: InputVideoTrack): Promise<AvcConfig | null> {
  const description = (await track.getCodec()) === 'avc' ? (await track.getDecoderConfig())?.description : undefined
  if (description === undefined) return null
  const isView = ArrayBuffer.isView(description)
  return parseAvcConfig(
    isView
      ? new Uint8Array(description.buffer, description.byteOffset, description.byteLength)
      : new Uint8Array(description),
  )
}

/** @returns null when the record is damaged */
export function parseAvcConfig(record: Uint8Array): AvcConfig | null {
  const cursor = { at: 6 }
  const sets = (count: number): Uint8Array[] | null => {
    const found: Uint8Array[] = []
    for (let index = 0; index < count; index += 1) {
      const length = ((record[cursor.at] ?? 0) << 8) | (record[cursor.at + 1] ?? 0)
      const end = cursor.at + 2 + length
      if (length === 0 || end > record.length) return null
      found.push(record.subarray(cursor.at + 2, end))
      cursor.at = end
    }
    return found
  }
  if (record.length < 7 || record[0] !== 1) return null
  const sequenceSets = sets((record[5] ?? 0) & 0x1f)
  const pictureCount = record[cursor.at] ?? 0
  cursor.at += 1
  const pictureSets = sequenceSets && sets(pictureCount)
  if (!sequenceSets || !pictureSets) return null
  return {
    header: record.subarray(1, 4),
    lengthBytes: ((record[4] ?? 0) & 3) + 1,
    sequenceSets,
    pictureSets,
    extension: record.subarray(cursor.at),
  }
}

/** The record of a track whose packets use the sets of several encodings: the first one's header, and all sets. */
export function mergedAvcConfig(first: AvcConfig, others: readonly AvcConfig[]): Uint8Array {
  const sets = (list: readonly Uint8Array[]): Uint8Array[] =>
    list.flatMap(set => [Uint8Array.of(set.length >> 8, set.length & 0xff), set])
  const sequenceSets = [first, ...others].flatMap(config => config.sequenceSets)
  const pictureSets = [first, ...others].flatMap(config => config.pictureSets)
  return Buffer.concat([
    Uint8Array.of(1),
    first.header,
    Uint8Array.of(0xfc | (first.lengthBytes - 1), 0xe0 | sequenceSets.length),
    ...sets(sequenceSets),
    Uint8Array.of(pictureSets.length),
    ...sets(pictureSets),
    first.extension,
  ])
}

/** @param unit with its header byte; damaged ones give numbers without meaning, never an error */
export function parseSequenceSet(unit: Uint8Array): SequenceSet {
  const bits = new Bits(withoutEmulation(unit.subarray(4)))
  const profileIdc = unit[1] ?? 0
  const id = bits.unsigned()
  const isHigh = highProfiles.has(profileIdc)
  const chromaFormat = isHigh ? bits.unsigned() : 1
  if (chromaFormat === 3) bits.read(1)
  const bitDepth = isHigh ? 8 + Math.max(bits.unsigned(), bits.unsigned()) : 8
  if (isHigh) {
    bits.read(1)
    if (bits.read(1) === 1) skipScalingLists(bits, chromaFormat === 3 ? 12 : 8)
  }
  bits.unsigned()
  skipPictureOrder(bits)
  bits.unsigned()
  bits.read(1)
  bits.unsigned()
  bits.unsigned()
  return { id, profileIdc, chromaFormat, bitDepth, isProgressive: bits.read(1) === 1 }
}

/** The id of a picture parameter set. */
export function pictureSetId(unit: Uint8Array): number {
  return new Bits(withoutEmulation(unit.subarray(1))).unsigned()
}

/** The types of the units in a packet with lengths in front of them. */
export function unitTypes(packet: Uint8Array, lengthBytes: number): number[] {
  return units(packet, lengthBytes).map(unit => (unit[0] ?? 0) & 0x1f)
}

/** A packet with start codes in place of lengths, as a bare stream has it; keyframes with the parameter sets in front. */
export function annexB(packet: Uint8Array, config: AvcConfig, isKey: boolean): Uint8Array {
  const sets = isKey ? [...config.sequenceSets, ...config.pictureSets] : []
  return Buffer.concat([...sets, ...units(packet, config.lengthBytes)].flatMap(unit => [startCode, unit]))
}

function units(packet: Uint8Array, lengthBytes: number): Uint8Array[] {
  const found: Uint8Array[] = []
  for (let at = 0; at + lengthBytes < packet.length; ) {
    let length = 0
    for (let index = 0; index < lengthBytes; index += 1) length = length * 256 + (packet[at + index] ?? 0)
    const start = at + lengthBytes
    if (length === 0 || start + length > packet.length) break
    found.push(packet.subarray(start, start + length))
    at = start + length
  }
  return found
}

function skipScalingLists(bits: Bits, count: number): void {
  for (let list = 0; list < count; list += 1) {
    if (bits.read(1) === 0) continue
    const size = list < 6 ? 16 : 64
    let last = 8
    for (let index = 0, next = 8; index < size && next !== 0; index += 1) {
      next = (last + bits.signed() + 256) % 256
      last = next === 0 ? last : next
    }
  }
}

function skipPictureOrder(bits: Bits): void {
  const kind = bits.unsigned()
  if (kind === 0) bits.unsigned()
  if (kind !== 1) return
  bits.read(1)
  bits.signed()
  bits.signed()
  const count = Math.min(255, bits.unsigned())
  for (let index = 0; index < count; index += 1) bits.signed()
}

/** Without the bytes that keep data from looking like a start code. */
function withoutEmulation(unit: Uint8Array): Uint8Array {
  return unit.filter((byte, index) => !(byte === 3 && index >= 2 && unit[index - 1] === 0 && unit[index - 2] === 0))
}

/** Reads bits from the left; beyond the end there are zeros. */
class Bits {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  read(count: number): number {
    let value = 0
    for (let index = 0; index < count; index += 1, this.#at += 1)
      value = value * 2 + (((this.#bytes[this.#at >> 3] ?? 0) >> (7 - (this.#at & 7))) & 1)
    return value
  }

  /** Exp-Golomb, ue(v). */
  unsigned(): number {
    let zeros = 0
    while (zeros < 32 && this.read(1) === 0) zeros += 1
    return 2 ** zeros - 1 + this.read(zeros)
  }

  /** se(v). */
  signed(): number {
    const code = this.unsigned()
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2
  }
}
