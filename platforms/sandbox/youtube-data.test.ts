import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bearer, linkGoogle, openTestSandbox, startMs, type TestSandbox, withQuery } from './test-sandbox.ts'
import type { Creator, Post } from './world.ts'

const hourMs = 3_600_000
type Query = Record<string, string | string[]>
let test: TestSandbox
let token: string
beforeAll(async () => {
  test = await openTestSandbox()
  token = (await linkGoogle(test)).json.access_token
})
afterAll(() => test.sandbox.close())
beforeEach(() => {
  test.clock.set(startMs)
  const { controls } = test.sandbox
  controls.clearQuotas()
  Object.assign(controls.limits, { youtubeUnits: 10_000, youtubeSearch: 100, youtubeStats: 10_000 })
  controls.app('google').apisOff = []
  controls.quirks.youtubeSummary = true
})

const key = () => test.sandbox.controls.app('google').apiKeys[0] ?? ''
const url = (path: string, query: Query) => withQuery(`${test.sandbox.urls.youtubeData}/youtube/v3/${path}`, query)
const get = (path: string, query: Query) => test.get(url(path, { key: key(), ...query }))
const mine = (path: string, query: Query, value = token) => test.get(url(path, query), bearer(value))
const creatorAt = (index: number): Creator => {
  const creator = test.sandbox.controls.world.creatorAt('youtube', index)
  if (!creator) throw new Error('There are 60 creators.')
  return creator
}
const postsOf = (index: number): Post[] => [...test.sandbox.controls.world.posts(creatorAt(index), startMs)]
const idsOf = (index: number, count: number) =>
  postsOf(index)
    .slice(0, count)
    .map(post => post.id)
const reasonOf = (reply: { json: { error: { errors: { reason: string }[] } } }) => reply.json.error.errors[0]?.reason

