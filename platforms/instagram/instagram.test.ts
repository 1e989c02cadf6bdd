import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AccountReading, DeveloperCredentials, PlatformErrorClass } from '../port.ts'
import { scriptedHost } from '../scripted-host.ts'
import { unknownAccount } from '../unknown-account.ts'
import { facebookLoginAuth, instagramLoginAuth } from './auth.ts'
import { facebookLoginData, instagramLoginData } from './data.ts'

let host: Awaited<ReturnType<typeof scriptedHost>>
let instagram: { auth: ReturnType<typeof instagramLoginAuth>; data: ReturnType<typeof instagramLoginData> }
let facebook: { auth: ReturnType<typeof facebookLoginAuth>; data: ReturnType<typeof facebookLoginData> }
beforeAll(async () => {
  host = await scriptedHost()
  instagram = { auth: instagramLoginAuth(host.deps), data: instagramLoginData(host.deps) }
  facebook = { auth: facebookLoginAuth(host.deps), data: facebookLoginData(host.deps) }
})
afterAll(() => host.close())

const dayMs = 86_400_000
const credentials: DeveloperCredentials = {
  kind: 'instagram_login',
  clientId: '1234567890123456',
  clientSecret: 'abcdef0123456789abcdef0123456789',
  apiKey: null,
}
const byFacebook: DeveloperCredentials = { ...credentials, kind: 'facebook_login' }
const access = { accessToken: 'IGAAtoken' }
const verifier = 'v'.repeat(43)
const redirectUri = 'https://cliptape.example/api/auth/callback/instagram'
const code = 'AQcode'
const owner: AccountReading = {
  ...unknownAccount,
  platform: 'instagram',
  creatorId: '17841405793187218',
  handle: 'me',
}

function graphError(code: number, subcode?: number, message = 'Said by Meta.', more: object = {}) {
  const error = { message, type: 'OAuthException', code, fbtrace_id: 'A', ...more }
  return { error: subcode === undefined ? error : { ...error, error_subcode: subcode } }
}
const flatError = (error_message: string) => ({
  status: 400,
  json: { error_type: 'OAuthException', code: 400, error_message },
})

it('sends the browser to Instagram with scopes and commas, and without PKCE', () => {
  const url = new URL(
    instagram.auth.authorizationUrl({
      credentials,
      redirectUri,
      state: 's',
      scopes: instagram.auth.scopesOf('instagram_login'),
      codeVerifier: verifier,
    }),
  )
  expect(url.pathname).toBe('/instagramAuthorize/oauth/authorize')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_id: credentials.clientId,
    redirect_uri: redirectUri,
    response_type: 'code',
    scope: 'instagram_business_basic,instagram_business_manage_insights',
    state: 's',
  })
  expect(instagram.auth.readCallback({ code: 'XYZ#_' })).toEqual({ code: 'XYZ' })
  expect(
    instagram.auth.readCallback({
      error: 'access_denied',
      error_reason: 'user_denied',
      error_description: 'The user denied your request.',
    }),
  ).toEqual({
    error: 'access_denied',
    description: 'Access was declined on the page of consent. It says: “The user denied your request.”',
  })
})

it.each([
  ['in a list', '{"data":[{"access_token":"IGAAshort","user_id":"17841","permissions":"a,b"}]}'],
  ['flat with a list', '{"access_token":"IGAAshort","user_id":17841405793187218,"permissions":["a","b"]}'],
  ['flat with commas', '{"access_token":"IGAAshort","user_id":17841405793187218,"permissions":"a,b"}'],
])('makes the first token long, also when it comes %s', async (_form, text) => {
  host.script({ text }, { json: { access_token: 'IGAAlong', token_type: 'bearer', expires_in: 5_183_944 } })
  expect(await instagram.auth.exchangeCode({ credentials, redirectUri, codeVerifier: verifier, code })).toEqual({
    accessToken: 'IGAAlong',
    refreshToken: null,
    expiresAtMs: host.nowMs + 5_183_944_000,
    refreshExpiresAtMs: null,
    scopes: ['a', 'b'],
  })
  expect(host.requests).toMatchObject([
    {
      method: 'POST',
      path: '/instagramToken/oauth/access_token',
      form: { client_id: credentials.clientId, grant_type: 'authorization_code', redirect_uri: redirectUri, code },
    },
    {
      method: 'GET',
      path: '/instagramGraph/access_token',
      query: { grant_type: 'ig_exchange_token', access_token: 'IGAAshort', client_secret: credentials.clientSecret },
    },
  ])
})

