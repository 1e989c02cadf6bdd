import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BusEvents } from '../contracts/bus.ts'
import { VideoIdSchema } from '../contracts/ids.ts'
import { IndexParamsSchema, SeriesParamsSchema, TrendsParamsSchema } from '../contracts/measures.ts'
import { policyOf, sourceClasses } from '../contracts/samples.ts'
import { LiveLists } from './live-lists.ts'
import { clipIndex } from './measures/clip-index.ts'
import { movers } from './measures/movers.ts'
import { series } from './measures/series.ts'
import { trends } from './measures/trends.ts'
import { tagNiches } from './niches/tag-niches.ts'
import { type AnalyticsRig, startAnalyticsRig, testNiches } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const niches = testNiches({ niches: [{ name: 'all', label: 'All', rules: [{ tags: ['x'] }] }] })
const ask = async (params: object) => (await trends(rig.ctx, TrendsParamsSchema.parse(params))).rows
const shown = async (params: object) =>
  (await ask(params)).map(row => [row.key, row.rank, row.rankChange, row.views, row.gain, row.velocity, row.videos])
const days = ['2024-01-01', '2024-01-02', '2024-01-03', '2024-01-04', '2024-01-05']
/** Views at five midnights. */
const read = (video: string, creator: string, views: number[], source = 'import:test') =>
  days.map((day, index) => ({ video, creator, source, at: `${day}T00:00:00`, views: views[index] ?? 0 }))

beforeEach(async () => {
  await rig.fresh('2024-01-05T06:00:00')
  await rig.videos(['a', 'b', 'c'].map(video => ({ video, tags: ['x'], topics: ['topic'] })))
  await rig.samples([
    ...read('a', 'one', [0, 100, 300, 700, 1500]),
    ...read('b', 'one', [0, 50, 100, 150, 200]),
    ...read('c', 'two', [0, 10, 30, 80, 190]),
  ])
  await tagNiches(rig.store, rig.ctx.world, niches)
})

/** Everything that mixes, computed. */
async function mixed() {
  const ctx = { ...rig.ctx, niches }
  const { rows: index } = await clipIndex(ctx, IndexParamsSchema.parse({ period: '7d' }))
  const { rows: moves } = await movers(ctx, TrendsParamsSchema.parse({ period: '24h' }))
  const line = SeriesParamsSchema.parse({ type: 'topics', id: 'topic', metric: 'views', period: '7d', bucket: '1d' })
  return {
    clips: await shown({ type: 'clips' }),
    creators: await shown({ type: 'creators' }),
    topics: await shown({ type: 'topics' }),
    outliers: await shown({ type: 'clips', sort: 'outlier' }),
    movers: moves.map(row => [row.key, row.gain]),
    topicLine: (await series(ctx, line)).points,
    index,
  }
}

