import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  bearer,
  linkFacebook,
  linkInstagram,
  openTestSandbox,
  startMs,
  type TestSandbox,
  withQuery,
} from './test-sandbox.ts'
import type { Creator, Post } from './world.ts'

const hourMs = 3_600_000
let test: TestSandbox
let instagram: string
let facebook: string
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount: 30 })
  instagram = (await linkInstagram(test)).json.data[0].access_token
  facebook = (await linkFacebook(test)).json.access_token
})
afterAll(() => test.sandbox.close())
beforeEach(() => {
  test.clock.set(startMs)
  const { controls } = test.sandbox
  controls.clearQuotas()
  Object.assign(controls.limits, { instagramPerDay: 48_000, metaPerHour: 200, hashtagsPerWeek: 30 })
  controls.quirks.instagramEmptyInsights = false
  controls.app('facebook').hasPublicContent = true
})

const creatorAt = (index: number): Creator => {
  const creator = test.sandbox.controls.world.creatorAt('instagram', index)
  if (!creator) throw new Error('There are 30 creators.')
  return creator
}
const postsOf = (index: number): Post[] => [...test.sandbox.controls.world.posts(creatorAt(index), startMs)]
const ig = (path: string, query: Record<string, string> = {}) =>
  test.get(withQuery(`${test.sandbox.urls.instagramGraph}/v25.0${path}`, query), bearer(instagram))
const fb = (path: string, query: Record<string, string> = {}) =>
  test.get(withQuery(`${test.sandbox.urls.facebookGraph}/v25.0${path}`, query), bearer(facebook))
const errorOf = (reply: { json: { error: { code: number; error_subcode?: number } } }) =>
  [reply.json.error.code, reply.json.error.error_subcode].filter(code => code !== undefined)

describe('the profile', () => {
  it('has an id of the app and a professional one with Instagram Login, the latter alone with Facebook Login', async () => {
    const fields = 'id,username,name,followers_count,media_count'
    const creator = creatorAt(0)
    const own = (await ig('/me', { fields: `${fields},user_id,account_type` })).json
    expect(own).toMatchObject({ id: creator.otherId, user_id: creator.id, username: creator.handle })
    expect(own.followers_count).toEqual(expect.any(Number))
    expect((await fb(`/${creator.id}`, { fields })).json).toMatchObject({ id: creator.id, username: creator.handle })
    expect((await ig('/me')).json).toEqual({ id: creator.otherId })
  })

  it('accepts any version, and the token as a parameter too', async () => {
    const url = withQuery(`${test.sandbox.urls.instagramGraph}/v21.0/me`, { access_token: instagram })
    expect((await test.get(url)).status).toBe(200)
    expect(errorOf(await test.get(`${test.sandbox.urls.instagramGraph}/latest/me`))).toEqual([2500])
  })

  it('refuses the token of the other login, no token, and what is not one’s own', async () => {
    const crossed = `${test.sandbox.urls.instagramGraph}/v25.0/me`
    expect(errorOf(await test.get(crossed, bearer(facebook)))).toEqual([190])
    expect(errorOf(await test.get(crossed))).toEqual([2500])
    expect(errorOf(await ig(`/${creatorAt(5).id}`, { fields: 'id' }))).toEqual([100, 33])
    expect(errorOf(await ig(`/${postsOf(5)[0]?.id}`, { fields: 'id' }))).toEqual([100, 33])
  })
})