it.each<[string, PlatformErrorClass]>([
  ['Matching code was not found or was already used', 'grant'],
  ['Invalid authorization code', 'grant'],
  ['Invalid platform app', 'client'],
  ['Error validating client secret.', 'client'],
  [
    'Error validating verification code. Please make sure your redirect_uri is identical to the one you used',
    'bad_request',
  ],
  ['Something else', 'bad_request'],
])('reads the flat error %s as %s', async (message, class_) => {
  host.script(flatError(message))
  const exchange = instagram.auth.exchangeCode({ credentials, redirectUri, codeVerifier: verifier, code })
  await expect(exchange).rejects.toMatchObject({ class: class_, message: expect.stringContaining(message) })
})

it('prolongs a token from its second day on, and asks nobody before', async () => {
  host.script({ json: { access_token: 'IGAAnew', token_type: 'bearer', expires_in: 5_184_000 } })
  const young = { accessToken: 'IGAAold', refreshToken: null, issuedAtMs: host.nowMs - dayMs + 60_000 }
  await expect(instagram.auth.refresh(credentials, young)).rejects.toMatchObject({
    class: 'rate',
    code: 'token_too_young',
    retryAfterMs: 60_000,
  })
  expect(host.requests).toEqual([])
  const old = { ...young, issuedAtMs: host.nowMs - dayMs }
  expect(await instagram.auth.refresh(credentials, old)).toEqual({
    accessToken: 'IGAAnew',
    refreshToken: null,
    expiresAtMs: host.nowMs + 5_184_000_000,
    refreshExpiresAtMs: null,
    scopes: null,
  })
  expect(host.requests).toMatchObject([
    {
      path: '/instagramGraph/refresh_access_token',
      query: { grant_type: 'ig_refresh_token' },
      headers: { authorization: 'Bearer IGAAold' },
    },
  ])
})

it('calls a token dead for good when it cannot be prolonged', async () => {
  const stored = { accessToken: 'IGAAold', refreshToken: null, issuedAtMs: 0 }
  host.script({ status: 400, json: graphError(190, 463, 'Session has expired.') })
  await expect(instagram.auth.refresh(credentials, stored)).rejects.toMatchObject({ class: 'grant', code: '190/463' })
  host.script({ status: 400, json: graphError(190) })
  await expect(facebook.auth.refresh(byFacebook, stored)).rejects.toMatchObject({ class: 'grant' })
  host.script({ status: 500, json: graphError(2) })
  await expect(facebook.auth.refresh(byFacebook, stored)).rejects.toMatchObject({ class: 'server' })
})

it('revokes as well as it can: refusals are the end of it, failures are not', async () => {
  const stored = { accessToken: 'IGAAold', refreshToken: null, issuedAtMs: 0 }
  host.script(
    { json: { success: true } },
    { status: 400, json: graphError(100, 33) },
    { status: 400, json: graphError(190) },
  )
  for (let times = 0; times < 3; times += 1) await instagram.auth.revoke(credentials, stored)
  expect(host.requests[0]).toMatchObject({ method: 'DELETE', path: '/instagramGraph/me/permissions' })
  host.script({ json: { success: true } }, { status: 503, text: '' })
  await facebook.auth.revoke(byFacebook, stored)
  expect(host.requests[0]).toMatchObject({ method: 'DELETE', path: '/facebookGraph/v25.0/me/permissions' })
  await expect(facebook.auth.revoke(byFacebook, stored)).rejects.toMatchObject({ class: 'server' })
})