describe('sources that may not be mixed', () => {
  it('change nothing in lists across platforms, movers, topics and the index, settled or not, and are counted per platform', async () => {
    await rig.settle()
    const before = await mixed()
    expect(before.creators.map(row => [row[0], row[4]])).toEqual([
      ['youtube:one', 850],
      ['youtube:two', 110],
    ])
    await rig.videos([{ video: 'd', tags: ['x'], topics: ['topic'], creator: 'one', source: 'youtube-api' }])
    await rig.samples(read('d', 'one', [0, 10_000, 30_000, 90_000, 400_000], 'youtube-api'))
    await rig.rows('creator_samples_v1', [ownCounter('one', 'youtube-api', 5_000_000)])
    await rig.rows('topic_samples_v1', [ownTopic('topic', 'youtube-api', 7_000_000)])
    await tagNiches(rig.store, rig.ctx.world, niches)
    expect(await mixed()).toEqual(before)
    await rig.settle()
    expect(await mixed()).toEqual(before)
    const own = await shown({ type: 'clips', platform: 'youtube' })
    expect(own[0]?.slice(0, 5)).toEqual(['youtube:d', 1, 0, 400_000, 310_000])
    const creators = await ask({ type: 'creators', platform: 'youtube' })
    expect(creators.find(row => row.key === 'youtube:one')?.views).toBe(5_000_000)
    expect((await ask({ type: 'topics', platform: 'youtube' }))[0]?.views).toBe(7_000_000)
  })

  it('take a video out of mixed figures whole, and leave the figures of the others as they were', async () => {
    const before = await mixed()
    await rig.samples([{ video: 'c', creator: 'two', source: 'youtube-api', at: '2024-01-05T01:00:00', views: 9_000 }])
    const after = await mixed()
    const figures = (rows: readonly (readonly unknown[])[]) => rows.map(([key, , , ...numbers]) => [key, ...numbers])
    const without = (key: string, rows: readonly (readonly unknown[])[]) => rows.filter(row => row[0] !== key)
    expect(figures(after.clips)).toEqual(figures(without('youtube:c', before.clips)))
    expect(figures(after.creators)).toEqual(figures(without('youtube:two', before.creators)))
    expect(after.topics.map(row => row[4])).toEqual([850])
    expect(after.index[0]?.constituents).toBe(2)
    const own = await ask({ type: 'clips', platform: 'youtube' })
    expect(own.find(row => row.key === 'youtube:c')).toMatchObject({ rank: 1, gain: 8_920, source: 'youtube-api' })
    const byCreator = await ask({ type: 'clips', creator: 'youtube:two' })
    expect(byCreator.map(row => row.views)).toEqual([9_000])
  })

  it('leave lists that are kept as soon as they write', async () => {
    const lists = new LiveLists()
    const kept = async (platform: 'all' | 'youtube') =>
      (await lists.trends(rig.ctx, TrendsParamsSchema.parse({ platform }))).rows.map(row => row.key)
    expect(await kept('all')).toEqual(['youtube:a', 'youtube:c', 'youtube:b'])
    expect(await kept('youtube')).toEqual(['youtube:a', 'youtube:c', 'youtube:b'])
    const at = { source: 'youtube-api', at: '2024-01-05T05:00:00' }
    await rig.samples([
      { ...at, video: 'c', views: 9_000 },
      { ...at, video: 'z', views: 1 },
    ])
    const videos = ['youtube:c', 'youtube:z'].map(id => VideoIdSchema.parse(id))
    const event: BusEvents['samples.written'] = {
      world: 'replay',
      platforms: ['youtube'],
      videos,
      isCut: false,
      rowCount: 2,
      atMs: 0,
    }
    lists.note({ kind: 'samples', event })
    expect(await kept('all')).toEqual(['youtube:a', 'youtube:b'])
    expect(await kept('youtube')).toEqual(['youtube:c', 'youtube:a', 'youtube:b', 'youtube:z'])
  })

  it('are those of the one list of classes', async () => {
    const names = [...Object.keys(sourceClasses), 'something else', 'imported', 'import:x', 'own:y', 'youtube-api:z']
    await rig.fresh('2024-01-05T06:00:00')
    await rig.samples(
      names.map((source, index) => ({ video: `v${index}`, source, at: '2024-01-05T00:00:00', views: 1 })),
    )
    const rows = await rig.store.query<{ source: string; out: number }>(
      `SELECT source, cityHash64(platform, video_id) IN (SELECT video_key FROM replay.unmixable_videos_v1) AS out FROM replay.samples_v1`,
    )
    const found = new Map(rows.map(row => [row.source, row.out === 0]))
    expect(found).toEqual(new Map(names.map(source => [source, policyOf(source).mayMix])))
  })
})

function ownCounter(creator: string, source: string, views: number) {
  const at = { observed_at: '2024-01-05 00:00:00', endpoint: '', definition_version: 1 }
  return { platform: 'youtube', creator_id: creator, followers: 5, views, source, ...at }
}

function ownTopic(topic: string, source: string, views: number) {
  return {
    platform: 'youtube',
    topic,
    views,
    source,
    observed_at: '2024-01-05 00:00:00',
    endpoint: '',
    definition_version: 1,
  }
}
