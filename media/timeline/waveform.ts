/**
 * The shape of a file's sound for drawing at any zoom without reading the media again: the least and the greatest
 * sample of every hundredth of a second, and levels above it that each join four steps of the one below. One byte a
 * number: about 0.96 MB an hour.
 *
 * As bytes: a 12-byte head (`CTWF`, format 1, steps a second, join factor, a zero, number of steps of the finest
 * level), then the levels, finest first; each is its steps' pairs of least and greatest as int8.
 */

/** Steps a second of the finest level. */
export const waveformRateHz = 100
const joinFactor = 4
const headBytes = 12
const magic = 0x43545746
const formatVersion = 1

/** Pairs of least and greatest, -127 to 127, interleaved. */
export interface WaveformLevel {
  readonly stepSec: number
  readonly minMax: Int8Array
}

/** From the media's beginning. */
export interface Waveform {
  /** Finest first; the last has at most four steps. */
  readonly levels: readonly WaveformLevel[]
}

export interface WaveformBuilder {
  push(samples: Int16Array): void
  finish(): Waveform
}

/** @param rateHz samples a second; a multiple of 100 */
export function waveformBuilder(rateHz: number): WaveformBuilder {
  const stepSamples = rateHz / waveformRateHz
  let pairs = new Int8Array(8192)
  let length = 0
  let inStep = 0
  let least = 0
  let greatest = 0
  const endStep = () => {
    if (length + 2 > pairs.length) {
      const larger = new Int8Array(pairs.length * 2)
      larger.set(pairs)
      pairs = larger
    }
    pairs[length++] = toByte(least)
    pairs[length++] = toByte(greatest)
    inStep = 0
  }
  return {
    push(samples) {
      for (const sample of samples) {
        if (inStep === 0) {
          least = sample
          greatest = sample
        } else if (sample < least) least = sample
        else if (sample > greatest) greatest = sample
        if (++inStep === stepSamples) endStep()
      }
    },
    finish() {
      if (inStep > 0) endStep()
      return { levels: pyramid(pairs.slice(0, length)) }
    },
  }
}

/** A spike stays a spike: away from zero, never towards it. */
function toByte(sample: number): number {
  const scaled = (sample * 127) / 32_768
  return sample < 0 ? Math.floor(scaled) : Math.ceil(scaled)
}

function pyramid(finest: Int8Array): WaveformLevel[] {
  const levels = [{ stepSec: 1 / waveformRateHz, minMax: finest }]
  for (let below = levels[0]; below && below.minMax.length > 2 * joinFactor; below = levels.at(-1)) {
    levels.push({ stepSec: below.stepSec * joinFactor, minMax: joined(below.minMax) })
  }
  return levels
}

function joined(below: Int8Array): Int8Array<ArrayBuffer> {
  const stepCount = Math.ceil(below.length / 2 / joinFactor)
  const above = new Int8Array(stepCount * 2)
  for (let step = 0; step < stepCount; step += 1) {
    const part = below.subarray(step * joinFactor * 2, (step + 1) * joinFactor * 2)
    above[step * 2] = part.reduce((least, value) => Math.min(least, value), 127)
    above[step * 2 + 1] = part.reduce((greatest, value) => Math.max(greatest, value), -127)
  }
  return above
}

/** The coarsest level that still has at least `stepCountMin` steps, or the finest. */
export function levelFor(waveform: Waveform, stepCountMin: number): WaveformLevel {
  const fitting = waveform.levels.findLast(level => level.minMax.length / 2 >= stepCountMin) ?? waveform.levels[0]
  return fitting ?? { stepSec: 1 / waveformRateHz, minMax: new Int8Array(0) }
}

export function writeWaveform(waveform: Waveform): Uint8Array {
  const levelsBytes = waveform.levels.reduce((sum, level) => sum + level.minMax.length, 0)
  const bytes = new Uint8Array(headBytes + levelsBytes)
  const head = new DataView(bytes.buffer)
  head.setUint32(0, magic)
  head.setUint8(4, formatVersion)
  head.setUint8(5, waveformRateHz)
  head.setUint8(6, joinFactor)
  head.setUint32(8, (waveform.levels[0]?.minMax.length ?? 0) / 2)
  let at = headBytes
  for (const { minMax } of waveform.levels) {
    bytes.set(new Uint8Array(minMax.buffer, minMax.byteOffset, minMax.length), at)
    at += minMax.length
  }
  return bytes
}

/** @returns null when the bytes are not a waveform of this format */
export function readWaveform(bytes: Uint8Array): Waveform | null {
  const head = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < headBytes || head.getUint32(0) !== magic || head.getUint8(4) !== formatVersion) return null
  const stepCount = head.getUint32(8)
  if (bytes.length < headBytes + stepCount * 2) return null
  const finest = new Int8Array(bytes.slice(headBytes, headBytes + stepCount * 2).buffer)
  return { levels: pyramid(finest) }
}