const noCode = flatError('Invalid authorization code')
const wrongSecret = flatError('Error validating client secret.')
const wrongSecretOfGraph = { status: 400, json: graphError(1, undefined, 'Error validating client secret.') }
const badToken = { status: 400, json: graphError(190, undefined, 'Invalid OAuth access token.') }

it.each([
  ['valid', 'the control is refused for its secret', [noCode, wrongSecret]],
  ['invalid', 'the app is unknown', [flatError('Invalid platform app')]],
  ['invalid', 'the secret is wrong', [wrongSecret]],
  ['invalid', 'only the second address looks at the secret', [noCode, noCode, wrongSecretOfGraph]],
  [
    'valid',
    'only the second address looks at the secret, and it is right',
    [noCode, noCode, badToken, wrongSecretOfGraph],
  ],
  ['inconclusive', 'nobody looks at the secret', [noCode, noCode, badToken, badToken]],
  ['inconclusive', 'nobody is there', [{ status: 503, text: '' }]],
])('judges an Instagram app %s when %s', async (verdict, _when, answers) => {
  host.script(...answers)
  const judged = await instagram.auth.validate(credentials)
  expect(judged.status).toBe(verdict)
  expect(judged.reason === null).toBe(verdict === 'valid')
  expect(host.requests).toHaveLength(answers.length)
  expect(JSON.stringify(judged)).not.toContain(credentials.clientSecret)
})

const unknownApp = {
  status: 400,
  json: graphError(101, undefined, 'Error validating application. Cannot get application info due to a system error.'),
}

it.each([
  ['valid', [{ json: { access_token: 'APPID|x', token_type: 'bearer' } }]],
  ['invalid', [wrongSecretOfGraph]],
  ['inconclusive', [unknownApp, unknownApp]],
  ['invalid', [unknownApp, wrongSecretOfGraph]],
  ['inconclusive', [{ status: 500, json: graphError(2) }]],
])('judges a Meta app %s', async (verdict, answers) => {
  host.script(...answers)
  const judged = await facebook.auth.validate(byFacebook)
  expect(judged.status).toBe(verdict)
  expect(host.requests).toHaveLength(answers.length)
  // The control has a secret of the right form that is not the user's.
  const [first, control] = host.requests.map(request => request.query.client_secret)
  expect(first).toBe(credentials.clientSecret)
  if (control !== undefined) expect(control).toBe('0'.repeat(32))
})

it('exchanges a code at Facebook, makes the token long, and learns what was granted', async () => {
  host.script(
    { json: { access_token: 'EAAshort', token_type: 'bearer', expires_in: 5000 } },
    { json: { access_token: 'EAAlong', token_type: 'bearer', expires_in: 5_180_000 } },
    {
      json: {
        data: [
          { permission: 'instagram_basic', status: 'granted' },
          { permission: 'instagram_manage_insights', status: 'declined' },
        ],
      },
    },
  )
  expect(
    await facebook.auth.exchangeCode({ credentials: byFacebook, redirectUri, codeVerifier: verifier, code }),
  ).toEqual({
    accessToken: 'EAAlong',
    refreshToken: null,
    expiresAtMs: host.nowMs + 5_180_000_000,
    refreshExpiresAtMs: null,
    scopes: ['instagram_basic'],
  })
  expect(host.requests).toMatchObject([
    { path: '/facebookGraph/v25.0/oauth/access_token', query: { code, redirect_uri: redirectUri } },
    { query: { grant_type: 'fb_exchange_token', fb_exchange_token: 'EAAshort' } },
    { path: '/facebookGraph/v25.0/me/permissions', headers: { authorization: 'Bearer EAAlong' } },
  ])
  const url = new URL(
    facebook.auth.authorizationUrl({
      credentials: byFacebook,
      redirectUri,
      state: 's',
      scopes: ['a', 'b'],
      codeVerifier: '',
    }),
  )
  expect(url.pathname).toBe('/facebookAuthorize/v25.0/dialog/oauth')
  expect(url.searchParams.get('scope')).toBe('a,b')
})

