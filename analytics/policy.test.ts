import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { BusEvents } from '../contracts/bus.ts'
import { type Platform, VideoIdSchema } from '../contracts/ids.ts'
import {
  DescribeParamsSchema,
  IndexParamsSchema,
  SeriesParamsSchema,
  TrendsParamsSchema,
} from '../contracts/measures.ts'
import { amendment } from '../contracts/platform-accounts.ts'
import { policyOf, sourceClasses } from '../contracts/samples.ts'
import { LiveLists } from './live-lists.ts'
import { clipIndex } from './measures/clip-index.ts'
import { describe as describeSubject } from './measures/describe.ts'
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

/** What YouTube's interface said to somebody who accepted its terms for measures. */
const api = 'youtube-api:amendment'
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
    await rig.videos([{ video: 'd', tags: ['x'], topics: ['topic'], creator: 'one', source: api }])
    await rig.samples(read('d', 'one', [0, 10_000, 30_000, 90_000, 400_000], api))
    await rig.rows('creator_samples_v1', [ownCounter('one', api, 5_000_000)])
    await rig.rows('topic_samples_v1', [ownTopic('topic', api, 7_000_000)])
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
    await rig.samples([{ video: 'c', creator: 'two', source: api, at: '2024-01-05T01:00:00', views: 9_000 }])
    const after = await mixed()
    const figures = (rows: readonly (readonly unknown[])[]) => rows.map(([key, , , ...numbers]) => [key, ...numbers])
    const without = (key: string, rows: readonly (readonly unknown[])[]) => rows.filter(row => row[0] !== key)
    expect(figures(after.clips)).toEqual(figures(without('youtube:c', before.clips)))
    expect(figures(after.creators)).toEqual(figures(without('youtube:two', before.creators)))
    expect(after.topics.map(row => row[4])).toEqual([850])
    expect(after.index[0]?.constituents).toBe(2)
    const own = await ask({ type: 'clips', platform: 'youtube' })
    expect(own.find(row => row.key === 'youtube:c')).toMatchObject({ rank: 1, gain: 8_920, source: api })
    const byCreator = await ask({ type: 'clips', creator: 'youtube:two' })
    expect(byCreator.map(row => row.views)).toEqual([9_000])
  })

  it('leave lists that are kept as soon as they write', async () => {
    const lists = new LiveLists()
    const kept = async (platform: 'all' | 'youtube') =>
      (await lists.trends(rig.ctx, TrendsParamsSchema.parse({ platform }))).rows.map(row => row.key)
    expect(await kept('all')).toEqual(['youtube:a', 'youtube:c', 'youtube:b'])
    expect(await kept('youtube')).toEqual(['youtube:a', 'youtube:c', 'youtube:b'])
    const at = { source: api, at: '2024-01-05T05:00:00' }
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

describe('sources whose terms forbid measures until they are accepted', () => {
  const measures = ['gain', 'velocity', 'acceleration', 'engagement', 'outlier', 'outlierZ']
  const needed = Object.fromEntries(measures.map(name => [name, 'needs_amendment']))
  const last = { creator: 'one', at: '2024-01-05T01:00:00', views: 100, likes: 5 }
  beforeEach(() => rig.samples([{ ...last, video: 'a', source: 'youtube-api' }]))

  it('show counters, say of each measure what it takes, and stand behind all else, however large', async () => {
    await rig.videos([{ video: 'b', creator: 'one' }])
    await rig.samples([{ ...last, video: 'b', source: 'youtube-api', views: 90_000 }])
    for (const sort of ['gain', 'velocity']) {
      const rows = await ask({ platform: 'youtube', sort })
      expect([sort, rows.map(row => row.key)]).toEqual([sort, ['youtube:c', 'youtube:b', 'youtube:a']])
      expect(rows[1]).toMatchObject({ views: 90_000, gain: null, outlier: null, rankChange: null, missing: needed })
      expect(rows[1]?.spark.at(-1)).toBe(90_000)
    }
    expect((await ask({ platform: 'youtube', sort: 'views' })).map(row => row.key)).toEqual([
      'youtube:b',
      'youtube:c',
      'youtube:a',
    ])
    const page = { platform: 'youtube' as const, limit: 1 }
    const first = await trends(rig.ctx, TrendsParamsSchema.parse(page))
    const second = await trends(rig.ctx, TrendsParamsSchema.parse({ ...page, cursor: first.nextCursor }))
    expect(second.rows.map(row => [row.key, row.rank])).toEqual([['youtube:b', 2]])
  })

  it('are in no measure of a creator or a topic either', async () => {
    const creators = await ask({ type: 'creators', platform: 'youtube' })
    expect(creators.map(row => [row.key, row.gain, row.missing.gain])).toEqual([
      ['youtube:two', 110, undefined],
      ['youtube:one', null, 'needs_amendment'],
    ])
    expect(creators[1]?.views).toBe(300)
    await rig.rows('creator_samples_v1', [ownCounter('two', 'youtube-api', 7)])
    const both = await ask({ type: 'creators', platform: 'youtube' })
    expect(both.map(row => [row.key, row.views, row.missing.gain])).toEqual([
      ['youtube:one', 300, 'needs_amendment'],
      ['youtube:two', 7, 'needs_amendment'],
    ])
    const [topic] = await ask({ type: 'topics', platform: 'youtube' })
    expect([topic?.videos, topic?.gain]).toEqual([2, 160])
  })

  it('are a state in lines and descriptions, with the way to it', async () => {
    const line = async (type: string, id: string, metric: string) => {
      const asked = { type, id, metric, platform: 'youtube', period: '24h', bucket: '1d' }
      return (await series(rig.ctx, SeriesParamsSchema.parse(asked))).points.at(-1)
    }
    expect(await line('clips', 'youtube:a', 'gain')).toMatchObject({ value: null, state: 'needs_amendment' })
    expect(await line('clips', 'youtube:a', 'views')).toMatchObject({ value: 100, state: 'value' })
    expect(await line('creators', 'youtube:one', 'velocity')).toMatchObject({ state: 'needs_amendment' })
    expect(await line('topics', 'topic', 'gain')).toMatchObject({ state: 'value' })
    for (const [type, id] of [
      ['clips', 'youtube:a'],
      ['creators', 'youtube:one'],
    ]) {
      const facts = await describeSubject(rig.ctx, DescribeParamsSchema.parse({ type, id }))
      expect(facts.find(fact => fact.key === 'velocity')).toMatchObject({
        value: null,
        state: 'needs_amendment',
        note: expect.stringContaining(amendment.url),
      })
      expect(facts.find(fact => fact.key === 'views')?.value).toBeGreaterThan(0)
    }
  })

  it('move back among the others in lists that are kept, as soon as somebody reads them who accepted', async () => {
    const lists = new LiveLists()
    const kept = async () => {
      const { rows } = await lists.trends(rig.ctx, TrendsParamsSchema.parse({ platform: 'youtube' }))
      return rows.map(row => [row.key, row.missing.gain ?? row.gain])
    }
    const write = async (source: string, at: string) => {
      await rig.samples([{ ...last, video: 'c', creator: 'two', at, views: 1_000, source }])
      const videos = [VideoIdSchema.parse('youtube:c')]
      const about = { world: 'replay', platforms: ['youtube'] satisfies Platform[], isCut: false, rowCount: 1, atMs: 0 }
      lists.note({ kind: 'samples', event: { ...about, videos } })
    }
    const others = [
      ['youtube:b', 50],
      ['youtube:a', 'needs_amendment'],
    ]
    expect(await kept()).toEqual([['youtube:c', 110], ...others])
    await write('youtube-api', '2024-01-05T02:00:00')
    expect(await kept()).toEqual([others[0], ['youtube:c', 'needs_amendment'], others[1]])
    await write(api, '2024-01-05T03:00:00')
    expect(await kept()).toEqual([['youtube:c', 920], ...others])
  })

  it('are those of the one list of classes', async () => {
    const names = [...Object.keys(sourceClasses), 'import:x', 'youtube-api:z', 'tiktok-api:amendment']
    await rig.fresh('2024-01-05T06:00:00')
    const at = { at: '2024-01-05T00:00:00', views: 1 }
    await rig.samples(names.map((source, index) => ({ ...at, video: `v${index}`, source })))
    await rig.rows(
      'creator_samples_v1',
      names.map((source, index) => ownCounter(`c${index}`, source, 1)),
    )
    const withheld = async (table: string, key: string, own: string, id: string) => {
      const rows = await rig.store.query<{ source: string; out: number }>(
        `SELECT source, cityHash64(platform, ${id}) IN (SELECT ${key} FROM replay.${table} FINAL WHERE may_derive = 0) AS out
         FROM replay.${own}`,
      )
      return new Map(rows.map(row => [row.source, row.out === 0]))
    }
    // Numbers of one's own are in tables of their own.
    const allowed = new Map(names.map(source => [source, source.startsWith('own:') || policyOf(source).mayDerive]))
    expect(await withheld('video_terms_v1', 'video_key', 'samples_v1', 'video_id')).toEqual(allowed)
    expect(await withheld('creator_terms_v1', 'creator_key', 'creator_samples_v1', 'creator_id')).toEqual(allowed)
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
