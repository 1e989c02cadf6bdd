import { describe, expect, it } from 'vitest'
import { timelineCpuSec } from './timeline-cost.ts'

const video = {
  codec: 'avc',
  widthPx: 1920,
  heightPx: 1080,
  rotationDeg: 0,
  framesPerSec: 30,
  isRateConstant: true,
  isHdr: false,
} as const

describe('what a timeline will cost', () => {
  it('grows with the level, for an hour of 1080p30 from seconds to minutes', () => {
    const costs = (['audio', 'keyframes', 'full'] as const).map(level =>
      timelineCpuSec(level, { durationSec: 3600, video }),
    )
    expect(costs.map(Math.round)).toEqual([6, 42, 297])
  })

  it('is that of the sound where there is no picture', () => {
    expect(timelineCpuSec('full', { durationSec: 3600, video: null })).toBeCloseTo(5.6)
  })

  it('is that of all frames where a decoder cannot leave any out', () => {
    const media = { durationSec: 363, video: { ...video, codec: 'av1', widthPx: 320, heightPx: 180, framesPerSec: 60 } }
    expect(timelineCpuSec('keyframes', media)).toBe(timelineCpuSec('full', media))
    expect(timelineCpuSec('full', media)).toBeCloseTo(10.8, 1)
  })
})
