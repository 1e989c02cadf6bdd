import { type WaveformBuilder, waveformBuilder } from './waveform.ts'

/** Samples a second of the sound that is measured, mono. */
export const meteredRateHz = 8000
/** Length of one energy step, seconds. */
export const energyStepSec = 0.1

const stepSamples = meteredRateHz * energyStepSec
const fullScale = 32_768
const floorDbfs = -100
/** The band in which speech has most of its power. */
const speechBandHz = { low: 300, high: 3000 }

/** What the meter has heard. */
export interface SoundLevels {
  /** RMS of each step, dB below full scale, at least -100. A last part of a step counts as one. */
  readonly dbfs: readonly number[]
  /** Share of each second's power that lies between 300 and 3000 Hz, 0 to 1. */
  readonly speech: readonly number[]
  readonly waveform: WaveformBuilder
}

/** Measures a stream of mono samples in one go, holding nothing but its results: 13 bytes a step. */
export interface SoundMeter {
  /** @param samples the next ones, full scale ±32768 */
  push(samples: Int16Array): void
  finish(): SoundLevels
}

export function soundMeter(): SoundMeter {
  const dbfs: number[] = []
  const speech: number[] = []
  const waveform = waveformBuilder(meteredRateHz)
  const speechFilter = bandPass(speechBandHz.low, speechBandHz.high)
  let stepCount = 0
  let stepPower = 0
  let secondCount = 0
  let secondPower = 0
  let secondSpeechPower = 0

  const endStep = () => {
    dbfs.push(dbfsOf(stepPower / stepCount))
    stepCount = 0
    stepPower = 0
  }
  const endSecond = () => {
    speech.push(secondPower === 0 ? 0 : Math.min(1, secondSpeechPower / secondPower))
    secondCount = 0
    secondPower = 0
    secondSpeechPower = 0
  }
  return {
    push(samples) {
      waveform.push(samples)
      for (const sample of samples) {
        const power = sample * sample
        const band = speechFilter(sample)
        stepPower += power
        secondPower += power
        secondSpeechPower += band * band
        if (++stepCount === stepSamples) endStep()
        if (++secondCount === meteredRateHz) endSecond()
      }
    },
    finish() {
      if (stepCount > 0) endStep()
      if (secondCount > 0) endSecond()
      return { dbfs, speech, waveform }
    },
  }
}

/** @param meanPower mean of squared samples, full scale ±32768; dB rounded to a tenth */
function dbfsOf(meanPower: number): number {
  const db = 10 * Math.log10(meanPower / (fullScale * fullScale))
  return Math.max(floorDbfs, Math.round(db * 10) / 10)
}

/** A second-order high pass and low pass in a row, after the Audio EQ Cookbook (R. Bristow-Johnson), Q = 0.7071. */
function bandPass(lowHz: number, highHz: number): (sample: number) => number {
  const high = biquad(lowHz, 'high')
  const low = biquad(highHz, 'low')
  return sample => low(high(sample))
}

function biquad(cornerHz: number, passes: 'low' | 'high'): (sample: number) => number {
  const angle = (2 * Math.PI * cornerHz) / meteredRateHz
  const cosine = Math.cos(angle)
  const alpha = Math.sin(angle) / Math.SQRT2
  const gain = 1 / (1 + alpha)
  const b0 = ((passes === 'low' ? 1 - cosine : 1 + cosine) / 2) * gain
  const b1 = (passes === 'low' ? 1 - cosine : -1 - cosine) * gain
  const a1 = -2 * cosine * gain
  const a2 = (1 - alpha) * gain
  let state1 = 0
  let state2 = 0
  return sample => {
    const out = b0 * sample + state1
    state1 = b1 * sample - a1 * out + state2
    state2 = b0 * sample - a2 * out
    return out
  }
}
