import { describe, expect, it } from 'vitest'
import { levelFor, readWaveform, waveformBuilder, writeWaveform } from './waveform.ts'

/** Of 200 samples a second, so that two make a step. */
function built(samples: number[]) {
  const builder = waveformBuilder(200)
  builder.push(Int16Array.from(samples))
  return builder.finish()
}

describe('a waveform', () => {
  it('keeps the least and the greatest sample of every step, and of ever four steps above it', () => {
    const { levels } = built([0, 32_767, -32_768, 0, 1, 1, -1, -1, 0, 0, 100, -100])
    expect(levels.map(({ stepSec, minMax }) => [stepSec, [...minMax]])).toEqual([
      [0.01, [0, 127, -127, 0, 1, 1, -1, -1, 0, 0, -1, 1]],
      [0.04, [-127, 127, -1, 1]],
    ])
  })

  it('shows a spike of one sample at every zoom', () => {
    const samples = new Array<number>(20_000).fill(0)
    samples[12_345] = 30_000
    for (const { minMax } of built(samples).levels) expect(Math.max(...minMax)).toBe(117)
  })

  it('comes back from its bytes as it was, and other bytes are refused', () => {
    const waveform = built(Array.from({ length: 2001 }, (_, at) => (at * 37) % 30_000))
    const bytes = writeWaveform(waveform)
    expect(readWaveform(bytes)).toEqual(waveform)
    expect(readWaveform(bytes.subarray(0, 500))).toBeNull()
    expect(readWaveform(new Uint8Array(4))).toBeNull()
    expect(readWaveform(new Uint8Array(64))).toBeNull()
  })

  it('is drawn from the coarsest level that has enough steps', () => {
    const waveform = built(new Array<number>(2000).fill(5))
    expect(levelFor(waveform, 200).stepSec).toBe(0.04)
    expect(levelFor(waveform, 251).stepSec).toBe(0.01)
    expect(levelFor(waveform, 10_000).stepSec).toBe(0.01)
    expect(levelFor(built([]), 1).minMax).toHaveLength(0)
  })
})