describe('lists of videos', () => {
  it('have the documented shape: counts are texts, sizes are numbers, times have no fractions', async () => {
    const [id = ''] = idsOf(0, 1)
    const { status, json } = await get('videos', {
      part: ['snippet', 'statistics,contentDetails', 'status'],
      id,
    })
    expect(status).toBe(200)
    expect(json).toMatchObject({
      kind: 'youtube#videoListResponse',
      etag: expect.any(String),
      pageInfo: { totalResults: 1, resultsPerPage: 1 },
    })
    expect(json.items[0]).toMatchObject({
      kind: 'youtube#video',
      id,
      snippet: {
        publishedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        channelId: creatorAt(0).id,
        thumbnails: { default: { width: 120, height: 90 } },
      },
      statistics: { viewCount: expect.stringMatching(/^\d+$/), favoriteCount: '0' },
      status: { privacyStatus: 'public' },
    })
    expect(json.items[0]).not.toHaveProperty('player')
  })

  it('take repeated parameters and commas alike, and leave unknown ids out', async () => {
    const [a = '', b = ''] = idsOf(0, 2)
    const repeated = await get('videos', { part: ['id', 'statistics'], id: [a, b, 'xxxxxxxxxxx'] })
    const commas = await get('videos', { part: 'id,statistics', id: `${a},${b},xxxxxxxxxxx` })
    expect(repeated.json).toEqual(commas.json)
    expect(commas.json.items.map((item: { id: string }) => item.id)).toEqual([a, b])
  })

  it('leave out what is hidden, and never send zero for it', async () => {
    const all = Array.from({ length: 20 }, (_, index) => postsOf(index)).flat()
    const hidden = all.find(post => !post.hasLikes)
    const silent = all.find(post => !post.hasComments)
    if (!hidden || !silent) throw new Error('Some are hidden.')
    const { json } = await get('videos', { part: 'statistics', id: [hidden.id, silent.id] })
    expect(json.items[0].statistics).not.toHaveProperty('likeCount')
    expect(json.items[1].statistics).not.toHaveProperty('commentCount')
    const stats = await get('videos:batchGetStats', { part: 'statistics', id: [hidden.id, silent.id] })
    expect(stats.json.items[0].statistics).not.toHaveProperty('likeCount')
  })

  it('are masked by fields, whichever way they are written', async () => {
    const [id = ''] = idsOf(0, 1)
    const mask = async (fields: string) => (await get('videos', { part: 'id,snippet,statistics', id, fields })).json
    expect(await mask('items(id,statistics/viewCount)')).toEqual({
      items: [{ id, statistics: { viewCount: expect.any(String) } }],
    })
    expect(await mask('items/snippet(title,channelId),kind')).toEqual({
      kind: 'youtube#videoListResponse',
      items: [{ snippet: { title: expect.any(String), channelId: creatorAt(0).id } }],
    })
    expect(reasonOf(await get('videos', { part: 'id', id, fields: 'items(' }))).toBe('invalidParameter')
  })

  it('refuse too many ids, unknown parts and what does not go together', async () => {
    const ids = postsOf(0)
      .slice(0, 51)
      .map(post => post.id)
    expect(reasonOf(await get('videos', { part: 'id', id: ids }))).toBe('invalidParameter')
    expect(reasonOf(await get('videos', { part: 'id,everything', id: ids.slice(0, 1) }))).toBe('unknownPart')
    expect(reasonOf(await get('videos', { part: 'id', id: ids[0] ?? '', chart: 'mostPopular' }))).toBe(
      'incompatibleParameters',
    )
    expect(reasonOf(await get('videos', { part: 'id' }))).toBe('missingRequiredParameter')
    expect(reasonOf(await get('videos', { id: ids[0] ?? '' }))).toBe('missingRequiredParameter')
    expect(reasonOf(await get('videos', { part: 'id', chart: 'newest' }))).toBe('videoChartNotFound')
    expect(reasonOf(await get('videos', { part: 'id', chart: 'mostPopular', regionCode: 'XX' }))).toBe(
      'invalidRegionCode',
    )
  })

  it('page through the popular chart without a gap or a repetition', async () => {
    const ids: string[] = []
    for (let pageToken: string | undefined = ''; pageToken !== undefined; ) {
      const query: Query = { part: 'id', chart: 'mostPopular', regionCode: 'DE', maxResults: '50' }
      const { json } = await get('videos', pageToken === '' ? query : { ...query, pageToken })
      ids.push(...json.items.map((item: { id: string }) => item.id))
      pageToken = json.nextPageToken
    }
    expect(ids.length).toBeGreaterThan(50)
    expect(new Set(ids).size).toBe(ids.length)
    expect(reasonOf(await get('videos', { part: 'id', chart: 'mostPopular', pageToken: 'nonsense' }))).toBe(
      'invalidPageToken',
    )
  })

  it('show a stream while it is on, and its recording afterwards', async () => {
    const stream = postsOf(0).find(post => post.kind === 'stream')
    if (!stream?.endsAtMs) throw new Error('The first creator streams.')
    const ask = async () =>
      (await get('videos', { part: 'snippet,contentDetails,liveStreamingDetails', id: stream.id })).json.items[0]
    test.clock.set(stream.publishedAtMs + 600_000)
    expect(await ask()).toMatchObject({
      snippet: { liveBroadcastContent: 'live' },
      contentDetails: { duration: 'P0D' },
      liveStreamingDetails: { concurrentViewers: expect.stringMatching(/^\d+$/), activeLiveChatId: expect.any(String) },
    })
    test.clock.set(stream.endsAtMs)
    const after = await ask()
    expect(after.snippet.liveBroadcastContent).toBe('none')
    expect(after.contentDetails.duration).toMatch(/^PT\d+H/)
    expect(after.liveStreamingDetails.actualEndTime).toBeDefined()
    expect(after.liveStreamingDetails).not.toHaveProperty('activeLiveChatId')
    expect(after.liveStreamingDetails).not.toHaveProperty('concurrentViewers')
  })
})

