import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  bearer,
  challenges,
  linkTikTok,
  openTestSandbox,
  redirects,
  sentTo,
  startMs,
  type TestSandbox,
  verifier,
  withQuery,
} from './test-sandbox.ts'
import type { Post } from './world.ts'

let test: TestSandbox
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount: 8 })
})
afterAll(() => test.sandbox.close())
beforeEach(() => {
  test.clock.set(startMs)
  const { controls } = test.sandbox
  controls.revokeAll()
  controls.clearQuotas()
  controls.limits.tiktokPerMinute = 600
  Object.assign(controls.quirks, { tiktokOauthStatus: 400, tiktokErrorsWith200: false, tiktokScopes: 'refuse' })
  controls.app('tiktok', 'desktop').targetUsers = null
})

const api = (path: string) => `${test.sandbox.urls.tiktokApi}${path}`
const app = (type: 'desktop' | 'web' = 'desktop') => test.sandbox.controls.app('tiktok', type)
const token = (fields: Record<string, string>, type: 'desktop' | 'web' = 'desktop') =>
  test.post(api('/v2/oauth/token/'), {
    client_key: app(type).clientId,
    client_secret: app(type).clientSecret,
    ...fields,
  })
const authorize = (query: Record<string, string> = {}) =>
  withQuery(`${test.sandbox.urls.tiktokAuthorize}/v2/auth/authorize/`, {
    client_key: app().clientId,
    redirect_uri: redirects.local,
    response_type: 'code',
    scope: 'user.info.basic,video.list',
    state: 's1',
    code_challenge: challenges.hex,
    code_challenge_method: 'S256',
    ...query,
  })
const list = (access: string, body: unknown, fields = 'id,create_time,view_count') =>
  test.postJson(withQuery(api('/v2/video/list/'), { fields }), body, bearer(access))
const posts = (): Post[] => {
  const creator = test.sandbox.controls.world.creatorAt('tiktok', 0)
  return creator ? [...test.sandbox.controls.world.posts(creator, startMs)] : []
}

describe("TikTok's tokens", () => {
  it('come flat, for a verifier whose hash is written in hexadecimal', async () => {
    expect(await linkTikTok(test)).toMatchObject({
      status: 200,
      json: {
        access_token: expect.stringMatching(/^act\./),
        expires_in: 7200,
        open_id: test.sandbox.controls.world.creatorAt('tiktok', 0)?.id,
        refresh_expires_in: 15_552_000,
        refresh_token: expect.stringMatching(/^rft\./),
        scope: 'user.info.basic,user.info.profile,user.info.stats,video.list',
        token_type: 'Bearer',
      },
    })
  })

  it('are refused only at the exchange when the hash was written in base64url', async () => {
    expect(await linkTikTok(test, { challenge: challenges.base64url })).toMatchObject({
      status: 400,
      json: {
        error: 'invalid_request',
        error_description: 'Code verifier or code challenge is invalid.',
        log_id: expect.any(String),
      },
    })
  })

  it('rotate: the refresh token that was sent is dead at once', async () => {
    const { json } = await linkTikTok(test)
    const refresh = (value: string) => token({ grant_type: 'refresh_token', refresh_token: value })
    const second = await refresh(json.refresh_token)
    expect(second.status).toBe(200)
    expect(second.json.refresh_token).not.toBe(json.refresh_token)
    expect((await refresh(json.refresh_token)).json.error).toBe('invalid_grant')
    expect((await refresh(second.json.refresh_token)).status).toBe(200)
  })

  it('need the slash at the end, and a form', async () => {
    expect((await test.post(api('/v2/oauth/token'), {})).status).toBe(404)
    expect((await test.postJson(api('/v2/oauth/token/'), { grant_type: 'client_credentials' })).json.error).toBe(
      'invalid_request',
    )
  })

  it('come for a code once, with the address it was made for', async () => {
    test.sandbox.controls.autoConsent('tiktok', { decision: 'allow' })
    const sent = sentTo(await test.get(authorize()))
    expect(Object.fromEntries(sent)).toEqual({
      code: expect.stringMatching(/\*.*!/),
      scopes: 'user.info.basic,video.list',
      state: 's1',
    })
    const fields = { grant_type: 'authorization_code', code: sent.get('code') ?? '', code_verifier: verifier }
    expect((await token({ ...fields, redirect_uri: `${redirects.local}/` })).json.error).toBe('invalid_request')
    expect((await token({ ...fields, redirect_uri: redirects.local })).status).toBe(200)
    expect((await token({ ...fields, redirect_uri: redirects.local })).json.error).toBe('invalid_grant')
  })

  it('are revoked with an empty answer', async () => {
    const { json } = await linkTikTok(test)
    const fields = { client_key: app().clientId, client_secret: app().clientSecret, token: json.access_token }
    expect(await test.post(api('/v2/oauth/revoke/'), fields)).toMatchObject({ status: 200, text: '' })
    expect((await list(json.access_token, {})).json.error.code).toBe('access_token_invalid')
    expect((await token({ grant_type: 'refresh_token', refresh_token: json.refresh_token })).json.error).toBe(
      'invalid_grant',
    )
  })

  it.each([200, 400, 401] as const)('come with errors of status %d, told apart by the body', async status => {
    test.sandbox.controls.quirks.tiktokOauthStatus = status
    expect(await token({ grant_type: 'refresh_token', refresh_token: 'bogus' })).toMatchObject({
      status,
      json: { error: 'invalid_grant' },
    })
  })
})