describe('media', () => {
  const fields = 'id,caption,media_type,media_product_type,permalink,shortcode,timestamp,like_count,comments_count'

  it('page by cursors until there is no next, which carries everything that is needed', async () => {
    const seen: string[] = []
    let url: string | undefined = withQuery(`${test.sandbox.urls.instagramGraph}/v25.0/me/media`, {
      fields,
      limit: '100',
    })
    for (let headers: Record<string, string> = bearer(instagram); url !== undefined; headers = {}) {
      const { json } = await test.get(url, headers)
      seen.push(...json.data.map((one: { id: string }) => one.id))
      url = json.paging?.next
    }
    expect(seen).toEqual(postsOf(0).map(post => post.id))
    expect(errorOf(await ig('/me/media', { after: 'nonsense' }))).toEqual([100])
    expect(errorOf(await ig('/me/media', { limit: '101' }))).toEqual([100])
  })

  it('have times without a colon in the offset, and say reels from posts', async () => {
    const { data } = (await ig('/me/media', { fields })).json
    expect(data).toHaveLength(25)
    expect(data[0].timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000$/)
    expect(new Set(data.map((one: { media_product_type: string }) => one.media_product_type))).toEqual(
      new Set(['REELS', 'FEED']),
    )
  })

  it('leave out what is hidden or flagged', async () => {
    const { data } = (await ig('/me/media', { fields: 'id,like_count,media_url', limit: '100' })).json
    expect(data.some((one: object) => !('like_count' in one))).toBe(true)
    expect(data.some((one: object) => !('media_url' in one))).toBe(true)
  })

  it('have some fields with Facebook Login alone', async () => {
    const more = 'id,shares_count,saved_count,total_views_count'
    expect((await fb(`/${creatorAt(0).id}/media`, { fields: more })).json.data[0]).toMatchObject({
      shares_count: expect.any(Number),
    })
    expect(await ig('/me/media', { fields: more })).toMatchObject({
      status: 400,
      json: { error: { code: 100, message: '(#100) Tried accessing nonexisting field (shares_count)' } },
    })
  })

  it('expand inside of other fields, and come by several ids', async () => {
    const expanded = (await ig('/me', { fields: 'username,media.limit(2){id,like_count,permalink}' })).json
    expect(expanded.media.data).toHaveLength(2)
    const ids = postsOf(0)
      .slice(0, 2)
      .map(post => post.id)
    const several = await ig('/', { ids: ids.join(','), fields: 'id,insights.metric(views,reach){name,values}' })
    expect(Object.keys(several.json).sort()).toEqual([...ids].sort())
    expect(several.json[ids[0] ?? ''].insights.data[0]).toEqual({
      name: 'views',
      values: [{ value: expect.any(Number) }],
    })
    expect(errorOf(await ig('/', { ids: `${ids[0]},17900000000000000` }))).toEqual([100, 33])
  })
})

describe('insights', () => {
  const reel = () => postsOf(0).find(post => post.kind === 'clip')?.id ?? ''
  const photo = () => postsOf(0).find(post => post.kind === 'photo')?.id ?? ''

  it('of media come by name; one that does not fit fails all', async () => {
    const { json } = await ig(`/${reel()}/insights`, { metric: 'views,reach,ig_reels_avg_watch_time' })
    expect(json.data[0]).toMatchObject({
      name: 'views',
      period: 'lifetime',
      values: [{ value: expect.any(Number) }],
      id: `${reel()}/insights/views/lifetime`,
    })
    expect(errorOf(await ig(`/${photo()}/insights`, { metric: 'views,ig_reels_avg_watch_time' }))).toEqual([100])
    for (const gone of ['impressions', 'plays', 'video_views'])
      expect(errorOf(await ig(`/${reel()}/insights`, { metric: `views,${gone}` }))).toEqual([100])
    expect(errorOf(await ig(`/${reel()}/insights`, { metric: 'facebook_views' }))).toEqual([100, 2207086])
    expect((await fb(`/${reel()}/insights`, { metric: 'total_views' })).status).toBe(200)
  })

  it('of media may be empty with success, or not there because of when they were posted', async () => {
    const first = postsOf(0).at(-1)?.id
    expect(errorOf(await ig(`/${first}/insights`, { metric: 'views' }))).toEqual([100, 2108006])
    test.sandbox.controls.quirks.instagramEmptyInsights = true
    expect(await ig(`/${reel()}/insights`, { metric: 'views' })).toMatchObject({ status: 200, json: { data: [] } })
  })

  it('of a medium that nobody has seen are refused, though nothing is wrong with the token', async () => {
    const fresh = postsOf(0)[0]
    if (!fresh) throw new Error('There are posts.')
    test.clock.set(fresh.publishedAtMs)
    const token = (await linkInstagram(test)).json.data[0].access_token
    const url = withQuery(`${test.sandbox.urls.instagramGraph}/v25.0/${fresh.id}/insights`, { metric: 'views' })
    expect(await test.get(url, bearer(token))).toMatchObject({
      json: { error: { code: 10, message: '(#10) Not enough viewers for the media to show insights' } },
    })
  })

  it('of the account are totals, of reach a series as well, over thirty days at most', async () => {
    const until = Math.floor(startMs / 1000)
    const span = { period: 'day', since: String(until - 7 * 86_400), until: String(until) }
    const total = await ig('/me/insights', { metric: 'reach,views', metric_type: 'total_value', ...span })
    expect(total.json.data[0]).toMatchObject({
      name: 'reach',
      period: 'day',
      total_value: { value: expect.any(Number) },
    })
    const series = await ig('/me/insights', { metric: 'reach', ...span })
    expect(series.json.data[0].values).toHaveLength(7)
    expect(series.json.data[0].values[0].end_time).toMatch(/\+0000$/)
    expect(errorOf(await ig('/me/insights', { metric: 'views', ...span }))).toEqual([100])
    const long = { ...span, since: String(until - 31 * 86_400) }
    expect(errorOf(await ig('/me/insights', { metric: 'reach', ...long }))).toEqual([100])
    const shell = await ig('/me/insights', { metric: 'follows_and_unfollows', metric_type: 'total_value', ...span })
    expect(shell.json.data[0]).not.toHaveProperty('total_value')
    const online = await ig('/me/insights', { metric: 'online_followers', ...span, period: 'lifetime' })
    expect(Object.keys(online.json.data[0].values[0].value)).toHaveLength(24)
  })
})

