import { describe, expect, it } from 'vitest'
import { accelerationOf, chainIndex, collapse, engagementOf, gainOf, outlierOf, valueAt, viewsAtAge } from './scores.ts'

const hour = 3_600_000
const day = 24 * hour

describe('readings', () => {
  it('keep one an instant: the one with the most views, whatever came first', () => {
    const two = [
      { atMs: 5, views: 2 },
      { atMs: 5, views: 9 },
      { atMs: 1, views: 1 },
    ]
    expect(collapse(two)).toEqual([
      { atMs: 1, views: 1 },
      { atMs: 5, views: 9 },
    ])
    expect(collapse([...two].reverse())).toEqual(collapse(two))
  })

  it('give the last one at or before an instant, up to and including the look-back', () => {
    const readings = [
      { atMs: 100, views: 1 },
      { atMs: 200, views: 2 },
    ]
    expect(valueAt(readings, 200, 0)?.views).toBe(2)
    expect(valueAt(readings, 199, 99)?.views).toBe(1)
    expect(valueAt(readings, 199, 98)).toBeNull()
    expect(valueAt(readings, 99, 99)).toBeNull()
  })
})

describe('gains', () => {
  it('follow the example: 100, 160 and 250 at three midnights gain 90 in the 24 h that end at 06:00', () => {
    const readings = [
      { atMs: 0, views: 100 },
      { atMs: day, views: 160 },
      { atMs: 2 * day, views: 250 },
    ]
    const gain = gainOf(readings, { fromMs: day + 6 * hour, toMs: 2 * day + 6 * hour }, null)
    expect(gain).toMatchObject({ state: 'value', gain: 90, velocity: 3.75 })
  })

  it('may be negative, and start from zero only for what was published inside the window', () => {
    const falling = [
      { atMs: 0, views: 100 },
      { atMs: day, views: 80 },
    ]
    expect(gainOf(falling, { fromMs: 0, toMs: day }, null)?.gain).toBe(-20)
    const young = [{ atMs: 20 * hour, views: 10 }]
    expect(gainOf(young, { fromMs: 0, toMs: day }, 10 * hour)).toMatchObject({ state: 'new', gain: 10, velocity: 1 })
    expect(gainOf(young, { fromMs: 0, toMs: day }, 0)).toMatchObject({ state: 'partial', gain: 0, velocity: null })
  })
})

describe('ratios', () => {
  it('are absent where they would divide by nothing', () => {
    expect(accelerationOf(3, 2)).toBe(1.5)
    expect(accelerationOf(3, 0)).toBeNull()
    expect(accelerationOf(null, 2)).toBeNull()
    const counters = { views: 0, likes: 1, comments: null, shares: null, saves: 2 }
    expect(engagementOf(counters)).toEqual({ value: null, over: ['likes', 'saves'] })
    expect(engagementOf({ ...counters, views: 6 })).toEqual({ value: 0.5, over: ['likes', 'saves'] })
  })

  it('hold a video against at least five peers', () => {
    expect(outlierOf(900, [100, 200, 300, 400])).toEqual({ multiple: null, z: null })
    expect(outlierOf(900, [100, 200, 300, 400, 500])).toEqual({ multiple: 3, z: (0.6745 * 600) / 100 })
    expect(outlierOf(900, [300, 300, 300, 300, 300])).toEqual({ multiple: 3, z: null })
  })
})

describe('the index and frozen ages', () => {
  it('chains day by day and stands still where days cannot be compared', () => {
    const days = [
      { atMs: 1, velocity: 3, velocityBefore: 2 },
      { atMs: 2, velocity: null, velocityBefore: null },
      { atMs: 3, velocity: 1, velocityBefore: 0 },
      { atMs: 4, velocity: 5, velocityBefore: 10 },
    ]
    expect(chainIndex(days)).toEqual([100, 150, 150, 150, 75])
  })

  it('freezes views at an age only when it has been reached and was read near it', () => {
    const readings = [{ atMs: day, views: 10 }]
    expect(viewsAtAge(readings, 0, day, day)?.views).toBe(10)
    expect(viewsAtAge(readings, 0, 3 * day, 2 * day)).toBeNull()
    expect(viewsAtAge(readings, 0, 3 * day, 9 * day)).toBeNull()
  })
})