describe('the cheap check of credentials', () => {
  it('gives a client token for a right pair; wrong key and wrong secret look the same', async () => {
    const probe = { grant_type: 'client_credentials' }
    expect((await token(probe)).json).toEqual({
      access_token: expect.stringMatching(/^clt\./),
      expires_in: 7200,
      token_type: 'Bearer',
    })
    const wrongKey = await token({ ...probe, client_key: 'sbnobody' })
    const wrongSecret = await token({ ...probe, client_secret: 'wrong' })
    expect(wrongKey.json).toMatchObject({
      error: 'invalid_client',
      error_description: 'Client key or secret is incorrect.',
    })
    expect(wrongSecret.json).toEqual(wrongKey.json)
    const code = await token({ grant_type: 'authorization_code', code: 'bogus' })
    expect(code.json).toMatchObject({ error: 'invalid_grant', error_description: 'Authorization code is expired.' })
  })
})

describe("TikTok's consent page", () => {
  it.each([
    [{ client_key: 'nobody' }, 'client_key'],
    [{ redirect_uri: 'https://evil.example/back' }, 'redirect_uri'],
    [{ redirect_uri: redirects.https }, 'redirect_uri'],
    [{ scope: 'everything' }, 'scope'],
    [{ code_challenge_method: 'plain' }, 'code_challenge'],
  ])('stays with the user for %j', async (query, text) => {
    test.sandbox.controls.autoConsent('tiktok', { decision: 'allow' })
    expect(await test.get(authorize(query))).toMatchObject({ status: 400, text: expect.stringContaining(text) })
  })

  it('takes https alone from a web app, which needs no proof, and any port of the loopback from a desktop app', async () => {
    test.sandbox.controls.autoConsent('tiktok', { decision: 'allow' })
    const web = new URL(authorize({ client_key: app('web').clientId, redirect_uri: redirects.https }))
    web.searchParams.delete('code_challenge')
    const code = sentTo(await test.get(web.href)).get('code') ?? ''
    const fields = { grant_type: 'authorization_code', redirect_uri: redirects.https, code }
    expect((await token(fields, 'web')).status).toBe(200)
    expect((await test.get(authorize({ redirect_uri: 'http://127.0.0.1:50123/back' }))).status).toBe(302)
    expect((await test.get(authorize({ redirect_uri: 'http://127.0.0.1:50123/other' }))).status).toBe(400)
  })

  it('goes back with the refusal, and shows who is no target of a sandbox key', async () => {
    test.sandbox.controls.autoConsent('tiktok', { decision: 'deny' })
    expect(sentTo(await test.get(authorize())).get('error')).toBe('access_denied')
    test.sandbox.controls.autoConsent('tiktok', { decision: 'allow' })
    app().targetUsers = []
    expect((await test.get(authorize())).text).toContain('non_sandbox_target')
  })
})

