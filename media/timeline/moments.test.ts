import { describe, expect, it } from 'vitest'
import type { Timeline } from '../../contracts/timeline.ts'
import { defaultMomentWeights, suggestMoments } from './moments.ts'
import { standings } from './robust-z.ts'

type Given = Pick<Timeline, 'durationSec' | 'energy' | 'speech' | 'silences' | 'cuts'>

/** Ten minutes of even sound, with `burstAt` of them loud for three seconds. */
function sound(...burstAt: number[]): Given {
  const dbfs = Array.from({ length: 6000 }, (_, step) => {
    const isLoud = burstAt.some(sec => step >= sec * 10 && step < (sec + 3) * 10)
    return isLoud ? -10 : -30 + (Math.floor(step / 10) % 3)
  })
  return {
    durationSec: 600,
    energy: { stepSec: 0.1, dbfs, silentBelowDbfs: -45 },
    speech: null,
    silences: [],
    cuts: null,
  }
}

describe('moments', () => {
  it('are where the sound stands out, greatest first, each saying why in points that add up', () => {
    const [moment, ...others] = suggestMoments(sound(300))
    expect(others).toEqual([])
    expect(moment).toMatchObject({ startSec: 285, endSec: 315, peakSec: 300, score: 0.671 })
    expect(moment?.why).toBe('Sound 19 dB above the usual -29 dBFS, a sudden rise of 19 dB.')
    expect(moment?.parts.map(({ signal, points }) => [signal, points])).toEqual([
      ['loudness', 0.479],
      ['onset', 0.192],
      ['edges', 0],
    ])
  })

  it('begin and end in a silence or at a cut where one is near, and score more for it', () => {
    const given = sound(300)
    const silences = [
      { startSec: 270, endSec: 272 },
      { startSec: 282.5, endSec: 283.5 },
      { startSec: 318, endSec: 319 },
    ]
    expect(suggestMoments({ ...given, silences })[0]).toMatchObject({ startSec: 283.5, endSec: 318, score: 0.971 })
    const cut = { atSec: 290.04, fromSec: 290, score: 0.3 }
    expect(suggestMoments({ ...given, cuts: [cut] })[0]).toMatchObject({ startSec: 290.04, endSec: 315 })
  })

  it('are at least 30 s apart, last 15 to 60 s, and stay inside the file', () => {
    const moments = suggestMoments(sound(5, 20, 100, 596))
    expect(moments.map(({ peakSec }) => peakSec).sort((a, b) => a - b)).toEqual([5, 100, 596])
    for (const { startSec, endSec } of moments) {
      expect(endSec - startSec).toBeGreaterThanOrEqual(15)
      expect(endSec - startSec).toBeLessThanOrEqual(60)
      expect(startSec).toBeGreaterThanOrEqual(0)
      expect(endSec).toBeLessThanOrEqual(600)
    }
    const short = { ...sound(2), durationSec: 8 }
    expect(suggestMoments(short)).toMatchObject([{ startSec: 0, endSec: 8 }])
  })

  it('do not count a signal that the file does not have: its weight is shared by the others', () => {
    const signals = suggestMoments(sound(300))[0]?.parts.map(({ signal }) => signal)
    expect(signals).toEqual(['loudness', 'onset', 'edges'])
    expect(suggestMoments({ durationSec: 60, energy: null, speech: null, silences: null, cuts: null })).toEqual([])
  })

  it('follow the weights that they are asked with', () => {
    const cuts = Array.from({ length: 8 }, (_, index) => ({ atSec: 100 + index, fromSec: 99.9 + index, score: 0.3 }))
    const given = { ...sound(300), cuts }
    const peakOf = (weights: object) => suggestMoments(given, { weights })[0]?.peakSec ?? 0
    expect(peakOf({ cuts: 0 })).toBe(300)
    expect(Math.abs(peakOf({ loudness: 0, onset: 0 }) - 104)).toBeLessThanOrEqual(5)
    expect(suggestMoments(given, { weights: { loudness: 0, onset: 0, cuts: 0 } })).toEqual([])
  })

  it('hear the chat where one was recorded, ten seconds before it answers', () => {
    const chat = Array.from({ length: 60 }, (_, index) => ({
      atSec: 210 + (index % 5),
      author: `viewer ${index % 20}`,
      text: 'LUL so good',
    }))
    const [moment] = suggestMoments(sound(), { chat })
    expect(Math.abs((moment?.peakSec ?? 0) - 202)).toBeLessThanOrEqual(5)
    expect(moment?.why).toContain('60 chat messages in 10 s against 0')
    expect(moment?.why).toContain('20 people in chat')
    expect(moment?.why).toContain('one word 60 times')
    expect(suggestMoments(sound(), { chat: [] })).toEqual([])
  })

  it('are as many as asked for', () => {
    const many = sound(...Array.from({ length: 12 }, (_, index) => index * 45))
    expect(suggestMoments(many)).toHaveLength(10)
    expect(suggestMoments(many, { countMax: 3 })).toHaveLength(3)
  })

  it('say of nothing that it stands out in a file that sounds the same throughout', () => {
    expect(suggestMoments(sound())).toEqual([])
  })

  it('weigh signals that are all known by name', () => {
    expect(Object.values(defaultMomentWeights).every(weight => weight > 0 && weight <= 1)).toBe(true)
  })
})

describe('robust z-scores', () => {
  it('measure from the median in median deviations', () => {
    const found = standings([1, 2, 3, 4, 100], 0.1)
    expect(found.map(({ usual }) => usual)).toEqual([3, 3, 3, 3, 3])
    expect(found.map(({ z }) => Math.round(z * 1000) / 1000)).toEqual([-1.349, -0.674, 0, 0.674, 20])
  })

  it('look at ten minutes around, so that a loud half hour does not hide behind a quiet one', () => {
    const series = Array.from({ length: 3600 }, (_, second) => (second < 1800 ? 0 : 50) + (second % 5))
    series[900] = 30
    const found = standings(series, 0.5)
    expect(found[900]?.z).toBeGreaterThan(10)
    expect(Math.abs(found[2700]?.z ?? 9)).toBeLessThan(2)
  })
})