describe('statistics alone', () => {
  it('have their own names, a duration in seconds, and a summary that may be absent', async () => {
    const [id = ''] = idsOf(2, 1)
    const query = { part: 'id,snippet,contentDetails,statistics', id: [id, 'xxxxxxxxxxx'] }
    const { json } = await get('videos:batchGetStats', query)
    expect(json.items).toEqual([
      {
        kind: 'youtube#videoStats',
        etag: expect.any(String),
        id,
        snippet: { publishTime: expect.stringMatching(/Z$/) },
        contentDetails: { duration: expect.stringMatching(/^\d+s$/) },
        statistics: expect.objectContaining({ viewCount: expect.stringMatching(/^\d+$/) }),
      },
    ])
    expect(json.summary).toEqual({
      requestedVideoCount: 2,
      succeededVideoCount: 1,
      failedVideoCount: 1,
      failedVideoIds: ['xxxxxxxxxxx'],
    })
    test.sandbox.controls.quirks.youtubeSummary = false
    expect((await get('videos:batchGetStats', query)).json).not.toHaveProperty('summary')
  })
})

describe('channels and their uploads', () => {
  it('are found by id, handle and as one’s own; the followers are rounded down to three digits', async () => {
    const creator = creatorAt(0)
    const part = 'snippet,statistics,contentDetails'
    const [byId, byHandle, own] = await Promise.all([
      get('channels', { part, id: creator.id }),
      get('channels', { part, forHandle: `@${creator.handle}` }),
      mine('channels', { part, mine: 'true' }),
    ])
    expect(byId.json.items[0]).toMatchObject({
      id: creator.id,
      statistics: { subscriberCount: expect.stringMatching(/^\d{3}0*$/), hiddenSubscriberCount: false },
      contentDetails: { relatedPlaylists: { uploads: creator.id.replace('UC', 'UU') } },
    })
    expect(byHandle.json.items).toEqual(byId.json.items)
    expect(own.json.items).toEqual(byId.json.items)
  })

  it('are no list at all where nobody is found', async () => {
    expect((await get('channels', { part: 'id', forHandle: '@nobody' })).json).not.toHaveProperty('items')
  })

  it('list every upload once, newest first, also while new ones come', async () => {
    const playlistId = creatorAt(3).id.replace('UC', 'UU')
    const seen: string[] = []
    for (let pageToken: string | null = null, more = true; more; ) {
      const query: Query = { part: 'contentDetails', playlistId, maxResults: '50' }
      const { json } = await get('playlistItems', pageToken === null ? query : { ...query, pageToken })
      seen.push(...json.items.map((item: { contentDetails: { videoId: string } }) => item.contentDetails.videoId))
      pageToken = json.nextPageToken ?? null
      more = pageToken !== null
      test.clock.advance(60_000)
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen).toEqual(postsOf(3).map(post => post.id))
    expect(reasonOf(await get('playlistItems', { part: 'id', playlistId: 'UUnobody' }))).toBe('playlistNotFound')
  })

  it('are gone when the creator is', async () => {
    const creator = creatorAt(9)
    test.sandbox.controls.world.remove(creator.id, startMs)
    expect((await get('channels', { part: 'id', id: creator.id })).json).not.toHaveProperty('items')
    const playlistId = creator.id.replace('UC', 'UU')
    expect(reasonOf(await get('playlistItems', { part: 'id', playlistId }))).toBe('playlistNotFound')
  })

  it('keep hostile titles as they are', async () => {
    const ids = idsOf(1, 28)
    const { json } = await get('videos', { part: 'snippet', id: ids })
    const titles: string[] = json.items.map((item: { snippet: { title: string } }) => item.snippet.title)
    expect(titles.some(title => title.includes('\u001b[2J'))).toBe(true)
    expect(Math.max(...titles.map(title => title.length))).toBe(10_000)
  })
})