it.each<[number, number, number | undefined, string, PlatformErrorClass]>([
  [400, 190, undefined, '', 'token'],
  [401, 190, 463, '', 'token'],
  [403, 190, 458, '', 'token'],
  [400, 102, undefined, '', 'token'],
  [400, 101, undefined, '', 'client'],
  [400, 1, undefined, 'Error validating client secret.', 'client'],
  [400, 3, undefined, '', 'permission'],
  [400, 10, undefined, '', 'permission'],
  [400, 200, undefined, '', 'permission'],
  [500, 299, undefined, '', 'permission'],
  [400, 10, undefined, '(#10) Not enough viewers for the media to show insights', 'threshold'],
  [400, 4, undefined, '', 'rate'],
  [403, 17, undefined, '', 'rate'],
  [400, 32, undefined, '', 'rate'],
  [400, 613, undefined, '', 'rate'],
  [429, 80002, undefined, '', 'rate'],
  [400, 341, undefined, '', 'rate'],
  [400, 368, undefined, '', 'rate'],
  [400, 18, undefined, '', 'rate'],
  [400, 100, 33, 'Unsupported get request.', 'not_found'],
  [400, 110, undefined, '', 'not_found'],
  [404, 803, undefined, '', 'not_found'],
  [400, 24, undefined, '', 'not_found'],
  [400, 100, undefined, '', 'bad_request'],
  [400, 2500, undefined, '', 'bad_request'],
  [400, 100, 2207086, '', 'bad_request'],
  [400, 100, 2108006, '', 'threshold'],
  [400, 1, undefined, '', 'server'],
  [200, 2, undefined, '', 'server'],
  [403, 99999, undefined, '', 'bad_request'],
  [401, 99999, undefined, '', 'bad_request'],
  [503, 99999, undefined, '', 'server'],
])('classes %d code %d subcode %o %s as %s', async (status, code, subcode, message, class_) => {
  host.script({ status, json: graphError(code, subcode, message) })
  await expect(instagram.data.account(access)).rejects.toMatchObject({
    class: class_,
    code: subcode === undefined ? String(code) : `${code}/${subcode}`,
  })
})

it('believes what says that it will pass', async () => {
  host.script({ status: 400, json: graphError(99999, undefined, '', { is_transient: true }) })
  await expect(instagram.data.account(access)).rejects.toMatchObject({ class: 'server' })
})

it('waits as many minutes as the usage header says, and tells how much is used', async () => {
  const usage = (minutes: number, percent: number) =>
    JSON.stringify({
      '17841405793187218': [
        {
          type: 'instagram',
          call_count: percent,
          total_cputime: 20,
          total_time: 20,
          estimated_time_to_regain_access: minutes,
        },
      ],
    })
  host.script({
    status: 429,
    json: graphError(80002),
    headers: { 'x-business-use-case-usage': usage(19, 100), 'x-app-usage': '{"call_count":28}' },
  })
  await expect(instagram.data.posts(access, owner, null)).rejects.toMatchObject({ retryAfterMs: 19 * 60_000 })
  const percents: (number | null)[] = []
  for (const headers of [
    { 'x-business-use-case-usage': usage(0, 76) },
    { 'x-app-usage': '{"call_count":28,"total_time":85,"total_cputime":25}' },
    { 'x-app-usage': 'broken' },
    {},
  ]) {
    host.script({ json: { data: [] }, headers })
    percents.push((await instagram.data.posts(access, owner, null)).usagePercent)
  }
  expect(percents).toEqual([76, 85, null, null])
})

