import { describe, expect, it } from 'vitest'
import type { TrendRow } from '../../contracts/measures.ts'
import { trendingOf } from './trending.ts'

const asOf = new Date('2026-01-31T12:00:00Z')
const still: TrendRow = {
  key: 'youtube:v',
  rank: 20,
  rankChange: 0,
  platform: 'youtube',
  title: 'A video',
  creatorId: null,
  creatorName: null,
  url: '',
  publishedAt: '2026-01-30T12:00:00.000Z',
  views: 20_000,
  gain: 900,
  gainState: 'value',
  velocity: 600,
  acceleration: 1,
  engagement: 0.02,
  engagementOver: ['likes', 'comments'],
  outlier: 1.2,
  outlierZ: 0.3,
  clippers: null,
  followers: null,
  videos: 1,
  niches: [],
  regions: [],
  sampleAt: null,
  source: 's',
  spark: [],
  missing: {},
}

describe('what trends', () => {
  it('says by what a row stands out, and how much of it there is', () => {
    expect(trendingOf(still, asOf)).toBeNull()
    expect(trendingOf({ ...still, acceleration: 2 }, asOf)).toEqual({
      level: 'rising',
      why: ['Views come 2.0 times as fast at the end of the window as over all of it.'],
    })
    expect(trendingOf({ ...still, rankChange: 12, engagement: 0.12 }, asOf)).toEqual({
      level: 'hot',
      why: ['It climbed 12 places since the window before.', '12 of 100 viewers reacted (likes, comments).'],
    })
    expect(trendingOf({ ...still, outlier: 7.25 }, asOf)).toEqual({
      level: 'breakout',
      why: [
        "Views are 7.3 times those of the creator's usual video at this age.",
        'It has 10,000 views or more and is at most a week old.',
      ],
    })
  })

  it('takes what is not known for nothing, never for a sign', () => {
    const unknown = { ...still, outlier: null, acceleration: null, rankChange: null, engagement: null, views: null }
    expect(trendingOf(unknown, asOf)).toBeNull()
  })
})