describe('what is public, with Facebook Login', () => {
  const discover = (username: string, fields: string) =>
    fb(`/${creatorAt(0).id}`, { fields: `business_discovery.username(${username}){${fields}}` })

  it('shows professional accounts with the views of their reels, page by page', async () => {
    const other = creatorAt(4)
    const fields = (after: string) =>
      `id,username,followers_count,media${after}.limit(5){id,caption,media_type,like_count,view_count,timestamp}`
    const { business_discovery } = (await discover(other.handle, fields(''))).json
    expect(business_discovery).toMatchObject({ id: other.id, username: other.handle })
    const first = business_discovery.media.data
    expect(first.some((one: object) => 'view_count' in one)).toBe(true)
    const after = business_discovery.media.paging.cursors.after
    const second = (await discover(other.handle, fields(`.after(${after})`))).json.business_discovery.media.data
    expect([...first, ...second].map((one: { id: string }) => one.id)).toEqual(
      postsOf(4)
        .slice(0, 10)
        .map(post => post.id),
    )
  })

  it('does not show personal accounts nor those that are not there', async () => {
    expect(errorOf(await discover(creatorAt(6).handle, 'id'))).toEqual([110])
    expect(errorOf(await discover('nobody', 'id'))).toEqual([110])
    expect(errorOf(await ig('/me', { fields: 'business_discovery.username(nobody){id}' }))).toEqual([100])
  })

  it('finds hashtags, at most so many different ones a week', async () => {
    const search = (q: string) => fb('/ig_hashtag_search', { user_id: creatorAt(0).id, q })
    const { id } = (await search('fyp')).json.data[0]
    const query = { user_id: creatorAt(0).id, fields: 'id,caption,like_count,permalink' }
    const top = (await fb(`/${id}/top_media`, query)).json.data
    expect(top.length).toBeGreaterThan(0)
    expect(top[0]).not.toHaveProperty('username')
    expect((await fb(`/${id}/recent_media`, query)).json.data.length).toBeLessThanOrEqual(top.length)
    expect(errorOf(await search('nobodyeverusedthis'))).toEqual([24])
    test.sandbox.controls.limits.hashtagsPerWeek = 2
    expect((await search('fyp')).status).toBe(200)
    expect(errorOf(await search('viral'))).toEqual([18])
    test.sandbox.controls.app('facebook').hasPublicContent = false
    expect(errorOf(await search('fyp'))).toEqual([10])
  })
})

describe('limits', () => {
  it('are told in percent after a few calls, and in minutes once they are over', async () => {
    test.sandbox.controls.limits.instagramPerDay = 10
    const usage = (reply: { headers: Headers }) =>
      JSON.parse(reply.headers.get('x-business-use-case-usage') ?? 'null')?.[creatorAt(0).id]?.[0]
    expect(usage(await ig('/me'))).toBeUndefined()
    for (let calls = 2; calls < 8; calls += 1) await ig('/me')
    expect(usage(await ig('/me'))).toMatchObject({
      type: 'instagram',
      call_count: 80,
      estimated_time_to_regain_access: 0,
    })
    await ig('/me')
    await ig('/me')
    const over = await ig('/me')
    expect(errorOf(over)).toEqual([80002])
    expect(usage(over)).toMatchObject({ call_count: 110, estimated_time_to_regain_access: 24 * 60 })
  })

  it('count for the whole app where the data are not one’s own', async () => {
    test.sandbox.controls.limits.metaPerHour = 1
    const ask = () => fb(`/${creatorAt(0).id}`, { fields: `business_discovery.username(${creatorAt(4).handle}){id}` })
    expect((await ask()).status).toBe(200)
    expect(errorOf(await ask())).toEqual([4])
    expect((await fb(`/${creatorAt(0).id}`, { fields: 'id' })).status).toBe(200)
    test.clock.advance(hourMs)
    expect((await ask()).status).toBe(200)
  })
})

it('lacks what was not granted', async () => {
  const token = (await linkFacebook(test, { scopes: ['pages_show_list'] })).json.access_token
  const url = withQuery(`${test.sandbox.urls.facebookGraph}/v25.0/${creatorAt(0).id}`, { fields: 'username' })
  expect(errorOf(await test.get(url, bearer(token)))).toEqual([10])
})