it('reads the own account by its professional id', async () => {
  const text =
    '{"id":"26012345","user_id":17841405793187218,"username":"me","name":"Me","followers_count":1234,"media_count":7,"profile_picture_url":"https://scontent.cdninstagram.com/a.jpg"}'
  host.script({ text }, { text }, { text })
  expect(await instagram.data.account(access)).toMatchObject({
    creatorId: '17841405793187218',
    handle: 'me',
    followers: 1234n,
    videos: 7n,
    views: null,
  })
  expect((await instagram.data.accounts(access, null)).items).toHaveLength(1)
  await expect(instagram.data.account(access, '17841400000000000')).rejects.toMatchObject({ code: 'other_account' })
  expect(host.requests[0]).toMatchObject({
    path: '/instagramGraph/v25.0/me',
    headers: { authorization: 'Bearer IGAAtoken' },
  })
})

const media = {
  id: '17912345678901234',
  caption: 'A caption\u001b[2J',
  media_type: 'VIDEO',
  media_product_type: 'REELS',
  permalink: 'https://www.instagram.com/reel/Cabc/',
  thumbnail_url: 'https://scontent.cdninstagram.com/t.jpg',
  timestamp: '2026-10-01T07:56:32+0000',
  comments_count: 3,
}

it('lists media until there is no next page, hidden likes missing', async () => {
  const cursors = { before: 'B', after: 'QVFIafter' }
  host.script(
    { json: { data: [media, {}], paging: { cursors, next: 'https://graph.instagram.com/x?access_token=secret' } } },
    {
      json: {
        data: [{ ...media, media_type: 'IMAGE', thumbnail_url: undefined, media_url: 'https://a/b.jpg' }],
        paging: { cursors },
      },
    },
    { json: { data: [] } },
  )
  const first = await instagram.data.posts(access, owner, null)
  expect(first.next).toBe('QVFIafter')
  expect(first.items).toMatchObject([
    {
      videoId: media.id,
      creatorId: owner.creatorId,
      title: 'A caption\u001b[2J',
      url: media.permalink,
      thumbnailUrl: media.thumbnail_url,
      publishedAtMs: Date.UTC(2026, 9, 1, 7, 56, 32),
      views: null,
      likes: null,
      comments: 3n,
    },
  ])
  const last = await instagram.data.posts(access, owner, first.next)
  expect(last).toMatchObject({ next: null, items: [{ thumbnailUrl: 'https://a/b.jpg' }] })
  expect(await instagram.data.posts(access, owner, null)).toMatchObject({ items: [], next: null })
  expect(host.requests[1]).toMatchObject({
    path: '/instagramGraph/v25.0/17841405793187218/media',
    query: { limit: '50', after: 'QVFIafter' },
  })
})

it('asks for a shorter page when the answer would be too long', async () => {
  const message = "Please reduce the amount of data you're asking for, then retry your request"
  host.script({ status: 500, json: graphError(1, undefined, message) }, { json: { data: [media] } })
  expect((await instagram.data.posts(access, owner, null)).items).toHaveLength(1)
  expect(host.requests.map(request => request.query.limit)).toEqual(['50', '12'])
})

const insight = (name: string, value: number) => ({
  name,
  period: 'lifetime',
  values: [{ value }],
  id: `1/insights/${name}`,
})

it('reads counters of a post from its insights in one request', async () => {
  host.script({
    json: {
      data: [
        insight('views', 1234),
        insight('likes', 10),
        insight('comments', 2),
        insight('shares', 3),
        insight('saved', 4),
      ],
    },
  })
  expect((await instagram.data.metrics(access, owner, [media.id])).items).toMatchObject([
    { videoId: media.id, views: 1234n, likes: 10n, comments: 2n, shares: 3n, saves: 4n, endpoint: 'media.insights' },
  ])
  expect(host.requests).toMatchObject([
    { path: `/instagramGraph/v25.0/${media.id}/insights`, query: { metric: 'views,likes,comments,shares,saved' } },
  ])
})

