import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { KpiName } from '../../contracts/crm.ts'
import { type Platform, UserIdSchema } from '../../contracts/ids.ts'
import { manualClock } from '../../core/clock.ts'
import { collapse, gainOf } from '../scores.ts'
import { type AnalyticsRig, startAnalyticsRig } from '../test-rig.ts'
import { bestTimes } from './best-time.ts'
import { ownCounters } from './counters.ts'
import type { OwnAccount, OwnNumbers, OwnPost } from './own-numbers.ts'
import { ownPerformance } from './performance.ts'
import { ownPosts } from './posts.ts'

const me = UserIdSchema.parse('11111111-1111-4111-8111-111111111111')
const other = UserIdSchema.parse('22222222-2222-4222-8222-222222222222')
const tube = account('youtube', 'mine')
const tok = account('tiktok', 'mine-too')

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())
// A Saturday.
beforeEach(() => rig.fresh('2026-01-31T12:00:00'))

describe('the numbers of own accounts', () => {
  it('are what was gained in the period, against the period before', async () => {
    describePosts([{ video: 'a', publishedAt: '2026-01-01T00:00:00' }])
    await own([
      { video: 'a', at: '2026-01-29T12:00:00', views: 100, likes: 10, comments: 1 },
      { video: 'a', at: '2026-01-30T06:00:00', views: 170, likes: 12, comments: 1 },
      { video: 'a', at: '2026-01-30T12:00:00', views: 200, likes: 15, comments: 2 },
      { video: 'a', at: '2026-01-31T11:00:00', views: 260, likes: 27, comments: 5 },
    ])
    await ownCreator([
      { at: '2026-01-30T12:00:00', followers: 50 },
      { at: '2026-01-31T11:00:00', followers: 60 },
    ])
    const { total, accounts } = await ownPerformance(rig.ctx, numbers(tube), '24h')
    expect(shortOf(total.kpis)).toEqual({
      followers: [60, 'value', 10, 20, 'value'],
      // 260 - 200 against 200 - 100.
      views: [60, 'value', -40, -40, 'value'],
      // 12 against 5.
      likes: [12, 'value', 7, 140, 'value'],
      comments: [3, 'value', 2, 200, 'value'],
      shares: [null, 'not_provided', null, null, 'not_provided'],
      saves: [null, 'not_provided', null, null, 'not_provided'],
      // (12 + 3) / 60 against (5 + 1) / 100.
      engagement: [0.25, 'value', 0.19, expect.closeTo(316.667, 2), 'value'],
    })
    expect(total.kpis.engagement.over).toEqual(['likes', 'comments'])
    expect(total.kpis.views.observedAt).toBe('2026-01-31T11:00:00.000Z')
    expect(accounts.get(tube.accountId)).toEqual(total.kpis)
    expect(total.series.views).toHaveLength(24)
    const moved = total.series.views.filter(point => point.value !== 0)
    expect(moved).toEqual([{ at: '2026-01-31T11:00:00.000Z', value: 60, state: 'value' }])
    expect(total.series.followers.at(-1)).toEqual({ at: '2026-01-31T12:00:00.000Z', value: 60, state: 'value' })
  })

  it('count a post of the period from zero, and one that was first read in it from there', async () => {
    describePosts([
      { video: 'new', publishedAt: '2026-01-30T00:00:00' },
      { video: 'old', publishedAt: '2020-01-01T00:00:00' },
    ])
    await own([
      { video: 'new', at: '2026-01-30T12:00:00', views: 40 },
      { video: 'new', at: '2026-01-31T12:00:00', views: 90 },
      { video: 'old', at: '2026-01-30T12:00:00', views: 1000 },
      { video: 'old', at: '2026-01-31T12:00:00', views: 1005 },
    ])
    const week = await ownPerformance(rig.ctx, numbers(tube), '7d')
    expect(shortOf(week.total.kpis).views).toEqual([95, 'partial', null, null, 'too_few'])
    expect(week.total.series.views.map(point => [point.value, point.state])).toEqual([
      [null, 'stale'],
      [null, 'stale'],
      [null, 'stale'],
      [null, 'stale'],
      [null, 'stale'],
      // Of the step that ends on the 30th at noon: 40 of the new post, and the first reading of the old one.
      [40, 'partial'],
      [55, 'value'],
    ])
  })

  it("take the account's own counter where it was read, and still hold posts against posts", async () => {
    describePosts([{ video: 'a' }])
    await own([
      { video: 'a', at: '2026-01-30T12:00:00', views: 10, likes: 1 },
      { video: 'a', at: '2026-01-31T12:00:00', views: 30, likes: 6 },
    ])
    await ownCreator([
      { at: '2026-01-30T12:00:00', views: 5000 },
      { at: '2026-01-31T12:00:00', views: 5700 },
    ])
    const { total } = await ownPerformance(rig.ctx, numbers(tube), '24h')
    expect([total.kpis.views.value, total.kpis.likes.value, total.kpis.engagement.value]).toEqual([700, 5, 0.25])
  })

  it('add up accounts, and compare those that have both periods', async () => {
    await ownCreator([
      { at: '2026-01-30T12:00:00', followers: 100 },
      { at: '2026-01-31T12:00:00', followers: 110 },
      { at: '2026-01-31T12:00:00', followers: 7, platform: 'tiktok', creator: 'mine-too' },
    ])
    const { total, accounts } = await ownPerformance(rig.ctx, numbers(tube, tok), '24h')
    expect(shortOf(total.kpis).followers).toEqual([117, 'value', 10, 10, 'value'])
    const short = shortOf(accounts.get(tok.accountId) ?? total.kpis)
    expect(short.followers).toEqual([7, 'value', null, null, 'too_few'])
  })

  it('are the same as of all readings, although only some of them are looked at', async () => {
    const endMs = Date.parse('2026-01-31T12:00:00Z')
    const hourMs = 3_600_000
    let state = 7
    const random = (below: number) => {
      state = (state * 48_271) % 2_147_483_647
      return state % below
    }
    const videos = ['a', 'b', 'c', 'd', 'e'].map((video, index) => ({
      video,
      publishedMs: endMs - (index * 4 + 1) * 24 * hourMs,
      // Up to 24 days back, with gaps of up to three days, and falling now and then.
      readings: Array.from({ length: 40 }, () => ({ atMs: endMs - random(24 * 24) * hourMs, views: random(1000) })),
    }))
    describePosts(
      videos.map(({ video, publishedMs }) => ({
        video,
        publishedAt: new Date(publishedMs).toISOString().slice(0, 19),
      })),
    )
    await own(
      videos.flatMap(({ video, readings }) =>
        collapse(readings).map(({ atMs, views }) => ({ video, at: new Date(atMs).toISOString().slice(0, 19), views })),
      ),
    )
    const plain = (fromMs: number, toMs: number) =>
      videos.flatMap(one => gainOf(collapse(one.readings), { fromMs, toMs }, one.publishedMs)?.gain ?? [])
    const sum = (gains: readonly number[]) => (gains.length === 0 ? null : gains.reduce((a, b) => a + b, 0))
    const { total } = await ownPerformance(rig.ctx, numbers(tube), '7d')
    expect(total.kpis.views.value).toBe(sum(plain(endMs - 7 * 24 * hourMs, endMs)))
    expect(total.series.views.map(point => point.value)).toEqual(
      Array.from({ length: 7 }, (_, day) =>
        sum(plain(endMs - (7 - day) * 24 * hourMs, endMs - (6 - day) * 24 * hourMs)),
      ),
    )
  })

  it('take from days what only these tell: as many whole days as the period has, up to the last that is ready', async () => {
    await ownCreator([
      { at: '2026-01-24T12:00:00', followers: 1_230_000 },
      { at: '2026-01-31T12:00:00', followers: 1_230_000 },
    ])
    const days = Array.from({ length: 14 }, (_, place) => `2026-01-${15 + place}`)
    const early = (day: string) => day < '2026-01-22'
    await ownDays(days.map(day => ({ day, shares: early(day) ? 5 : 999, gained: 300, lost: 100 })))
    // Read again when they had settled.
    const settled = days.filter(day => !early(day))
    await ownDays(settled.map(day => ({ day, shares: 10, gained: 300, lost: 100, at: '2026-01-31T00:00:00' })))
    await ownDays([{ day: '2026-01-28', shares: 777, owner: other }])
    const { total } = await ownPerformance(rig.ctx, numbers(tube), '7d')
    const short = shortOf(total.kpis)
    // The 22nd to the 28th against the 15th to the 21st.
    expect(short.shares).toEqual([70, 'value', 35, 100, 'value'])
    expect(total.kpis.shares.observedAt).toBe('2026-01-29T08:00:00.000Z')
    expect(total.series.shares.map(point => [point.value, point.state])).toEqual([
      ...Array(5).fill([10, 'value']),
      [null, 'stale'],
      [null, 'stale'],
    ])
    // YouTube rounds the level: what was won less what was lost says how it changed.
    expect(short.followers.slice(0, 3)).toEqual([1_230_000, 'value', 1400])
    const month = await ownPerformance(rig.ctx, numbers(tube), '30d')
    expect(shortOf(month.total.kpis).shares).toEqual([105, 'partial', null, null, 'too_few'])
    const clock = manualClock(Date.parse('2026-02-06T12:00:00Z'))
    const late = await ownPerformance({ ...rig.ctx, world: { ...rig.ctx.world, clock } }, numbers(tube), '7d')
    expect(shortOf(late.total.kpis).shares).toEqual([null, 'stale', null, null, 'stale'])
  })

  it('say why one is missing', async () => {
    describePosts([{ video: 'a' }])
    await own([{ video: 'a', at: '2026-01-20T12:00:00', views: 10 }])
    const lacking = { ...tube, lacking: new Set<KpiName>(['followers']) }
    const { total } = await ownPerformance(rig.ctx, numbers(lacking), '24h')
    expect(shortOf(total.kpis)).toMatchObject({
      followers: [null, 'needs_scope', null, null, 'needs_scope'],
      views: [null, 'stale', null, null, 'stale'],
      likes: [null, 'not_provided', null, null, 'not_provided'],
    })
    expect(total.series.followers.every(point => point.state === 'needs_scope')).toBe(true)
    const none = await ownPerformance(rig.ctx, numbers(), '24h')
    expect([none.accounts.size, none.total.kpis.views.state]).toEqual([0, 'not_provided'])
  })

  it('are those of their owner alone, whoever else has the same account', async () => {
    describePosts([{ video: 'a', publishedAt: '2026-01-29T00:00:00' }])
    await own([
      { video: 'a', at: '2026-01-30T12:00:00', views: 1, owner: other },
      { video: 'a', at: '2026-01-31T12:00:00', views: 999, owner: other },
    ])
    await ownCreator([{ at: '2026-01-31T12:00:00', followers: 999, owner: other }])
    await rig.samples([{ video: 'a', at: '2026-01-31T12:00:00', views: 999 }])
    const { total } = await ownPerformance(rig.ctx, numbers(tube), '24h')
    expect(Object.values(total.kpis).map(kpi => kpi.value)).toEqual(Array(7).fill(null))
    const { rows } = await ownPosts(rig.ctx, numbers(tube), { sort: 'newest', limit: 10 })
    expect(rows.map(row => [row.views, row.missing.views, row.observedAt])).toEqual([[null, 'not_provided', null]])
    expect((await bestTimes(rig.ctx, numbers(tube), 'UTC')).posts).toBe(0)
  })
})

