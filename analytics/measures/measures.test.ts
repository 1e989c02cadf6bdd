import { afterAll, beforeAll, expect, describe as group, it } from 'vitest'
import { creatorId, videoId } from '../../contracts/ids.ts'
import {
  CreatorSearchParamsSchema,
  DescribeParamsSchema,
  IndexParamsSchema,
  SeriesParamsSchema,
  TrendsParamsSchema,
} from '../../contracts/measures.ts'
import { computeLive, readsOf } from '../live.ts'
import { tagNiches } from '../niches/tag-niches.ts'
import { type AnalyticsRig, startAnalyticsRig, testNiches } from '../test-rig.ts'
import { clipIndex } from './clip-index.ts'
import { describe } from './describe.ts'
import { getCreator, getVideo, listVods, searchCreators } from './library.ts'
import { movers } from './movers.ts'
import { series } from './series.ts'
import { trends } from './trends.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const ask = (params: object) => trends(rig.ctx, TrendsParamsSchema.parse(params))

/** Two platforms, three creators, four days; now is 5 January 2024, 00:00 UTC. */
async function loadMarket(): Promise<void> {
  await rig.fresh('2024-01-05T00:00:00')
  await rig.videos([
    {
      video: 'a',
      creator: 'c1',
      title: 'Fortnite win',
      category: 'Gaming',
      regions: ['US'],
      topics: ['fortnite', 'win'],
      publishedAt: '2024-01-01T00:00:00',
      durationSeconds: 30,
    },
    {
      video: 'b',
      creator: 'c1',
      title: 'A song',
      category: 'Music',
      regions: ['US', 'DE'],
      topics: ['win'],
      publishedAt: '2024-01-04T12:00:00',
    },
    {
      video: 'c',
      creator: 'c2',
      title: 'Quiet',
      regions: ['DE'],
      topics: ['fortnite'],
      publishedAt: '2023-12-01T00:00:00',
    },
    {
      platform: 'tiktok',
      video: 'd',
      creator: 'c3',
      title: 'Dance',
      topics: ['fortnite'],
      publishedAt: '2024-01-04T06:00:00',
    },
  ])
  await rig.samples([
    { video: 'a', creator: 'c1', at: '2024-01-03T00:00:00', views: 100 },
    { video: 'a', creator: 'c1', at: '2024-01-04T00:00:00', views: 200, likes: 10 },
    { video: 'a', creator: 'c1', at: '2024-01-04T18:00:00', views: 260, likes: 13 },
    { video: 'a', creator: 'c1', at: '2024-01-05T00:00:00', views: 320, likes: 16, comments: 16 },
    { video: 'b', creator: 'c1', at: '2024-01-04T18:00:00', views: 30 },
    { video: 'b', creator: 'c1', at: '2024-01-05T00:00:00', views: 60 },
    { video: 'c', creator: 'c2', at: '2024-01-03T00:00:00', views: 1000 },
    { video: 'c', creator: 'c2', at: '2024-01-04T00:00:00', views: 5000 },
    { video: 'c', creator: 'c2', at: '2024-01-05T00:00:00', views: 5010 },
    { platform: 'tiktok', video: 'd', creator: 'c3', at: '2024-01-05T00:00:00', views: 36, shares: 9 },
  ])
  await rig.rows('creators_v1', [
    {
      platform: 'youtube',
      creator_id: 'c1',
      name: 'First',
      handle: '@first',
      source: 'import:test',
      observed_at: '2024-01-05 00:00:00',
    },
  ])
  await rig.rows('creator_samples_v1', [
    {
      platform: 'youtube',
      creator_id: 'c2',
      observed_at: '2024-01-04 00:00:00',
      followers: 10,
      views: 9000,
      videos: 3,
      source: 'import:own',
      endpoint: '',
      definition_version: 1,
    },
    {
      platform: 'youtube',
      creator_id: 'c2',
      observed_at: '2024-01-05 00:00:00',
      followers: 12,
      views: 9240,
      videos: 3,
      source: 'import:own',
      endpoint: '',
      definition_version: 1,
    },
  ])
  await rig.settle()
}