describe("TikTok's data", () => {
  it('page by a cursor of milliseconds, with ids above 2^53 as texts', async () => {
    const { access_token } = (await linkTikTok(test)).json
    const first = await list(access_token, { max_count: 20 })
    expect(first.json.error).toMatchObject({ code: 'ok', message: '' })
    expect(first.json.data).toMatchObject({ has_more: true, cursor: posts()[19]?.publishedAtMs })
    expect(BigInt(first.json.data.videos[0].id)).toBeGreaterThan(2n ** 53n)
    expect(first.json.data.videos[0].create_time).toBe((posts()[0]?.publishedAtMs ?? 0) / 1000)
    const second = await list(access_token, { max_count: 20, cursor: first.json.data.cursor })
    const ids = [...first.json.data.videos, ...second.json.data.videos].map((video: { id: string }) => video.id)
    expect(ids).toEqual(
      posts()
        .slice(0, 40)
        .map(post => post.id),
    )
    expect((await list(access_token, {})).json.data.videos).toHaveLength(10)
    const end = await list(access_token, { cursor: posts().at(-1)?.publishedAtMs })
    expect(end.json.data).toMatchObject({ videos: [], has_more: false })
  })

  it.each([
    [{ max_count: 21 }, 'id'],
    [{ max_count: 0 }, 'id'],
    [{ cursor: 'x' }, 'id'],
    [{}, 'id,everything'],
    [{}, ''],
  ])('refuse %j with the fields "%s"', async (body, fields) => {
    const { access_token } = (await linkTikTok(test)).json
    expect(await list(access_token, body, fields)).toMatchObject({
      status: 400,
      json: { data: {}, error: { code: 'invalid_params' } },
    })
  })

  it('answer for ids, without those of others', async () => {
    const { access_token } = (await linkTikTok(test)).json
    const other = test.sandbox.controls.world.creatorAt('tiktok', 2)
    const foreign = other ? [...test.sandbox.controls.world.posts(other, startMs)][0]?.id : undefined
    const own = posts()[3]?.id
    const ask = (video_ids: unknown) =>
      test.postJson(
        withQuery(api('/v2/video/query/'), { fields: 'id,like_count' }),
        { filters: { video_ids } },
        bearer(access_token),
      )
    expect((await ask([own, foreign, '7000000000000000000'])).json.data.videos).toEqual([
      { id: own, like_count: expect.any(Number) },
    ])
    expect((await ask([])).json.error.code).toBe('invalid_params')
    expect((await ask([Number(own)])).json.error.code).toBe('invalid_params')
  })

  it('give the fields of the granted scopes, and refuse or drop the others', async () => {
    const { access_token } = (await linkTikTok(test, { scopes: 'user.info.basic' })).json
    const info = () =>
      test.get(
        withQuery(api('/v2/user/info/'), { fields: 'open_id,display_name,follower_count' }),
        bearer(access_token),
      )
    expect(await info()).toMatchObject({ status: 401, json: { error: { code: 'scope_not_authorized' } } })
    test.sandbox.controls.quirks.tiktokScopes = 'drop'
    const { user } = (await info()).json.data
    expect(Object.keys(user)).toEqual(['open_id', 'display_name'])
    expect((await list(access_token, {})).json.error.code).toBe('scope_not_authorized')
  })

  it('allow so many calls in a sliding minute of each endpoint, and say nothing of when it is over', async () => {
    const { access_token } = (await linkTikTok(test)).json
    test.sandbox.controls.limits.tiktokPerMinute = 3
    for (const after of [0, 20_000, 20_000]) {
      test.clock.advance(after)
      expect((await list(access_token, {})).status).toBe(200)
    }
    const over = await list(access_token, {})
    expect(over).toMatchObject({ status: 429, json: { error: { code: 'rate_limit_exceeded' } } })
    expect(over.headers.get('retry-after')).toBeNull()
    const info = withQuery(api('/v2/user/info/'), { fields: 'open_id' })
    expect((await test.get(info, bearer(access_token))).status).toBe(200)
    test.clock.advance(60_000)
    expect((await list(access_token, {})).status).toBe(200)
  })

  it('may say their errors with status 200', async () => {
    test.sandbox.controls.quirks.tiktokErrorsWith200 = true
    expect(await list('act.dead', {})).toMatchObject({ status: 200, json: { error: { code: 'access_token_invalid' } } })
  })

  it('end with the token, after two hours', async () => {
    const { access_token } = (await linkTikTok(test)).json
    test.clock.advance(7_200_000)
    expect(await list(access_token, {})).toMatchObject({
      status: 401,
      json: { error: { code: 'access_token_invalid' } },
    })
  })
})