it('asks for each metric by itself when one of them fails all, pays for each, and remembers those that are refused', async () => {
  const refused = {
    status: 400,
    json: graphError(100, undefined, '(#100) metric[0] must be one of the following values'),
  }
  const one = (name: string, value: number) => ({ json: { data: [insight(name, value)] } })
  const paid: number[] = []
  const paying = { ...access, payMore: async (units: number) => void paid.push(units) }
  host.script(refused, refused, one('likes', 10), one('comments', 2), { json: { data: [] } }, one('saved', 4))
  const { items } = await instagram.data.metrics(paying, owner, [media.id])
  expect(items).toMatchObject([
    { views: null, likes: 10n, comments: 2n, shares: null, saves: 4n, refusedMetrics: ['views'] },
  ])
  expect(paid).toEqual([1, 1, 1, 1, 1])
  host.script({ json: { data: [insight('likes', 11)] } })
  const traits = new Map(items.map(item => [item.videoId, item]))
  expect((await instagram.data.metrics(paying, owner, [media.id], traits)).items).toMatchObject([{ likes: 11n }])
  expect(host.requests.map(request => request.query.metric)).toEqual(['likes,comments,shares,saved'])
  host.script(...Array.from({ length: 6 }, () => refused))
  await expect(instagram.data.metrics(access, owner, [media.id])).rejects.toMatchObject({
    class: 'threshold',
    code: 'all_refused',
  })
})

it('asks of a story for what stories have, and for nothing where all is refused', async () => {
  const story = (refusedMetrics: string[]) => new Map([[media.id, { product: 'STORY', refusedMetrics }]])
  host.script({ json: { data: [insight('views', 9), insight('shares', 1)] } })
  expect((await instagram.data.metrics(access, owner, [media.id], story([]))).items).toMatchObject([
    { views: 9n, likes: null, shares: 1n, saves: null },
  ])
  expect(host.requests[0]?.query.metric).toBe('views,shares')
  host.script()
  expect((await instagram.data.metrics(access, owner, [media.id], story(['views', 'shares']))).items).toMatchObject([
    { videoId: media.id, views: null, shares: null },
  ])
  expect(host.requests).toEqual([])
})

it('does not take a success without numbers for zeros', async () => {
  host.script({ json: { data: [] } })
  await expect(instagram.data.metrics(access, owner, [media.id])).rejects.toMatchObject({
    class: 'threshold',
    code: 'no_data',
  })
})

it('names a post that is gone', async () => {
  host.script({ status: 400, json: graphError(100, 33, 'Unsupported get request.') })
  expect(await instagram.data.metrics(access, owner, [media.id])).toMatchObject({ items: [], missing: [media.id] })
})

it('reads the totals of one day of California, and none of a day that is not over', async () => {
  const total = (name: string, value: number) => ({ name, period: 'day', total_value: { value } })
  host.script({ json: { data: [total('views', 100), total('likes', 5), { name: 'shares', period: 'day' }] } })
  const day = (text: string) => instagram.data.daily?.(access, owner, { from: text, to: text })
  expect(await day('2026-10-31')).toMatchObject([{ day: '2026-10-31', views: 100n, likes: 5n, shares: null }])
  expect(host.requests[0]).toMatchObject({
    path: '/instagramGraph/v25.0/17841405793187218/insights',
    query: {
      metric_type: 'total_value',
      period: 'day',
      since: String(Date.UTC(2026, 9, 31, 7) / 1000),
      until: String(Date.UTC(2026, 10, 1, 7) / 1000),
    },
  })
  // That day has 25 hours.
  host.script({ json: { data: [total('views', 1)] } })
  await day('2026-11-01')
  expect(host.requests[0]?.query.until).toBe(String(Date.UTC(2026, 10, 2, 8) / 1000))
  host.script()
  expect(await day('2026-11-21')).toEqual([])
})

