import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Shape } from './exchange.ts'
import type { Fault } from './faults.ts'
import { refusalNames, refusalOf } from './refusals.ts'
import { bearer, linkInstagram, linkTikTok, openTestSandbox, type TestSandbox, withQuery } from './test-sandbox.ts'

let test: TestSandbox
let tiktok: string
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount: 10 })
  tiktok = (await linkTikTok(test)).json.access_token
})
afterAll(() => test.sandbox.close())
afterEach(() => test.sandbox.controls.clearFaults())

const videos = () => {
  const { controls, urls } = test.sandbox
  const creator = controls.world.creatorAt('youtube', 0)
  const ids = creator ? [...controls.world.posts(creator, test.clock.nowMs())].slice(0, 5).map(post => post.id) : []
  const key = controls.app('google').apiKeys[0] ?? ''
  return test.get(withQuery(`${urls.youtubeData}/youtube/v3/videos`, { part: 'id,statistics', id: ids, key }))
}
const list = (cursor?: number) =>
  test.postJson(
    withQuery(`${test.sandbox.urls.tiktokApi}/v2/video/list/`, { fields: 'id,view_count' }),
    cursor === undefined ? {} : { cursor },
    bearer(tiktok),
  )
const strike = (endpoint: string, fault: Fault, times = 1) => test.sandbox.controls.addFault({ endpoint, fault, times })

describe('a fault', () => {
  it('strikes its endpoint as often as it was told, then things are as before', async () => {
    strike('youtube.videos.list', { kind: 'error', name: 'authError' })
    expect((await list()).status).toBe(200)
    expect((await videos()).status).toBe(401)
    expect((await videos()).status).toBe(200)
  })

  it('is a failure in the form of the platform, or a page of a proxy', async () => {
    strike('youtube.*', { kind: 'status', status: 500 })
    expect(await videos()).toMatchObject({ status: 500, json: { error: { errors: [{ reason: 'backendError' }] } } })
    strike('youtube.*', { kind: 'status', status: 502, html: true })
    expect(await videos()).toMatchObject({ status: 502, json: null, text: expect.stringContaining('<html>') })
    strike('tiktok.video.*', { kind: 'status', status: 503 })
    expect(await list()).toMatchObject({ status: 503, json: { error: { code: 'internal_error' } } })
  })

  it('is too many requests, with or without how long to wait', async () => {
    strike('youtube.videos.list', { kind: 'rate', retryAfter: '30' })
    const told = await videos()
    expect(told).toMatchObject({ status: 429, json: { error: { status: 'RESOURCE_EXHAUSTED' } } })
    expect(told.headers.get('retry-after')).toBe('30')
    strike('tiktok.video.list', { kind: 'rate', retryAfter: null })
    const untold = await list()
    expect(untold).toMatchObject({ status: 429, json: { error: { code: 'rate_limit_exceeded' } } })
    expect(untold.headers.get('retry-after')).toBeNull()
  })

  it('is a connection that ends: before the answer, or in the middle of it', async () => {
    strike('youtube.videos.list', { kind: 'reset' })
    await expect(videos()).rejects.toThrow()
    strike('youtube.videos.list', { kind: 'cut' })
    await expect(videos()).rejects.toThrow()
  })

  it('is half of the JSON as if it were all', async () => {
    strike('youtube.videos.list', { kind: 'truncate' })
    const reply = await videos()
    expect(reply).toMatchObject({ status: 200, json: null })
    expect(reply.text).toMatch(/^\{"kind"/)
  })

  it('is the page before this one, to the same caller', async () => {
    const first = await list()
    strike('tiktok.video.list', { kind: 'duplicate' })
    const second = await list(first.json.data.cursor)
    expect(second.json).toEqual(first.json)
    expect((await list(first.json.data.cursor)).json.data.videos).not.toEqual(first.json.data.videos)
  })

  it('is counters that changed, of whatever type they are', async () => {
    const before = await videos()
    strike('youtube.videos.list', { kind: 'counters', factor: 0.5 })
    const after = await videos()
    const views = (reply: typeof before) => reply.json.items[0].statistics.viewCount
    expect(views(after)).toBe(String(Math.floor(Number(views(before)) / 2)))
    strike('tiktok.video.list', { kind: 'counters', factor: 0 })
    expect((await list()).json.data.videos[0]).toMatchObject({ id: expect.stringMatching(/^\d{19}$/), view_count: 0 })
  })

  it('is success with an error in it, or with nothing', async () => {
    strike('tiktok.video.list', { kind: 'error', name: 'internal_error', status: 200 })
    expect(await list()).toMatchObject({ status: 200, json: { error: { code: 'internal_error' } } })
    const { access_token } = (await linkInstagram(test)).json.data[0]
    strike('instagram.media', { kind: 'empty' })
    const media = `${test.sandbox.urls.instagramGraph}/v25.0/me/media`
    expect(await test.get(media, bearer(access_token))).toMatchObject({ status: 200, json: { data: [] } })
  })

  it('lets an answer come late', async () => {
    strike('youtube.videos.list', { kind: 'latency', ms: 1 })
    expect((await videos()).status).toBe(200)
    expect(test.sandbox.controls.requests.at(-1)).toMatchObject({ endpoint: 'youtube.videos.list', fault: 'latency' })
  })

  it('spends quota as the platforms do', async () => {
    test.sandbox.controls.clearQuotas()
    strike('youtube.videos.list', { kind: 'status', status: 503 }, 2)
    for (let times = 0; times < 3; times += 1) await videos()
    expect(Object.values(test.sandbox.controls.usedToday())).toEqual([3])
  })

  it('can be every error that a platform knows', async () => {
    const shapes: readonly Shape[] = ['google', 'google_oauth', 'tiktok', 'tiktok_oauth', 'graph', 'instagram_oauth']
    for (const shape of shapes)
      for (const name of refusalNames(shape)) {
        const { status, json } = refusalOf(shape, name)
        expect(status, `${shape} ${name}`).toBeGreaterThanOrEqual(400)
        expect(json, `${shape} ${name}`).toBeTypeOf('object')
      }
    for (const name of ['190/460', '80002', '368', '1/reduce', '10/viewers']) {
      strike('instagram.node', { kind: 'error', name })
      const { access_token } = (await linkInstagram(test)).json.data[0]
      const me = await test.get(`${test.sandbox.urls.instagramGraph}/v25.0/me`, bearer(access_token))
      expect(me.json.error.code).toBe(Number(name.split('/')[0]))
    }
    expect(() => refusalOf('google', 'nonsense')).toThrow('no error nonsense')
  })
})

describe('weather', () => {
  it('breaks the part of the answers that it was told to, in all of its ways', async () => {
    const { controls } = test.sandbox
    controls.addWeather(0.2)
    const from = controls.requests.length
    for (let asked = 0; asked < 300; asked += 1) await videos().catch(() => null)
    const faults = controls.requests.slice(from).flatMap(({ fault }) => fault ?? [])
    expect(faults.length / 300).toBeGreaterThan(0.12)
    expect(faults.length / 300).toBeLessThan(0.28)
    expect(new Set(faults)).toEqual(new Set(['latency', 'status', 'reset', 'truncate', 'cut', 'duplicate', 'rate']))
  })
})