describe('the other lists', () => {
  it('search with titles escaped for HTML and no statistics, from a bucket of its own', async () => {
    const { json } = await get('search', {
      part: 'snippet',
      type: 'video',
      channelId: creatorAt(1).id,
      maxResults: '50',
    })
    const titles = json.items.map((item: { snippet: { title: string } }) => item.snippet.title)
    expect(titles.some((title: string) => title.includes('&#60;script&#62;'))).toBe(true)
    expect(json.items[0].id).toEqual({ kind: 'youtube#video', videoId: expect.any(String) })
    expect(json.items[0]).not.toHaveProperty('statistics')
    expect(reasonOf(await get('search', { part: 'snippet', eventType: 'live' }))).toBe('badRequest')
    const used = Object.entries(test.sandbox.controls.usedToday())
    expect(used.map(([name, units]) => [name.split(' ')[1], units])).toEqual([['youtube:search', 2]])
  })

  it('name the categories of a region', async () => {
    const { json } = await get('videoCategories', { part: 'snippet', regionCode: 'US' })
    expect(json.items).toContainEqual(
      expect.objectContaining({ id: '20', snippet: expect.objectContaining({ title: 'Gaming', assignable: true }) }),
    )
  })

  it('give comments, their replies, and the refusal where they are off', async () => {
    const all = Array.from({ length: 20 }, (_, index) => postsOf(index)).flat()
    const open = all.find(post => post.hasComments && test.sandbox.controls.world.counters(post, startMs).comments > 45)
    const closed = all.find(post => !post.hasComments)
    const { json } = await get('commentThreads', { part: 'snippet,replies', videoId: open?.id ?? '' })
    expect(json.items).toHaveLength(20)
    expect(json.items[1].snippet).toMatchObject({ totalReplyCount: 1 })
    const replies = await get('comments', { part: 'snippet', parentId: json.items[1].id })
    expect(replies.json.items[0].id).toMatch(/^Ug.+\.r0$/)
    expect(reasonOf(await get('commentThreads', { part: 'snippet', videoId: closed?.id ?? '' }))).toBe(
      'commentsDisabled',
    )
    expect(reasonOf(await get('commentThreads', { part: 'snippet', videoId: 'xxxxxxxxxxx' }))).toBe('videoNotFound')
    expect(reasonOf(await mine('commentThreads', { part: 'snippet', videoId: open?.id ?? '' }))).toBe(
      'insufficientPermissions',
    )
  })

  it("list one's own broadcasts, and the chat of one that is on", async () => {
    const stream = postsOf(0).find(post => post.kind === 'stream')
    if (!stream) throw new Error('The first creator streams.')
    test.clock.set(stream.publishedAtMs + 600_000)
    const fresh = (await linkGoogle(test)).json.access_token
    const ask = (broadcastStatus: string) =>
      mine('liveBroadcasts', { part: 'snippet,status', broadcastStatus, broadcastType: 'all' }, fresh)
    const active = (await ask('active')).json
    expect(active.items).toMatchObject([{ id: stream.id, status: { lifeCycleStatus: 'live' } }])
    expect((await ask('completed')).json.items[0].snippet.actualEndTime).toBeDefined()
    const liveChatId = active.items[0].snippet.liveChatId
    const chat = await mine('liveChat/messages', { part: 'snippet,authorDetails', liveChatId }, fresh)
    expect(chat.json).toMatchObject({ pollingIntervalMillis: 5000, nextPageToken: expect.any(String) })
    expect(chat.json.items.length).toBeGreaterThan(0)
    test.clock.set((stream.endsAtMs ?? 0) + 1)
    const later = (await linkGoogle(test)).json.access_token
    expect(reasonOf(await mine('liveChat/messages', { part: 'snippet', liveChatId }, later))).toBe('liveChatEnded')
    expect(reasonOf(await get('liveBroadcasts', { part: 'id', mine: 'true' }))).toBe('authorizationRequired')
  })
})

