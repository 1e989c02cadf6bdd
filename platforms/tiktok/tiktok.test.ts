import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AccountReading, DeveloperCredentials, PlatformErrorClass } from '../port.ts'
import { scriptedHost } from '../scripted-host.ts'
import { unknownAccount } from '../unknown-account.ts'
import { tiktokAuth } from './auth.ts'
import { tiktokData } from './data.ts'

let host: Awaited<ReturnType<typeof scriptedHost>>
let auth: ReturnType<typeof tiktokAuth>
let data: ReturnType<typeof tiktokData>
beforeAll(async () => {
  host = await scriptedHost()
  auth = tiktokAuth(host.deps)
  data = tiktokData(host.deps)
})
afterAll(() => host.close())

const desktop: DeveloperCredentials = {
  kind: 'tiktok_desktop',
  clientId: 'sbaw1234567890abcd',
  clientSecret: 'client-secret',
  apiKey: null,
}
const web: DeveloperCredentials = { ...desktop, kind: 'tiktok_web' }
const access = { accessToken: 'act.token' }
const stored = { accessToken: 'act.old', refreshToken: 'rft.old', issuedAtMs: 0 }
const openId = '723f24d7-e717-40f8-a2b6-cb8464cd23b4'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const ok = { code: 'ok', message: '', log_id: '2026' }
const tokenReply = {
  access_token: 'act.new',
  expires_in: 7200,
  open_id: openId,
  refresh_expires_in: 15_552_000,
  refresh_token: 'rft.new',
  scope: 'user.info.basic,video.list',
  token_type: 'Bearer',
}
const owner: AccountReading = { ...unknownAccount, platform: 'tiktok', creatorId: openId, handle: 'u' }

it('sends a desktop app with the hash of its verifier in hex, and a web app without', () => {
  const request = { redirectUri: 'http://127.0.0.1:4400/cb', state: 's', scopes: ['user.info.basic', 'video.list'] }
  const url = new URL(auth.authorizationUrl({ ...request, credentials: desktop, codeVerifier: verifier }))
  expect(url.pathname).toBe('/tiktokAuthorize/v2/auth/authorize/')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_key: desktop.clientId,
    response_type: 'code',
    scope: 'user.info.basic,video.list',
    redirect_uri: 'http://127.0.0.1:4400/cb',
    state: 's',
    code_challenge: createHash('sha256').update(verifier).digest('hex'),
    code_challenge_method: 'S256',
  })
  expect(url.searchParams.get('code_challenge')).toMatch(/^[\da-f]{64}$/)
  const plain = new URL(auth.authorizationUrl({ ...request, credentials: web, codeVerifier: verifier }))
  expect(plain.searchParams.has('code_challenge')).toBe(false)
  expect(auth.scopesOf('tiktok_web')).toEqual(['user.info.basic', 'user.info.profile', 'user.info.stats', 'video.list'])
})