describe('accounts whose terms allow no measure', () => {
  it('show where their counters stand, and of each measure what it would take', async () => {
    const withheld = { ...tube, mayDerive: false }
    describePosts([{ video: 'a', publishedAt: '2026-01-01T00:00:00' }, { video: 'b' }])
    await own([
      { video: 'a', at: '2026-01-30T12:00:00', views: 170, likes: 12, comments: 1 },
      { video: 'a', at: '2026-01-31T11:00:00', views: 260, likes: 11 },
      { video: 'b', at: '2026-01-31T10:00:00', views: 40, comments: 2 },
      { video: 'a', at: '2026-01-31T11:00:00', views: 999, owner: other },
    ])
    await ownCreator([{ at: '2026-01-31T11:30:00', followers: 60, views: 5_000 }])
    // What must be gone is gone, though the engine still has it.
    await own([{ video: 'a', at: '2026-01-31T11:30:00', views: 9_999, likes: 99, expiresAt: '2020-01-01T00:00:00' }])
    const period = await ownPerformance(rig.ctx, numbers(), '24h')
    const { total, accounts } = await ownCounters(rig.ctx, numbers(withheld), period)
    expect(Object.entries(total.kpis).map(([name, kpi]) => [name, kpi.value, kpi.state, kpi.counter])).toEqual([
      ['followers', 60, 'value', undefined],
      ['views', null, 'needs_amendment', 5_000],
      ['likes', null, 'needs_amendment', 11],
      ['comments', null, 'needs_amendment', 3],
      ['shares', null, 'needs_amendment', null],
      ['saves', null, 'needs_amendment', null],
      ['engagement', null, 'needs_amendment', null],
    ])
    expect(total.kpis.followers).toMatchObject({ change: null, changeState: 'needs_amendment' })
    expect(total.series.views.map(point => point.state)).toEqual(Array(24).fill('needs_amendment'))
    expect(accounts.get(tube.accountId)).toEqual(total.kpis)
    const { rows } = await ownPosts(rig.ctx, numbers(withheld), { sort: 'engagement', limit: 1 })
    expect(rows).toMatchObject([
      {
        videoId: 'youtube:a',
        views: 260,
        likes: 11,
        engagement: null,
        outlier: null,
        missing: { engagement: 'needs_amendment', outlier: 'needs_amendment', outlierZ: 'needs_amendment' },
      },
    ])
  })

  it('show what their platform counted by day, without anything held against it', async () => {
    const withheld = { ...tube, mayDerive: false }
    await ownCreator([{ at: '2026-01-31T11:30:00', followers: 60, views: 5_000 }])
    const days = Array.from({ length: 14 }, (_, place) => ({ day: `2026-01-${15 + place}`, shares: 10 }))
    await ownDays(days)
    const period = await ownPerformance(rig.ctx, numbers(), '7d')
    const { total, accounts } = await ownCounters(rig.ctx, numbers(withheld), period)
    expect(total.kpis.shares).toMatchObject({
      ...{ value: 70, state: 'value', observedAt: '2026-01-29T08:00:00.000Z' },
      ...{ change: null, changeState: 'needs_amendment', counter: null },
    })
    expect(total.kpis.views).toMatchObject({ value: null, state: 'needs_amendment', counter: 5_000 })
    expect(total.series.shares.map(point => point.value)).toEqual([10, 10, 10, 10, 10, null, null])
    expect(accounts.get(tube.accountId)).toEqual(total.kpis)
  })
})

