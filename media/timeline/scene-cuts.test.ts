import { describe, expect, it } from 'vitest'
import type { Picture } from '../picture.ts'
import { sceneMeter } from './scene-cuts.ts'

/** A picture of 2 × 1 pixels, all of one grey. */
const grey = (level: number): Picture => ({ widthPx: 2, heightPx: 1, rgb: new Uint8Array(6).fill(level) })

/** Cuts of frames at 25 a second. */
function cutsOf(levels: number[], spacing: 'keyframes' | 'frames' = 'frames') {
  const meter = sceneMeter(spacing)
  for (const [index, level] of levels.entries()) meter.push(grey(level), index / 25)
  return meter.finish()
}

const times = (count: number, level: number) => new Array<number>(count).fill(level)

describe('cuts', () => {
  it('are where the picture changes at once and stays changed, with the size of the change', () => {
    expect(cutsOf([...times(10, 0), ...times(10, 51)])).toEqual([{ atSec: 0.4, fromSec: 0.36, score: 0.2 }])
  })

  it('are found at the very ends of a file', () => {
    expect(cutsOf([0, 51, 51]).map(({ atSec }) => atSec)).toEqual([0.04])
    expect(cutsOf([...times(8, 0), 51]).map(({ atSec }) => atSec)).toEqual([0.32])
    expect(cutsOf([0])).toEqual([])
  })

  it('are not the motion of a scene, however great, nor a flash, nor a fade', () => {
    expect(cutsOf(times(30, 0).map((_, index) => (index % 2) * 60))).toEqual([])
    expect(cutsOf([...times(10, 0), 200, ...times(10, 0)])).toEqual([])
    expect(cutsOf(times(20, 0).map((_, index) => index * 12))).toEqual([])
  })

  it('stand out of motion that is half of them', () => {
    const moving = times(30, 0).map((_, index) => (index % 2) * 20 + (index >= 15 ? 120 : 0))
    expect(cutsOf(moving).map(({ atSec }) => atSec)).toEqual([0.6])
  })

  it('between keyframes lie anywhere since the last one, and count by their size alone', () => {
    expect(cutsOf([0, 0, 40, 80, 80], 'keyframes')).toEqual([
      { atSec: 0.08, fromSec: 0.04, score: 0.157 },
      { atSec: 0.12, fromSec: 0.08, score: 0.157 },
    ])
    expect(cutsOf([0, 20, 40], 'keyframes')).toEqual([])
  })
})