it('exchanges a code with odd characters by form, with the verifier of a desktop app alone', async () => {
  host.script({ json: tokenReply }, { json: tokenReply })
  const code = 'abc*v!4567.va'
  const redirectUri = 'http://127.0.0.1:4400/cb'
  expect(await auth.exchangeCode({ credentials: desktop, redirectUri, codeVerifier: verifier, code })).toEqual({
    accessToken: 'act.new',
    refreshToken: 'rft.new',
    expiresAtMs: host.nowMs + 7_200_000,
    refreshExpiresAtMs: host.nowMs + 15_552_000_000,
    scopes: ['user.info.basic', 'video.list'],
  })
  await auth.exchangeCode({ credentials: web, redirectUri, codeVerifier: verifier, code })
  const form = {
    client_key: desktop.clientId,
    client_secret: 'client-secret',
    grant_type: 'authorization_code',
    code,
    redirect_uri: redirectUri,
  }
  expect(host.requests.map(request => request.form)).toEqual([{ ...form, code_verifier: verifier }, form])
  expect(host.requests[0]).toMatchObject({
    method: 'POST',
    path: '/tiktokApi/v2/oauth/token/',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
})

it.each([200, 400, 401])('calls a dead grant dead with whatever status: %d', async status => {
  host.script({ status, json: { error: 'invalid_grant', error_description: 'Refresh token is expired.', log_id: '1' } })
  await expect(auth.refresh(desktop, stored)).rejects.toMatchObject({ class: 'grant', code: 'invalid_grant' })
})

it('hands out the rotated refresh token', async () => {
  host.script({ json: tokenReply })
  expect(await auth.refresh(desktop, stored)).toMatchObject({ accessToken: 'act.new', refreshToken: 'rft.new' })
  expect(host.requests[0]?.form).toMatchObject({ grant_type: 'refresh_token', refresh_token: 'rft.old' })
})

it('revokes with the access token, whose answer is empty', async () => {
  host.script({ text: '' })
  await auth.revoke(desktop, stored)
  expect(host.requests).toMatchObject([{ path: '/tiktokApi/v2/oauth/revoke/', form: { token: 'act.old' } }])
})

it('refreshes an access token that has expired in order to revoke its grant', async () => {
  const dead = { status: 401, json: { error: 'access_token_invalid', error_description: '', log_id: '1' } }
  host.script(dead, { json: tokenReply }, { text: '' })
  await auth.revoke(desktop, stored)
  expect(host.requests.map(({ form }) => form.token ?? form.refresh_token)).toEqual(['act.old', 'rft.old', 'act.new'])
  host.script(dead, { status: 400, json: { error: 'invalid_grant', error_description: '' } })
  await auth.revoke(desktop, stored)
  host.script({ status: 503, text: '' })
  await expect(auth.revoke(desktop, stored)).rejects.toMatchObject({ class: 'server' })
})

const refusal = (error: string) => ({ status: 400, json: { error, error_description: 'Said by TikTok.', log_id: '1' } })

it.each([
  ['valid', [{ json: { access_token: 'clt.x', expires_in: 7200, token_type: 'Bearer' } }]],
  ['invalid', [refusal('invalid_client')]],
  ['valid', [refusal('unsupported_grant_type'), refusal('invalid_grant')]],
  ['invalid', [refusal('unauthorized_client'), refusal('invalid_client')]],
  ['inconclusive', [refusal('unauthorized_client'), refusal('unauthorized_client')]],
  ['inconclusive', [{ status: 503, text: '' }]],
  ['inconclusive', [{ status: 400, json: { error: 'server_error', error_description: '' } }]],
])('judges credentials %s', async (verdict, answers) => {
  host.script(...answers)
  const judged = await auth.validate(desktop)
  expect(judged.status).toBe(verdict)
  expect(host.requests).toHaveLength(answers.length)
  expect(host.requests[0]?.form.grant_type).toBe('client_credentials')
})

it.each<[number, string, PlatformErrorClass]>([
  [401, 'access_token_invalid', 'token'],
  [200, 'access_token_invalid', 'token'],
  [401, 'scope_not_authorized', 'permission'],
  [400, 'scope_permission_missed', 'permission'],
  [429, 'rate_limit_exceeded', 'rate'],
  [200, 'rate_limit_exceeded', 'rate'],
  [400, 'invalid_params', 'bad_request'],
  [500, 'internal_error', 'server'],
  [418, 'unheard_of', 'bad_request'],
  [200, 'unheard_of', 'server'],
  [503, 'unheard_of', 'server'],
])('classes %d %s as %s', async (status, code, class_) => {
  host.script({ status, json: { data: {}, error: { code, message: 'Said by TikTok.', log_id: '1' } } })
  await expect(data.posts(access, owner, null)).rejects.toMatchObject({ class: class_, code, platform: 'tiktok' })
})

it('reads the own account, and asks only for what the granted scopes allow', async () => {
  const user = {
    open_id: openId,
    union_id: 'u',
    display_name: 'Name \u0007',
    username: 'user',
    follower_count: 1234,
    likes_count: 99_999,
    video_count: 42,
  }
  host.script({ json: { data: { user }, error: ok } }, { json: { data: { user: { open_id: openId } }, error: ok } })
  expect(await data.account(access)).toMatchObject({
    creatorId: openId,
    name: 'Name \u0007',
    handle: 'user',
    followers: 1234n,
    likes: 99_999n,
    videos: 42n,
    views: null,
    endpoint: 'user.info',
  })
  const narrow = await data.account({ ...access, scopes: ['user.info.basic', 'video.list'] }, openId)
  expect(narrow).toMatchObject({ handle: '', followers: null, videos: null })
  expect(host.requests).toMatchObject([
    {
      method: 'GET',
      path: '/tiktokApi/v2/user/info/',
      query: { fields: 'open_id,avatar_url,display_name,username,follower_count,likes_count,video_count' },
      headers: { authorization: 'Bearer act.token' },
    },
    { query: { fields: 'open_id,avatar_url,display_name' } },
  ])
})

it('notices that the token belongs to somebody else', async () => {
  host.script(
    { json: { data: { user: { open_id: 'another' } }, error: ok } },
    { json: { data: { user: {} }, error: ok } },
  )
  await expect(data.account(access, openId)).rejects.toMatchObject({ class: 'not_found', code: 'other_account' })
  await expect(data.account(access)).rejects.toMatchObject({ class: 'server', code: 'unexpected_answer' })
})

const video = {
  id: '7312345678901234567',
  create_time: 1_760_000_000,
  title: '',
  video_description: 'A description #tag',
  duration: 28,
  view_count: 9_007_199_254_740_991,
  like_count: 10,
  comment_count: 1,
  share_count: 2,
  cover_image_url: 'https://p16.tiktokcdn.com/x.jpeg',
  share_url: 'https://www.tiktok.com/@u/video/7312345678901234567',
}

it('lists videos by a cursor of milliseconds until there is no more', async () => {
  const page = (more: object) => ({ json: { data: { videos: [video, {}], ...more }, error: ok } })
  host.script(page({ cursor: 1_759_990_000_000, has_more: true }), page({ cursor: 0, has_more: false }))
  const first = await data.posts(access, owner, null)
  expect(first).toMatchObject({ next: '1759990000000', missing: [] })
  expect(first.items).toMatchObject([
    {
      videoId: '7312345678901234567',
      creatorId: openId,
      kind: 'clip',
      title: 'A description #tag',
      url: video.share_url,
      publishedAtMs: 1_760_000_000_000,
      durationSeconds: 28,
      views: 9_007_199_254_740_991n,
      likes: 10n,
      comments: 1n,
      shares: 2n,
      saves: null,
    },
  ])
  expect((await data.posts(access, owner, first.next)).next).toBeNull()
  expect(host.requests.map(request => request.body)).toEqual([
    '{"max_count":20}',
    '{"max_count":20,"cursor":1759990000000}',
  ])
  expect(host.requests[0]).toMatchObject({
    method: 'POST',
    path: '/tiktokApi/v2/video/list/',
    headers: { 'content-type': 'application/json; charset=UTF-8' },
  })
})

it('keeps ids that came as numbers above 2^53, and cursors that are no numbers out of the body', async () => {
  const text = JSON.stringify({ data: { videos: [video] }, error: ok }).replace(
    '"7312345678901234567"',
    '7312345678901234567',
  )
  host.script({ text })
  expect((await data.posts(access, owner, null)).items[0]?.videoId).toBe('7312345678901234567')
  await expect(data.posts(access, owner, '1,"x":2')).rejects.toMatchObject({ class: 'bad_request' })
})

it('asks for counters of twenty videos at most, and names those that were left out', async () => {
  host.script({ json: { data: { videos: [video] }, error: ok } })
  const page = await data.metrics(access, owner, [video.id, '7000000000000000001'])
  expect(page).toMatchObject({ items: [{ views: 9_007_199_254_740_991n }], missing: ['7000000000000000001'] })
  expect(host.requests[0]).toMatchObject({
    path: '/tiktokApi/v2/video/query/',
    body: '{"filters":{"video_ids":["7312345678901234567","7000000000000000001"]}}',
  })
  const tooMany = data.metrics(
    access,
    owner,
    Array.from({ length: 21 }, (_, index) => `${index}`),
  )
  await expect(tooMany).rejects.toMatchObject({ class: 'bad_request' })
})

it('says which scope is missing before it asks', async () => {
  host.script()
  await expect(data.posts({ ...access, scopes: ['user.info.basic'] }, owner, null)).rejects.toMatchObject({
    class: 'permission',
    message: expect.stringContaining('video.list'),
  })
  expect(host.requests).toEqual([])
})

it('has nothing of others, and counts each address by itself', () => {
  expect([data.creator, data.chart, data.broadcasts, data.details, data.daily]).toEqual([null, null, null, null, null])
  expect(data.cost('posts')).toEqual({ bucket: 'tiktok:video.list', units: 1 })
  expect(data.cost('metrics')).toEqual({ bucket: 'tiktok:video.query', units: 1 })
  expect(data.cost('creator')).toBeNull()
})
