import { afterAll, beforeAll, expect, it } from 'vitest'
import { SeriesParamsSchema, TrendsParamsSchema } from '../contracts/measures.ts'
import { describe as describeSubject } from './measures/describe.ts'
import { series } from './measures/series.ts'
import { trends } from './measures/trends.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const nowAt = '2024-01-05T06:00:00'
const last = { video: 'a', at: '2024-01-05T00:00:00', views: 100 }
/** Readings of one instant that agree on the views and on little else. */
const told: TestSample[] = [
  { video: 'a', creator: 'early', at: '2024-01-04T00:00:00', views: 10 },
  { ...last, creator: 'name:One', likes: 5, comments: 1, source: 'import:x' },
  { ...last, creator: 'two', likes: 5, comments: 1, source: 'import:x' },
  { ...last, creator: 'two', likes: 5, comments: 1, shares: 7, source: 'import:x' },
  { ...last, creator: '', likes: 5, comments: 1, source: 'import:x' },
  { ...last, creator: 'three', likes: 4, comments: 9, source: 'import:y' },
  { ...last, creator: 'three', likes: null, comments: 9, source: 'import:y' },
  { ...last, creator: 'four', likes: 0, comments: 9, source: 'import:y' },
  { video: 'b', creator: 'two', at: '2024-01-05T00:00:00', views: 50 },
]

async function answers() {
  const list = async (type: string, more: object = {}) =>
    (await trends(rig.ctx, TrendsParamsSchema.parse({ type, ...more }))).rows
  const past = { from: '2024-01-03T00:00:00Z', to: '2024-01-05T03:00:00Z' }
  return {
    clips: await list('clips'),
    byEngagement: await list('clips', { sort: 'engagement' }),
    creators: await list('creators'),
    pastCreators: await list('creators', past),
    topics: await list('topics'),
    facts: await describeSubject(rig.ctx, { type: 'clips', id: 'youtube:a', period: '24h' }),
    topicFacts: await describeSubject(rig.ctx, { type: 'topics', id: 'topic', period: '7d' }),
    likes: (await series(rig.ctx, SeriesParamsSchema.parse({ type: 'clips', id: 'youtube:a', metric: 'engagement' })))
      .points,
  }
}

async function toldIn(order: readonly TestSample[], isMerged: boolean) {
  await rig.fresh(nowAt)
  await rig.videos(['a', 'b'].map(video => ({ video, topics: ['topic'], publishedAt: '2024-01-04T12:00:00' })))
  for (const sample of order) await rig.samples([sample])
  if (isMerged) {
    for (const table of ['samples_v1', 'latest_v1', 'creator_videos_v1', 'readings_v1', 'firsts_v1']) {
      await rig.store.command(`OPTIMIZE TABLE replay.${table} FINAL`)
    }
  }
  return answers()
}

it('says the same in whatever order rows came, and whatever the engine has merged', { timeout: 120_000 }, async () => {
  const expected = await toldIn(told, false)
  // Each video has one creator: of equal readings the one with an id, and then with the greater one.
  expect(expected.creators.map(row => [row.key, row.views, row.videos])).toEqual([['youtube:two', 150, 2]])
  const backwards = [...told].reverse()
  const half = [...told.slice(4), ...told.slice(0, 4)]
  expect(await toldIn(backwards, false)).toEqual(expected)
  expect(await toldIn(backwards, true)).toEqual(expected)
  expect(await toldIn(half, true)).toEqual(expected)
})