it('finds the accounts behind Pages, also those that only businesses list', async () => {
  const pageOf = (id: string, username: string) => ({
    id: `61${id}`,
    name: 'Page',
    instagram_business_account: { id, username },
  })
  const lonely = { id: '619', name: 'A Page without Instagram' }
  host.script(
    {
      json: {
        data: [pageOf('17841400000000001', 'one'), lonely],
        paging: { cursors: { after: 'X' }, next: 'https://x' },
      },
    },
    { json: { data: [pageOf('17841400000000002', 'two')], paging: { cursors: { after: 'Y' } } } },
    { json: { data: [{ id: '20', owned_pages: { data: [pageOf('17841400000000003', 'three')] } }] } },
  )
  const names: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof facebook.data.accounts>> = await facebook.data.accounts(access, cursor)
    names.push(...page.items.map(item => item.handle))
    cursor = page.next
  } while (cursor !== null)
  expect(names).toEqual(['one', 'two', 'three'])
  expect(host.requests.map(request => request.path)).toEqual([
    '/facebookGraph/v25.0/me/accounts',
    '/facebookGraph/v25.0/me/accounts',
    '/facebookGraph/v25.0/me/businesses',
  ])
})

it('says that there is no professional account when neither Pages nor businesses have one', async () => {
  host.script({ json: { data: [] } }, { status: 403, json: graphError(200) })
  await expect(facebook.data.account(access)).rejects.toMatchObject({
    class: 'not_found',
    code: 'no_account',
    message: expect.stringContaining('Facebook Page'),
  })
})

it('finds another account and its posts through the own one', async () => {
  const other = { id: '17841499999999999', username: 'nasa', name: 'NASA', followers_count: 5, media_count: 2 }
  const reel = { ...media, like_count: 1, view_count: 999 }
  const edge = { data: [reel], paging: { cursors: { after: 'QVFIafter' } } }
  host.script(
    { json: { business_discovery: other, id: owner.creatorId } },
    { json: { business_discovery: { id: other.id, media: edge }, id: owner.creatorId } },
    { json: { business_discovery: { id: other.id, media: { data: [] } }, id: owner.creatorId } },
  )
  const found = await facebook.data.creator?.(access, { by: 'username', value: 'nasa' }, owner.creatorId)
  expect(found).toMatchObject({ creatorId: other.id, handle: 'nasa', followers: 5n })
  if (!found) throw new Error('The account was found.')
  const first = await facebook.data.posts(access, found, null, owner.creatorId)
  expect(first).toMatchObject({ next: 'QVFIafter', items: [{ creatorId: other.id, views: 999n, likes: 1n }] })
  expect((await facebook.data.posts(access, found, first.next, owner.creatorId)).next).toBeNull()
  expect(host.requests[0]?.path).toBe('/facebookGraph/v25.0/17841405793187218')
  expect(host.requests[0]?.query.fields).toMatch(/^business_discovery\.username\(nasa\)\{id,username/)
  expect(host.requests[2]?.query.fields).toContain('media.after(QVFIafter).limit(50){id,')
})

it('asks for no account whose name would break out of the field', async () => {
  host.script()
  const asked = facebook.data.creator?.(access, { by: 'username', value: 'a){id},x(' }, owner.creatorId)
  await expect(asked).rejects.toMatchObject({ class: 'bad_request' })
  const withoutOwn = facebook.data.creator?.(access, { by: 'username', value: 'nasa' }, null)
  await expect(withoutOwn).rejects.toMatchObject({ class: 'permission' })
  expect(host.requests).toEqual([])
  expect(instagram.data.creator).toBeNull()
})

it('says which scope insights need', async () => {
  host.script()
  const narrow = { ...access, scopes: ['instagram_business_basic'] }
  await expect(instagram.data.metrics(narrow, owner, [media.id])).rejects.toMatchObject({
    class: 'permission',
    message: expect.stringContaining('instagram_business_manage_insights'),
  })
  expect(host.requests).toEqual([])
})