group('a small market', () => {
  beforeAll(async () => {
    await loadMarket()
    await tagNiches(rig.ctx.store, rig.ctx.world, rig.ctx.niches)
  })

  it('ranks clips by gain with acceleration, rank change, names and reasons for what is missing', async () => {
    const { rows, asOf } = await ask({})
    expect(asOf.toISOString()).toBe('2024-01-05T00:00:00.000Z')
    expect(rows.map(row => [row.key, row.rank, row.rankChange, row.gain, row.acceleration])).toEqual([
      // 120 in 24 h; 60 in the last 6 h: 10 / 5. A day before, c gained 4000 and a 100.
      ['youtube:a', 1, 1, 120, 2],
      // New: 60 in 12 h; 30 in the last 6 h.
      ['youtube:b', 2, null, 60, 1],
      // New: 36 in 18 h; its one reading is the first in the last quarter.
      ['tiktok:d', 3, null, 36, null],
      // Read once a day: the last quarter starts from the reading 18 h before it, so both velocities are equal.
      ['youtube:c', 4, -3, 10, 1],
    ])
    expect(rows[0]).toMatchObject({
      creatorName: 'First',
      niches: ['gaming'],
      engagement: 0.1,
      engagementOver: ['likes', 'comments'],
      missing: { outlier: 'too_few', outlierZ: 'too_few', followers: 'not_provided', clippers: 'not_provided' },
    })
    expect(rows[0]?.spark.at(0)).toBe(200)
    expect(rows[0]?.spark.at(-1)).toBe(320)
    expect(rows[3]?.followers).toBe(12)
  })

  it('narrows by platform, niche, country, creator and topic', async () => {
    const keys = async (params: object) => (await ask(params)).rows.map(row => row.key)
    expect(await keys({ platform: 'tiktok' })).toEqual(['tiktok:d'])
    expect(await keys({ niche: 'gaming' })).toEqual(['youtube:a'])
    expect(await keys({ country: 'de' })).toEqual(['youtube:b', 'youtube:c'])
    expect(await keys({ creator: 'youtube:c1' })).toEqual(['youtube:a', 'youtube:b'])
    expect(await keys({ creator: 'youtube:c1', platform: 'tiktok' })).toEqual([])
    expect(await keys({ topic: '#Fortnite' })).toEqual(['youtube:a', 'tiktok:d', 'youtube:c'])
  })

  it('sorts by every measure, with those that lack it at the end', async () => {
    const keys = async (sort: string) => (await ask({ sort })).rows.map(row => row.key.split(':')[1])
    expect(await keys('views')).toEqual(['c', 'a', 'b', 'd'])
    expect(await keys('velocity')).toEqual(['a', 'b', 'd', 'c'])
    expect((await keys('acceleration')).slice(0, 1)).toEqual(['a'])
    expect(await keys('engagement')).toEqual(['d', 'a', 'c', 'b'])
    expect(await keys('outlier')).toHaveLength(4)
  })

  it('adds up creators from their videos, or takes their own counters where there are any', async () => {
    const { rows } = await ask({ type: 'creators' })
    expect(rows.map(row => [row.key, row.title, row.gain, row.velocity, row.videos])).toEqual([
      ['youtube:c2', 'c2', 240, 10, 1],
      ['youtube:c1', 'First', 180, 10, 2],
      ['tiktok:c3', 'c3', 36, 2, 1],
    ])
    expect((await ask({ type: 'creators', country: 'DE' })).rows.map(row => [row.key, row.gain])).toEqual([
      ['youtube:c1', 60],
      ['youtube:c2', 10],
    ])
  })

  it('adds up topics over platforms and counts who posted them in the window', async () => {
    const { rows } = await ask({ type: 'topics' })
    expect(rows.map(row => [row.key, row.gain, row.clippers, row.platform])).toEqual([
      ['win', 180, 1, 'youtube'],
      ['fortnite', 166, 1, null],
    ])
    expect((await ask({ type: 'topics', sort: 'clippers', platform: 'tiktok' })).rows[0]).toMatchObject({
      key: 'fortnite',
      clippers: 1,
    })
  })

  it('pages without overlap and refuses a cursor that is not ours', async () => {
    const first = await ask({ limit: 3 })
    const second = await ask({ limit: 3, cursor: first.nextCursor ?? '' })
    expect([...first.rows, ...second.rows].map(row => [row.rank, row.key.split(':')[1]])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'd'],
      [4, 'c'],
    ])
    expect(second.nextCursor).toBeNull()
    await expect(ask({ cursor: 'bm8' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('puts what moved most first', async () => {
    const { rows } = await movers(rig.ctx, TrendsParamsSchema.parse({ limit: 2 }))
    expect(rows.map(row => row.key)).toEqual(['youtube:b', 'tiktok:d'])
  })

  it('says of nobody without a gain that they moved', async () => {
    const idle = await movers(rig.ctx, TrendsParamsSchema.parse({ limit: 100 }), async (...asked) => {
      const found = await trends(...asked)
      return {
        ...found,
        rows: found.rows.map((row, index) => (index === 0 ? { ...row, gain: 0, rankChange: 50 } : row)),
      }
    })
    const all = await movers(rig.ctx, TrendsParamsSchema.parse({ limit: 100 }))
    expect(all.rows.every(row => row.gain !== 0)).toBe(true)
    expect(idle.rows).toHaveLength(all.rows.length - 1)
  })

  it('draws series with gaps where nothing was read', async () => {
    const points = async (params: object) =>
      (await series(rig.ctx, SeriesParamsSchema.parse(params))).points.map(point => point.value ?? point.state)
    const id = 'youtube:a'
    expect(await points({ type: 'clips', id, period: '24h', bucket: '6h' })).toEqual([200, 200, 200, 260, 320])
    expect(await points({ type: 'clips', id, metric: 'gain', period: '24h', bucket: '6h' })).toEqual([
      100, 0, 0, 60, 60,
    ])
    expect(await points({ type: 'clips', id, metric: 'velocity', period: '24h', bucket: '1d' })).toEqual([100 / 24, 5])
    expect(await points({ type: 'clips', id, metric: 'engagement', period: '24h', bucket: '1d' })).toEqual([0.05, 0.1])
    expect(
      await points({ type: 'creators', id: 'youtube:c2', metric: 'followers', period: '24h', bucket: '1d' }),
    ).toEqual([10, 12])
    expect(await points({ type: 'creators', id: 'youtube:c1', metric: 'views', period: '24h', bucket: '1d' })).toEqual([
      200, 380,
    ])
    expect(await points({ type: 'topics', id: 'win', metric: 'clippers', period: '24h', bucket: '1d' })).toEqual([0, 1])
    expect(await points({ type: 'clips', id: 'youtube:nobody', period: '24h', bucket: '1d' })).toEqual([
      'not_provided',
      'not_provided',
    ])
    await expect(points({ type: 'clips', id, period: '30d', bucket: '5m' })).rejects.toMatchObject({
      code: 'BAD_REQUEST',
    })
  })

  it('describes a clip, a creator and a topic fact by fact, with provenance', async () => {
    const facts = async (params: object) =>
      new Map((await describe(rig.ctx, DescribeParamsSchema.parse(params))).map(fact => [fact.key, fact]))
    const clip = await facts({ type: 'clips', id: 'youtube:a' })
    expect(clip.get('title')).toMatchObject({ value: 'Fortnite win', source: 'import:test' })
    expect(clip.get('niche:gaming')).toMatchObject({ value: 'gaming', note: 'category is Gaming' })
    expect(clip.get('gain')).toMatchObject({ value: 120, observedAt: '2024-01-05T00:00:00.000Z' })
    expect(clip.get('saves')).toMatchObject({ value: null, state: 'not_provided' })
    expect(clip.get('frozen:V3')).toMatchObject({ value: 200, observedAt: '2024-01-04T00:00:00.000Z' })
    expect(clip.get('frozen:V30')).toMatchObject({ value: null, state: 'too_few' })
    const creator = await facts({ type: 'creators', id: 'youtube:c2' })
    expect(creator.get('gain')?.value).toBe(240)
    expect((await facts({ type: 'topics', id: 'win' })).get('gain')?.value).toBe(180)
    await expect(facts({ type: 'clips', id: 'youtube:zzz' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(facts({ type: 'clips', id: 'zzz' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  it('finds creators, their videos and one video', async () => {
    const found = await searchCreators(rig.ctx, CreatorSearchParamsSchema.parse({ search: 'FIR' }))
    expect(found.rows).toMatchObject([{ creatorId: 'youtube:c1', name: 'First', handle: '@first', videos: 2 }])
    const all = CreatorSearchParamsSchema.parse({ limit: 2 })
    const first = await searchCreators(rig.ctx, all)
    const second = await searchCreators(rig.ctx, { ...all, cursor: first.nextCursor ?? '' })
    expect([...first.rows, ...second.rows].map(row => row.creatorId).sort()).toEqual([
      'tiktok:c3',
      'youtube:c1',
      'youtube:c2',
    ])
    const c1 = creatorId('youtube', 'c1')
    expect(await getCreator(rig.ctx, c1)).toMatchObject({ name: 'First', videos: 2, followers: null })
    const vods = await listVods(rig.ctx, c1, { limit: 1 })
    expect(vods.rows).toMatchObject([{ vodId: 'youtube:b', title: 'A song', source: 'attachable' }])
    const rest = await listVods(rig.ctx, c1, { limit: 1, cursor: vods.nextCursor ?? '' })
    expect(rest).toMatchObject({ rows: [{ vodId: 'youtube:a', duration: 30 }], nextCursor: null })
    expect(await getVideo(rig.ctx, videoId('youtube', 'a'))).toMatchObject({
      views: 320,
      comments: 16,
      shares: null,
      creatorName: 'First',
    })
    await expect(getVideo(rig.ctx, videoId('youtube', 'zzz'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('keeps what an earlier record said when a later one knows less, whatever the engine has merged', async () => {
    await rig.fresh('2024-01-03T00:00:00')
    await rig.videos([{ video: 'a', title: 'Said once', creator: 'c', tags: ['t'], at: '2024-01-01T00:00:00' }])
    await rig.videos([{ video: 'a', title: '', creator: '', tags: [], at: '2024-01-02T00:00:00' }])
    await rig.samples([{ video: 'a', creator: 'c', at: '2024-01-02T00:00:00', views: 5 }])
    const before = await getVideo(rig.ctx, videoId('youtube', 'a'))
    expect(before).toMatchObject({ title: 'Said once' })
    await rig.store.command('OPTIMIZE TABLE replay.videos_v1 FINAL')
    expect(await getVideo(rig.ctx, videoId('youtube', 'a'))).toEqual(before)
  })

  it('computes every live query with unique keys, and knows what touches it', async () => {
    for (const [name, params] of [
      ['trends', {}],
      ['movers', {}],
      ['index', {}],
      ['series', { type: 'clips', id: 'youtube:a' }],
      ['describe', { type: 'clips', id: 'youtube:a' }],
    ] as const) {
      const { rows, columns } = await computeLive(rig.ctx, name, params)
      expect(new Set(rows.map(row => row.key)).size).toBe(rows.length)
      expect(columns).toContain('key')
    }
    const event = {
      world: 'replay',
      platforms: ['tiktok' as const],
      videos: ['tiktok:d'],
      isCut: false,
      rowCount: 1,
      atMs: 0,
    }
    expect(readsOf('trends', { platform: 'youtube' }).isTouchedBy(event)).toBe(false)
    expect(readsOf('trends', {}).isTouchedBy(event)).toBe(true)
    expect(readsOf('describe', { type: 'clips', id: 'youtube:a' }).isTouchedBy(event)).toBe(false)
  })
})

group('niches, outliers, the index', () => {
  it('tags anew when a description or the rules change', async () => {
    await rig.fresh('2024-01-05T00:00:00')
    const rules = testNiches({ niches: [{ name: 'x', label: 'X', rules: [{ titleWords: ['win'] }] }] })
    const niches = async (id: string) => (await getVideo({ ...rig.ctx, niches: rules }, videoId('youtube', id))).niches
    await rig.videos([
      { video: 'a', title: 'A Win!', at: '2024-01-01T00:00:00' },
      { video: 'b', title: 'window' },
    ])
    expect(await tagNiches(rig.ctx.store, rig.ctx.world, rules)).toBe(2)
    expect(await niches('a')).toEqual([{ niche: 'x', rule: 'title has "win"' }])
    expect(await niches('b')).toEqual([])
    await rig.videos([{ video: 'a', title: 'Loss', at: '2024-01-02T00:00:00' }])
    await tagNiches(rig.ctx.store, rig.ctx.world, rules)
    expect(await niches('a')).toEqual([])
    const other = testNiches({ niches: [{ name: 'y', label: 'Y', rules: [{ titleWords: ['loss'] }] }] })
    await tagNiches(rig.ctx.store, rig.ctx.world, other)
    expect((await getVideo({ ...rig.ctx, niches: other }, videoId('youtube', 'a'))).niches).toEqual([
      { niche: 'y', rule: 'title has "loss"' },
    ])
  })

  it('holds a clip against what its creator usually has at the same age', async () => {
    await rig.fresh('2024-02-01T00:00:00')
    const older = [1, 2, 3, 4, 5].map(number => ({
      video: `p${number}`,
      creator: 'c',
      publishedAt: `2024-01-0${number}T00:00:00`,
    }))
    await rig.videos([...older, { video: 'hit', creator: 'c', publishedAt: '2024-01-31T00:00:00' }])
    await rig.samples([
      // At the age of one day: 100, 200, 300, 400, 500. Later counts do not matter.
      ...older.flatMap(({ video, publishedAt }, index) => [
        { video, creator: 'c', at: publishedAt.replace(/T.*/, 'T18:00:00'), views: (index + 1) * 100 },
        { video, creator: 'c', at: '2024-01-20T00:00:00', views: 1_000_000 },
      ]),
      { video: 'hit', creator: 'c', at: '2024-02-01T00:00:00', views: 900 },
    ])
    await rig.settle()
    const { rows, rankedAmong } = await ask({ sort: 'outlier' })
    expect([rankedAmong, (await ask({ sort: 'gain' })).rankedAmong]).toEqual([500, null])
    expect(rows[0]).toMatchObject({ key: 'youtube:hit', outlier: 3, outlierZ: (0.6745 * 600) / 100 })
  })

  it('chains the index day by day from a base of 100', async () => {
    await rig.fresh('2024-01-09T06:00:00')
    await rig.videos([{ video: 'a', category: 'Gaming' }, { video: 'b', category: 'Gaming' }, { video: 'other' }])
    // Views at midnights: a gains 24 a day, then 48, then 96; b 24 every day.
    const gains = { a: [24, 24, 48, 48, 48, 96], b: [24, 24, 24, 24, 24, 24] }
    await rig.samples(
      Object.entries(gains).flatMap(([video, steps]) => {
        let views = 0
        return [0, ...steps].map((step, day) => {
          views += step
          return { video, at: `2024-01-0${day + 3}T00:00:00`, views }
        })
      }),
    )
    await tagNiches(rig.ctx.store, rig.ctx.world, rig.ctx.niches)
    const { rows } = await clipIndex(rig.ctx, IndexParamsSchema.parse({ period: '7d', niche: 'gaming' }))
    // Day by day (1+1), (1+1), (2+1), (2+1), (2+1), (4+1): 100, 150, 250.
    expect(rows).toMatchObject([{ key: 'gaming', level: 250, constituents: 2, velocity: 5 }])
    expect(rows[0]?.changePct).toBeCloseTo((5 / 3 - 1) * 100)
    const all = await clipIndex(rig.ctx, IndexParamsSchema.parse({}))
    expect(all.rows.find(row => row.key === 'music')).toMatchObject({ level: null, spark: [] })
  })
})