describe('who asks', () => {
  it('is refused without a key, with a wrong one, with a dead token, for an interface that is off', async () => {
    const [id = ''] = idsOf(0, 1)
    const nobody = await test.get(url('videos', { part: 'id', id }))
    expect([nobody.status, reasonOf(nobody)]).toEqual([403, 'forbidden'])
    const wrong = await get('videos', { part: 'id', id, key: 'AIzaWrong' })
    expect(wrong).toMatchObject({ status: 400, json: { error: { details: [{ reason: 'API_KEY_INVALID' }] } } })
    const dead = await mine('videos', { part: 'id', id }, 'ya29.dead')
    expect(dead).toMatchObject({ status: 401, json: { error: { status: 'UNAUTHENTICATED' } } })
    test.clock.advance(hourMs)
    expect(reasonOf(await mine('channels', { part: 'id', mine: 'true' }))).toBe('authError')
    test.sandbox.controls.app('google').apisOff = ['data']
    expect(await get('videos', { part: 'id', id })).toMatchObject({
      status: 403,
      json: { error: { errors: [{ reason: 'accessNotConfigured' }], details: [{ reason: 'SERVICE_DISABLED' }] } },
    })
  })

  it('may be a Google account without a channel', async () => {
    const { json } = await linkGoogle(test, { accountId: 'none' })
    const reply = await mine('channels', { part: 'id', mine: 'true' }, json.access_token)
    expect([reply.status, reasonOf(reply)]).toEqual([401, 'youtubeSignupRequired'])
  })
})

describe('the quota', () => {
  it('is spent by nonsense too, is the same for key and token of one project, and is back at midnight in California', async () => {
    const { controls } = test.sandbox
    const [id = ''] = idsOf(0, 1)
    controls.limits.youtubeUnits = 3
    expect((await get('videos', { part: 'nonsense', id })).status).toBe(400)
    expect((await mine('channels', { part: 'id', mine: 'true' })).status).toBe(200)
    expect((await get('videos', { part: 'id', id })).status).toBe(200)
    const over = await get('videos', { part: 'id', id })
    expect(over).toMatchObject({
      status: 403,
      json: { error: { errors: [{ domain: 'youtube.quota', reason: 'quotaExceeded' }] } },
    })
    // Another bucket is not touched.
    expect((await get('videos:batchGetStats', { part: 'id', id })).status).toBe(200)
    test.clock.set(Date.UTC(2037, 10, 22, 7, 59, 59))
    expect((await get('videos', { part: 'id', id })).status).toBe(403)
    test.clock.set(Date.UTC(2037, 10, 22, 8))
    expect((await get('videos', { part: 'id', id })).status).toBe(200)
  })

  it('is each project’s own', async () => {
    const { controls } = test.sandbox
    controls.limits.youtubeUnits = 1
    const [id = ''] = idsOf(0, 1)
    await get('videos', { part: 'id', id })
    expect((await get('videos', { part: 'id', id })).status).toBe(403)
    const other = controls.app('google', 'desktop').apiKeys[0] ?? ''
    expect((await get('videos', { part: 'id', id, key: other })).status).toBe(200)
  })

  it('is spent by an answer that nothing changed in, which is empty', async () => {
    const query = { part: 'snippet', id: idsOf(0, 1) }
    const first = await get('videos', query)
    const etag = first.headers.get('etag') ?? ''
    const again = await test.get(url('videos', { key: key(), ...query }), { 'if-none-match': etag })
    expect(again).toMatchObject({ status: 304, text: '' })
    expect(Object.values(test.sandbox.controls.usedToday())).toEqual([2])
  })
})

it('answers at the alias of the host as well', async () => {
  const [id = ''] = idsOf(0, 1)
  const base = `${test.sandbox.url}/www.googleapis.com/youtube/v3/videos`
  expect((await test.get(withQuery(base, { part: 'id', id, key: key() }))).json.items).toHaveLength(1)
})