describe('own posts', () => {
  it('have their last counters, their ages, and what stands against the usual', async () => {
    const days = ['01', '02', '03', '04', '05', '06']
    describePosts(days.map(day => ({ video: `p${day}`, publishedAt: `2026-01-${day}T00:00:00`, title: day })))
    // A day after each: 10, 20, 30, 40, 50, and 120 of the last. The median of the five before it is 30.
    await own(
      days.map((day, index) => ({ video: `p${day}`, at: dayAfter(day), views: index === 5 ? 120 : 10 * (index + 1) })),
    )
    await own([{ video: 'p06', at: '2026-01-06T00:30:00', views: 0, likes: 3 }])
    const { rows, rankedAmong } = await ownPosts(rig.ctx, numbers(tube), { sort: 'newest', limit: 2 })
    expect(rankedAmong).toBeNull()
    expect(rows.map(row => row.title)).toEqual(['06', '05'])
    expect(rows[0]).toMatchObject({
      videoId: 'youtube:p06',
      accountId: tube.accountId,
      publishedAt: '2026-01-06T00:00:00.000Z',
      views: 120,
      likes: 3,
      engagement: 3 / 120,
      engagementOver: ['likes'],
      outlier: 4,
      // 0.6745 × (120 - 30) / 10.
      outlierZ: expect.closeTo(6.0705, 10),
      missing: { comments: 'not_provided', shares: 'not_provided', saves: 'not_provided' },
      observedAt: '2026-01-07T00:00:00.000Z',
    })
    expect(rows[0]?.ages).toEqual([
      { age: 'V1h', views: 0, state: 'zero' },
      { age: 'V1', views: 120, state: 'value' },
      { age: 'V3', views: null, state: 'too_few' },
      { age: 'V7', views: null, state: 'too_few' },
      { age: 'V30', views: null, state: 'pending' },
    ])
    expect(rows[1]?.missing).toMatchObject({ outlier: 'too_few' })
    const byOutlier = await ownPosts(rig.ctx, numbers(tube), { sort: 'outlier', limit: 6 })
    expect([byOutlier.rows[0]?.title, byOutlier.rankedAmong]).toEqual(['06', 200])
  })

  it('come in every order, page by page as they were at the first page', async () => {
    describePosts(['a', 'b', 'c'].map(video => ({ video, publishedAt: '2026-01-01T00:00:00' })))
    await own([
      { video: 'a', at: '2026-01-30T12:00:00', views: 10, likes: 9 },
      { video: 'b', at: '2026-01-30T12:00:00', views: 30 },
      { video: 'c', at: '2026-01-30T12:00:00', views: 20, likes: 1 },
    ])
    const ask = async (sort: 'newest' | 'views' | 'likes' | 'engagement', limit = 3, cursor?: string) => {
      const page = await ownPosts(rig.ctx, numbers(tube), { sort, limit, cursor })
      return { ids: page.rows.map(row => row.videoId.slice(8)).join(''), nextCursor: page.nextCursor }
    }
    expect([await ask('newest'), await ask('views'), await ask('likes'), await ask('engagement')]).toEqual([
      { ids: 'abc', nextCursor: null },
      { ids: 'bca', nextCursor: null },
      { ids: 'acb', nextCursor: null },
      { ids: 'acb', nextCursor: null },
    ])
    const first = await ask('likes', 1)
    await rig.fresh('2026-01-31T12:00:00')
    describePosts(['a', 'b', 'c'].map(video => ({ video, publishedAt: '2026-01-01T00:00:00' })))
    await own([
      { video: 'a', at: '2026-01-30T12:00:00', views: 10, likes: 9 },
      { video: 'b', at: '2026-01-30T12:00:00', views: 30 },
      { video: 'c', at: '2026-01-30T12:00:00', views: 20, likes: 1 },
      { video: 'b', at: '2026-01-31T12:00:01', views: 30, likes: 5 },
    ])
    const second = await ask('likes', 1, first.nextCursor ?? '')
    const third = await ask('likes', 1, second.nextCursor ?? '')
    expect([first.ids, second.ids, third]).toEqual(['a', 'c', { ids: 'b', nextCursor: null }])
    await expect(ask('likes', 1, 'eyJhZnRlciI6W119')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('the best time', () => {
  it('is by the weekday and hour of a time zone, with how many posts say so', async () => {
    // 23:30 UTC on a Sunday is 00:30 on Monday in Berlin; the third post is one hour later in summer time.
    const published = {
      e: '2026-01-31T00:00:00',
      a: '2026-01-04T23:30:00',
      b: '2026-01-11T23:10:00',
      c: '2025-07-06T22:59:00',
      d: '2026-01-07T12:00:00',
    }
    describePosts(Object.entries(published).map(([video, publishedAt]) => ({ video, publishedAt })))
    await own([
      { video: 'a', at: '2026-01-05T20:00:00', views: 100 },
      { video: 'b', at: '2026-01-12T20:00:00', views: 300 },
      { video: 'c', at: '2025-07-07T20:00:00', views: 500 },
      { video: 'd', at: '2026-01-08T11:00:00', views: 200 },
      // After the first day, and of a post that is too young: neither counts.
      { video: 'd', at: '2026-01-09T11:00:00', views: 9999 },
      { video: 'e', at: '2026-01-31T11:00:00', views: 9999 },
    ])
    const berlin = await bestTimes(rig.ctx, numbers(tube), 'Europe/Berlin')
    expect([berlin.posts, berlin.cells.length]).toEqual([4, 168])
    // The account's median is 250.
    expect(berlin.cells.filter(cell => cell.posts > 0)).toEqual([
      { weekday: 1, hour: 0, posts: 3, views: 300, multiple: 1.2 },
      { weekday: 3, hour: 13, posts: 1, views: 200, multiple: 0.8 },
    ])
    const utc = await bestTimes(rig.ctx, numbers(tube), 'UTC')
    expect(utc.cells.filter(cell => cell.posts > 0).map(cell => [cell.weekday, cell.hour, cell.posts])).toEqual([
      [3, 12, 1],
      [7, 22, 1],
      [7, 23, 2],
    ])
    expect(utc.cells[0]).toEqual({ weekday: 1, hour: 0, posts: 0, views: null, multiple: null })
  })
})

function account(platform: Platform, creatorId: string) {
  const accountId =
    platform === 'youtube' ? '33333333-3333-4333-8333-333333333333' : '44444444-4444-4444-8444-444444444444'
  return { accountId, platform, creatorId, lacking: new Set<KpiName>(), mayDerive: true }
}

/** The first account's posts are described as `describePosts` said last. */
let described: OwnPost[] = []
function numbers(...accounts: OwnAccount[]): OwnNumbers {
  return {
    owner: me,
    accounts,
    posts: described.filter(post => accounts.some(one => one.accountId === post.accountId)),
  }
}

function describePosts(rows: readonly { video: string; publishedAt?: string; title?: string }[]): void {
  const posts = rows.map(
    ({ video, publishedAt, title }): OwnPost => ({
      accountId: tube.accountId,
      platform: 'youtube',
      id: video,
      kind: 'clip',
      title: title ?? '',
      url: '',
      thumbnailUrl: '',
      durationSeconds: null,
      publishedMs: publishedAt === undefined ? null : Date.parse(`${publishedAt}Z`),
    }),
  )
  described = posts.sort((a, b) => (b.publishedMs ?? 0) - (a.publishedMs ?? 0))
}

function shortOf(kpis: Awaited<ReturnType<typeof ownPerformance>>['total']['kpis']) {
  const short = (name: KpiName) => {
    const { value, state, change, changePct, changeState } = kpis[name]
    return [value, state, change, changePct, changeState]
  }
  return {
    followers: short('followers'),
    views: short('views'),
    likes: short('likes'),
    comments: short('comments'),
    shares: short('shares'),
    saves: short('saves'),
    engagement: short('engagement'),
  }
}

interface OwnReading {
  readonly at: string
  readonly views?: number
  readonly likes?: number
  readonly platform?: Platform
  readonly creator?: string
  readonly owner?: string
  readonly expiresAt?: string
}

function own(rows: readonly (OwnReading & { video: string; comments?: number })[]): Promise<void> {
  return rig.rows(
    'own_samples_v1',
    rows.map(row => ({
      ...rowOf(row),
      video_id: row.video,
      comments: row.comments ?? null,
      shares: null,
      saves: null,
    })),
  )
}

function ownCreator(rows: readonly (OwnReading & { followers?: number })[]): Promise<void> {
  return rig.rows(
    'own_creator_samples_v1',
    rows.map(row => ({ ...rowOf(row), followers: row.followers ?? null, videos: null })),
  )
}

function ownDays(
  rows: readonly { day: string; shares: number; gained?: number; lost?: number; at?: string; owner?: string }[],
): Promise<void> {
  return rig.rows(
    'own_days_v1',
    rows.map(row => ({
      owner_id: row.owner ?? me,
      platform: 'youtube',
      creator_id: 'mine',
      day: row.day,
      shares: row.shares,
      followers_gained: row.gained ?? null,
      followers_lost: row.lost ?? null,
      observed_at: (row.at ?? '2026-01-30T00:00:00').replace('T', ' '),
      source: 'own:youtube-api',
      endpoint: 'reports.query',
    })),
  )
}

function rowOf(row: OwnReading): object {
  return {
    owner_id: row.owner ?? me,
    platform: row.platform ?? 'youtube',
    creator_id: row.creator ?? 'mine',
    observed_at: row.at.replace('T', ' '),
    views: row.views ?? null,
    likes: row.likes ?? null,
    source: 'own:test',
    endpoint: '',
    definition_version: 1,
    expires_at: row.expiresAt?.replace('T', ' ') ?? '2106-02-07 00:00:00',
  }
}

function dayAfter(day: string): string {
  return `2026-01-${String(Number(day) + 1).padStart(2, '0')}T00:00:00`
}
