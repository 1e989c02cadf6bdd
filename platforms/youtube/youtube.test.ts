import { afterAll, beforeAll, expect, it } from 'vitest'
import type { AccountReading, DeveloperCredentials, PlatformErrorClass } from '../port.ts'
import { scriptedHost } from '../scripted-host.ts'
import { unknownAccount } from '../unknown-account.ts'
import { youtubeReport } from './analytics.ts'
import { youtubeAuth } from './auth.ts'
import { youtubeData } from './data.ts'

let host: Awaited<ReturnType<typeof scriptedHost>>
let auth: ReturnType<typeof youtubeAuth>
let data: ReturnType<typeof youtubeData>
beforeAll(async () => {
  host = await scriptedHost()
  auth = youtubeAuth(host.deps)
  data = youtubeData(host.deps)
})
afterAll(() => host.close())

const credentials: DeveloperCredentials = {
  kind: 'google',
  clientId: '1-a.apps.googleusercontent.com',
  clientSecret: 'GOCSPX-secret',
  apiKey: null,
}
const byKey: DeveloperCredentials = { kind: 'google_api_key', clientId: '', clientSecret: '', apiKey: 'AIza-key' }
const access = { accessToken: 'ya29.token' }
const channelId = 'UCX6OQ3DkcsbYNE6H8uQQuVA'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const readonly = 'https://www.googleapis.com/auth/youtube.readonly'

function reading(more: Partial<AccountReading> = {}): AccountReading {
  return {
    ...unknownAccount,
    platform: 'youtube',
    creatorId: channelId,
    name: 'A channel',
    handle: 'name',
    ...more,
  }
}

const channelItem = {
  kind: 'youtube#channel',
  id: channelId,
  snippet: {
    title: 'A channel',
    customUrl: '@name',
    publishedAt: '2020-01-01T00:00:00Z',
    country: 'US',
    thumbnails: { default: { url: 'https://yt3.ggpht.com/a=s88', width: 88, height: 88 } },
  },
  contentDetails: { relatedPlaylists: { likes: '', uploads: 'UUX6OQ3DkcsbYNE6H8uQQuVA' } },
  statistics: {
    viewCount: '9007199254740993',
    subscriberCount: '1230000',
    hiddenSubscriberCount: false,
    videoCount: '10',
  },
}

it('sends the browser to Google with PKCE in base64url and asks for a refresh token each time', () => {
  const url = new URL(
    auth.authorizationUrl({
      credentials,
      redirectUri: 'http://127.0.0.1:4400/api/auth/callback/youtube',
      state: 'the state',
      scopes: auth.scopesOf('google'),
      codeVerifier: verifier,
    }),
  )
  expect(url.pathname).toBe('/googleAuthorize/o/oauth2/v2/auth')
  expect(Object.fromEntries(url.searchParams)).toEqual({
    client_id: credentials.clientId,
    redirect_uri: 'http://127.0.0.1:4400/api/auth/callback/youtube',
    response_type: 'code',
    scope: `${readonly} https://www.googleapis.com/auth/yt-analytics.readonly`,
    state: 'the state',
    access_type: 'offline',
    prompt: 'consent',
    include_granted_scopes: 'true',
    // RFC 7636, appendix B.
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  })
})

it('links nothing with an API key', () => {
  const request = { credentials: byKey, redirectUri: 'https://a/', state: 's', scopes: [], codeVerifier: verifier }
  expect(auth.scopesOf('google_api_key')).toEqual([])
  expect(() => auth.authorizationUrl(request)).toThrow(/OAuth client/)
})

it('reads what the browser brings back', () => {
  expect(auth.readCallback({ code: '4/0Aabc', state: 's', scope: 'a b' })).toEqual({ code: '4/0Aabc' })
  expect(auth.readCallback({ error: 'access_denied', state: 's' })).toEqual({
    error: 'access_denied',
    description: 'Access was declined on the page of consent.',
  })
  expect(auth.readCallback({ error: 'admin_policy_enforced\u001b[2J' })).toMatchObject({
    error: 'admin_policy_enforced [2J',
  })
  expect(auth.readCallback({ state: 's' })).toMatchObject({ error: 'no_code' })
})

it('exchanges a code, and tells which scopes were left', async () => {
  host.script({
    json: { access_token: 'ya29.a', expires_in: 3599, refresh_token: '1//r', scope: readonly, token_type: 'Bearer' },
  })
  const tokens = await auth.exchangeCode({
    credentials,
    redirectUri: 'http://127.0.0.1/',
    codeVerifier: verifier,
    code: '4/0A a',
  })
  expect(tokens).toEqual({
    accessToken: 'ya29.a',
    refreshToken: '1//r',
    expiresAtMs: host.nowMs + 3_599_000,
    refreshExpiresAtMs: null,
    scopes: [readonly],
  })
  expect(host.requests).toMatchObject([
    {
      method: 'POST',
      path: '/googleToken/token',
      form: {
        grant_type: 'authorization_code',
        code: '4/0A a',
        client_id: credentials.clientId,
        client_secret: 'GOCSPX-secret',
        redirect_uri: 'http://127.0.0.1/',
        code_verifier: verifier,
      },
    },
  ])
})

it('keeps the stored refresh token when a refresh brings none, or an empty one', async () => {
  const stored = { accessToken: 'old', refreshToken: '1//r', issuedAtMs: 0 }
  for (const more of [{}, { refresh_token: '' }]) {
    host.script({ json: { access_token: 'new', expires_in: 3599, token_type: 'Bearer', ...more } })
    expect(await auth.refresh(credentials, stored)).toMatchObject({
      accessToken: 'new',
      refreshToken: null,
      scopes: null,
    })
  }
  host.script({ json: { access_token: 'new', refresh_token: '1//other', refresh_token_expires_in: 604_799 } })
  expect(await auth.refresh(credentials, stored)).toMatchObject({
    refreshToken: '1//other',
    expiresAtMs: null,
    refreshExpiresAtMs: host.nowMs + 604_799_000,
  })
  expect(host.requests[0]?.form).toMatchObject({ grant_type: 'refresh_token', refresh_token: '1//r' })
})

it('asks nobody when there is no refresh token', async () => {
  host.script()
  const stored = { accessToken: 'old', refreshToken: null, issuedAtMs: 0 }
  await expect(auth.refresh(credentials, stored)).rejects.toMatchObject({ class: 'grant', code: 'no_refresh_token' })
  expect(host.requests).toEqual([])
})

it('calls a success without a token a failure of the platform', async () => {
  host.script({ json: { expires_in: 3599 } })
  const stored = { accessToken: 'old', refreshToken: '1//r', issuedAtMs: 0 }
  await expect(auth.refresh(credentials, stored)).rejects.toMatchObject({ class: 'server', code: 'unexpected_answer' })
})

it('revokes the refresh token, and takes a dead one for revoked', async () => {
  host.script(
    { json: {} },
    { status: 400, json: { error: 'invalid_token', error_description: 'Token expired or revoked' } },
  )
  await auth.revoke(credentials, { accessToken: 'a', refreshToken: '1//r', issuedAtMs: 0 })
  await auth.revoke(credentials, { accessToken: 'a', refreshToken: null, issuedAtMs: 0 })
  expect(host.requests.map(request => request.form)).toEqual([{ token: '1//r' }, { token: 'a' }])
  host.script({ status: 503, text: '' })
  const failing = auth.revoke(credentials, { accessToken: 'a', refreshToken: null, issuedAtMs: 0 })
  await expect(failing).rejects.toMatchObject({ class: 'server' })
})

it.each([
  [400, 'invalid_grant', 'Bad Request', 'valid'],
  [401, 'invalid_client', 'The OAuth client was not found.', 'invalid'],
  [401, 'invalid_client', 'The provided client secret is invalid.', 'invalid'],
  [401, 'invalid_client', 'Unauthorized', 'invalid'],
  [400, 'deleted_client', 'The OAuth client was deleted.', 'invalid'],
  [400, 'invalid_request', 'Missing required parameter', 'inconclusive'],
  [500, 'internal_failure', '', 'inconclusive'],
])('judges a client by its probe: %d %s %s is %s', async (status, error, error_description, verdict) => {
  host.script({ status, json: { error, error_description } })
  const judged = await auth.validate(credentials)
  expect(judged.status).toBe(verdict)
  if (verdict !== 'valid') expect(judged.reason).toContain(error_description || error)
  expect(JSON.stringify(judged)).not.toContain('GOCSPX-secret')
})

it.each([
  [200, { items: [{ id: 'dQw4w9WgXcQ' }] }, 'valid'],
  [403, googleError(403, 'quotaExceeded', 'PERMISSION_DENIED', 'RATE_LIMIT_EXCEEDED'), 'valid'],
  [400, googleError(400, 'badRequest', 'INVALID_ARGUMENT', 'API_KEY_INVALID'), 'invalid'],
  [403, googleError(403, 'accessNotConfigured', 'PERMISSION_DENIED', 'SERVICE_DISABLED'), 'invalid'],
  [503, googleError(503, 'backendError', 'UNAVAILABLE'), 'inconclusive'],
])('judges an API key by one unit: status %d', async (status, json, verdict) => {
  host.script({ status, json })
  expect((await auth.validate(byKey)).status).toBe(verdict)
  expect(host.requests).toMatchObject([
    { path: '/youtubeData/youtube/v3/videos', headers: { 'x-goog-api-key': 'AIza-key' } },
  ])
})

function googleError(code: number, reason: string, status: string, detail?: string) {
  return {
    error: {
      code,
      message: 'Said by Google.',
      errors: [{ message: 'Said by Google.', domain: 'global', reason }],
      status,
      ...(detail === undefined
        ? {}
        : {
            details: [
              { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: detail, domain: 'googleapis.com' },
            ],
          }),
    },
  }
}

it.each<[number, string, string, string | undefined, PlatformErrorClass]>([
  [401, 'authError', 'UNAUTHENTICATED', undefined, 'token'],
  [401, 'authorizationRequired', 'UNAUTHENTICATED', undefined, 'token'],
  [401, 'youtubeSignupRequired', 'UNAUTHENTICATED', undefined, 'not_found'],
  [403, 'insufficientPermissions', 'PERMISSION_DENIED', 'ACCESS_TOKEN_SCOPE_INSUFFICIENT', 'permission'],
  [403, 'forbidden', 'PERMISSION_DENIED', undefined, 'permission'],
  [403, 'accessNotConfigured', 'PERMISSION_DENIED', 'SERVICE_DISABLED', 'permission'],
  [403, 'quotaExceeded', 'PERMISSION_DENIED', 'RATE_LIMIT_EXCEEDED', 'quota'],
  [403, 'dailyLimitExceeded', 'PERMISSION_DENIED', undefined, 'quota'],
  [403, 'rateLimitExceeded', 'PERMISSION_DENIED', undefined, 'rate'],
  [429, 'rateLimitExceeded', 'RESOURCE_EXHAUSTED', 'RATE_LIMIT_EXCEEDED', 'rate'],
  [403, 'userRateLimitExceeded', 'PERMISSION_DENIED', undefined, 'rate'],
  [429, 'unheardOf', 'RESOURCE_EXHAUSTED', undefined, 'rate'],
  [404, 'videoNotFound', 'NOT_FOUND', undefined, 'not_found'],
  [404, 'channelNotFound', 'NOT_FOUND', undefined, 'not_found'],
  [403, 'channelClosed', 'PERMISSION_DENIED', undefined, 'not_found'],
  [403, 'channelSuspended', 'PERMISSION_DENIED', undefined, 'not_found'],
  [403, 'commentsDisabled', 'PERMISSION_DENIED', undefined, 'threshold'],
  [400, 'badRequest', 'INVALID_ARGUMENT', 'API_KEY_INVALID', 'client'],
  [400, 'badRequest', 'INVALID_ARGUMENT', undefined, 'bad_request'],
  [400, 'invalidParameter', 'INVALID_ARGUMENT', undefined, 'bad_request'],
  [400, 'videoChartNotFound', 'INVALID_ARGUMENT', undefined, 'bad_request'],
  [400, 'invalidPageToken', 'INVALID_ARGUMENT', undefined, 'bad_request'],
  [400, 'unheardOf', '', undefined, 'bad_request'],
  [503, 'backendError', 'UNAVAILABLE', undefined, 'server'],
  [500, 'internalError', 'INTERNAL', undefined, 'server'],
  [502, 'badRequest', '', undefined, 'server'],
])('classes %d %s %s %s as %s %s', async (status, reason, state, detail, class_) => {
  host.script({ status, json: googleError(status, reason, state, detail) })
  await expect(data.chart?.(access, { region: 'US', categoryId: null }, null)).rejects.toMatchObject({ class: class_ })
})

it('reads the own channel, and never a hidden number of followers', async () => {
  host.script({ json: { items: [channelItem] } })
  expect(await data.account(access)).toEqual(
    reading({
      name: 'A channel',
      handle: 'name',
      avatarUrl: 'https://yt3.ggpht.com/a=s88',
      followers: 1_230_000n,
      views: 9_007_199_254_740_993n,
      videos: 10n,
      observedAtMs: host.nowMs,
      endpoint: 'channels.list',
      uploadsId: 'UUX6OQ3DkcsbYNE6H8uQQuVA',
    }),
  )
  expect(host.requests).toMatchObject([
    {
      method: 'GET',
      path: '/youtubeData/youtube/v3/channels',
      query: { mine: 'true', part: 'snippet,statistics,contentDetails' },
      headers: { authorization: 'Bearer ya29.token' },
    },
  ])
  const statistics = { ...channelItem.statistics, subscriberCount: '0', hiddenSubscriberCount: true }
  host.script({ json: { items: [{ ...channelItem, statistics }] } })
  expect((await data.account(access)).followers).toBeNull()
})

it('says that there is no channel, in whichever way Google says it', async () => {
  for (const json of [{ items: [] }, {}]) {
    host.script({ json })
    await expect(data.account(access)).rejects.toMatchObject({ class: 'not_found', code: 'no_channel' })
  }
  host.script({ json: { items: [channelItem] } })
  await expect(data.account(access, 'UCother')).rejects.toMatchObject({ class: 'not_found' })
})

it('asks for nobody’s own things with an API key', async () => {
  host.script()
  await expect(data.account({ apiKey: 'AIza-key' })).rejects.toMatchObject({ class: 'permission' })
  await expect(data.broadcasts?.({ apiKey: 'AIza-key' }, null)).rejects.toMatchObject({ class: 'permission' })
  expect(host.requests).toEqual([])
})

it.each([
  [{ by: 'id', value: channelId } as const, { id: channelId }],
  [{ by: 'handle', value: 'name' } as const, { forHandle: '@name' }],
  [{ by: 'username', value: 'PewDiePie' } as const, { forUsername: 'PewDiePie' }],
])('finds somebody else’s channel by %o', async (ref, query) => {
  host.script({ json: { items: [channelItem] } }, { json: { pageInfo: { totalResults: 0 } } })
  expect(await data.creator?.({ apiKey: 'AIza-key' }, ref, null)).toMatchObject({ creatorId: channelId })
  expect(host.requests[0]?.query).toMatchObject(query)
  await expect(data.creator?.({ apiKey: 'AIza-key' }, ref, null)).rejects.toMatchObject({ class: 'not_found' })
})

it('lists uploads by page, from the playlist that the channel names or would have', async () => {
  const item = {
    kind: 'youtube#playlistItem',
    id: 'UEw',
    snippet: { position: 0, resourceId: { kind: 'youtube#video', videoId: 'dQw4w9WgXcQ' }, playlistId: 'UU…' },
    contentDetails: { videoId: 'dQw4w9WgXcQ', videoPublishedAt: '2026-10-01T18:00:07Z' },
  }
  host.script({ json: { items: [item, { kind: 'odd' }, null], nextPageToken: 'CAUQAA' } }, { json: { items: [item] } })
  const first = await data.posts(access, reading(), null)
  expect(first).toMatchObject({ next: 'CAUQAA', missing: [], usagePercent: null })
  expect(first.items).toEqual([
    {
      platform: 'youtube',
      videoId: 'dQw4w9WgXcQ',
      creatorId: channelId,
      creatorName: '',
      isPublic: true,
      odd: [],
      product: '',
      refusedMetrics: [],
      kind: 'clip',
      title: '',
      url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
      thumbnailUrl: '',
      publishedAtMs: Date.UTC(2026, 9, 1, 18, 0, 7),
      endedAtMs: null,
      durationSeconds: null,
      category: '',
      tags: [],
      views: null,
      likes: null,
      comments: null,
      shares: null,
      saves: null,
      observedAtMs: host.nowMs,
      endpoint: 'playlistItems.list',
    },
  ])
  expect((await data.posts(access, reading({ uploadsId: 'UUother' }), 'CAUQAA')).next).toBeNull()
  expect(host.requests.map(({ query }) => [query.playlistId, query.pageToken])).toEqual([
    ['UUX6OQ3DkcsbYNE6H8uQQuVA', undefined],
    ['UUother', 'CAUQAA'],
  ])
})

it('takes the missing playlist of a channel that never uploaded for an empty one, but not in the middle', async () => {
  const gone = { status: 404, json: googleError(404, 'playlistNotFound', 'NOT_FOUND') }
  host.script(gone, gone)
  expect(await data.posts(access, reading(), null)).toMatchObject({ items: [], next: null })
  await expect(data.posts(access, reading(), 'CAUQAA')).rejects.toMatchObject({ class: 'not_found' })
})

const videoItem = {
  kind: 'youtube#video',
  etag: 'e',
  id: 'dQw4w9WgXcQ',
  snippet: {
    publishedAt: '2026-10-01T18:00:07Z',
    channelId,
    title: 'A \u001b[2J title 👩‍👩‍👧‍👦',
    thumbnails: { default: { url: 'https://i.ytimg.com/d.jpg' }, medium: { url: 'https://i.ytimg.com/m.jpg' } },
    tags: ['one', 5, 'two'],
    categoryId: '20',
    liveBroadcastContent: 'none',
  },
  contentDetails: { duration: 'PT1H2M58S' },
  statistics: { viewCount: '123456', favoriteCount: '0' },
}

it('reads videos: digits as counts, absent ones as missing, titles as they are', async () => {
  const vod = {
    ...videoItem,
    id: 'vod',
    liveStreamingDetails: { actualStartTime: '2026-10-01T17:00:00Z', actualEndTime: '2026-10-01T18:00:00Z' },
  }
  const live = {
    ...videoItem,
    id: 'live',
    snippet: { ...videoItem.snippet, liveBroadcastContent: 'live' },
    contentDetails: { duration: 'P0D' },
    liveStreamingDetails: { actualStartTime: '2026-10-01T17:00:00Z' },
  }
  host.script({ json: { items: [videoItem, vod, live, { id: 'bare' }] } })
  const page = await data.details?.(access, ['dQw4w9WgXcQ', 'vod', 'live', 'gone', 'bare'])
  expect(page?.missing).toEqual(['gone'])
  expect(page?.items[0]).toMatchObject({
    title: 'A \u001b[2J title 👩‍👩‍👧‍👦',
    kind: 'clip',
    durationSeconds: 3778,
    category: 'Gaming',
    tags: ['one', 'two'],
    thumbnailUrl: 'https://i.ytimg.com/m.jpg',
    views: 123_456n,
    likes: null,
    comments: null,
    endpoint: 'videos.list',
  })
  expect(page?.items.slice(1)).toMatchObject([
    { kind: 'vod', endedAtMs: Date.UTC(2026, 9, 1, 18) },
    { kind: 'stream', endedAtMs: null, durationSeconds: null },
    { videoId: 'bare', kind: 'clip', publishedAtMs: null, views: null },
  ])
  expect(host.requests[0]?.query.id).toBe('dQw4w9WgXcQ,vod,live,gone,bare')
})

it('reads counters from their own bucket, and finds what is missing without the summary', async () => {
  const stats = (id: string, contentDetails: object) => ({
    kind: 'youtube#videoStats',
    id,
    snippet: { publishTime: '2026-10-01T18:00:07Z' },
    contentDetails,
    statistics: { viewCount: '1', likeCount: '1', commentCount: '0' },
  })
  host.script({
    json: {
      items: [stats('a', { duration: '58s' }), stats('b', { durationMillis: '58500' })],
      summary: { failedVideoIds: ['c'] },
    },
  })
  const page = await data.metrics({ apiKey: 'AIza-key' }, reading(), ['a', 'b', 'c'])
  expect(page).toMatchObject({
    next: null,
    missing: ['c'],
    items: [
      { videoId: 'a', publishedAtMs: Date.UTC(2026, 9, 1, 18, 0, 7), durationSeconds: 58, views: 1n, comments: 0n },
      { videoId: 'b', durationSeconds: 58.5 },
    ],
  })
  expect(host.requests[0]?.path).toBe('/youtubeData/youtube/v3/videos:batchGetStats')
  expect(data.cost('metrics')).toEqual({ bucket: 'youtube:stats', units: 1 })
})

it('asks for no counters when none are wanted, and refuses more than fifty', async () => {
  host.script()
  expect(await data.metrics(access, reading(), [])).toMatchObject({ items: [] })
  const tooMany = data.metrics(
    access,
    reading(),
    Array.from({ length: 51 }, (_, index) => `v${index}`),
  )
  await expect(tooMany).rejects.toMatchObject({ class: 'bad_request', code: 'too_many_ids' })
  expect(host.requests).toEqual([])
})

it('reads broadcasts as streams until they end', async () => {
  const item = (id: string, times: object) => ({
    kind: 'youtube#liveBroadcast',
    id,
    snippet: { publishedAt: '2026-10-01T10:00:00Z', channelId, title: id, ...times },
  })
  host.script({
    json: {
      items: [
        item('soon', { scheduledStartTime: '2026-12-01T00:00:00Z' }),
        item('now', { actualStartTime: '2026-10-01T11:00:00Z' }),
        item('past', { actualStartTime: '2026-10-01T11:00:00Z', actualEndTime: '2026-10-01T12:30:00Z' }),
      ],
    },
  })
  expect((await data.broadcasts?.(access, null))?.items).toMatchObject([
    { kind: 'stream', publishedAtMs: Date.UTC(2026, 9, 1, 10), durationSeconds: null },
    { kind: 'stream', publishedAtMs: Date.UTC(2026, 9, 1, 11) },
    { kind: 'vod', endedAtMs: Date.UTC(2026, 9, 1, 12, 30), durationSeconds: 5400 },
  ])
})

it('reads the own channel by day, each report by itself and paid for, and nothing where rows are left out', async () => {
  const table = (names: readonly string[], ...rows: unknown[]) => ({
    json: {
      kind: 'youtubeAnalytics#resultTable',
      columnHeaders: names.map(name => ({ name, columnType: name === 'day' ? 'DIMENSION' : 'METRIC' })),
      ...(rows.length > 0 ? { rows } : {}),
    },
  })
  const watched = ['day', 'views', 'estimatedMinutesWatched']
  const engaged = ['day', 'likes', 'comments', 'shares', 'subscribersGained', 'subscribersLost']
  const outside = ['2026-11-01', '2026-10-02\t', 'odd']
  host.script(
    table(watched, ['2026-10-01', 123, 60], ...outside.map(day => [day, 9, 9]), 'odd'),
    table(engaged, ['2026-10-01', -2, 3, 4, 5, 6], ['2026-10-02', 1, 1, 1, 1, 1]),
    table(watched),
    table(engaged),
  )
  const days = { from: '2026-10-01', to: '2026-10-30' }
  const paid: number[] = []
  const paying = { ...access, payMore: async (units: number) => void paid.push(units) }
  const day = {
    platform: 'youtube',
    creatorId: channelId,
    saves: null,
    observedAtMs: host.nowMs,
    endpoint: 'reports.query',
  }
  expect(await data.daily?.(paying, reading(), days)).toEqual([
    {
      ...{ ...day, day: '2026-10-01', views: 123n, watchMinutes: 60n },
      ...{ likes: null, comments: 3n, shares: 4n, followersGained: 5n, followersLost: 6n },
    },
    {
      ...{ ...day, day: '2026-10-02', views: null, watchMinutes: null },
      ...{ likes: 1n, comments: 1n, shares: 1n, followersGained: 1n, followersLost: 1n },
    },
  ])
  expect(paid).toEqual([1])
  expect(await data.daily?.(access, reading(), days)).toEqual([])
  expect(host.requests.map(request => request.query.metrics)).toEqual(
    [watched, engaged, watched, engaged].map(names => names.slice(1).join(',')),
  )
  expect(host.requests[0]).toMatchObject({
    path: '/youtubeAnalytics/v2/reports',
    query: { ids: 'channel==MINE', startDate: '2026-10-01', endDate: '2026-10-30', dimensions: 'day', sort: 'day' },
  })
})

it('names the categories of a country, and asks for the chart of one', async () => {
  const category = (id: string, assignable: boolean) => ({ id, snippet: { title: `Category ${id}`, assignable } })
  host.script({ json: { items: [category('20', true), category('18', false), { id: 'x y' }, null] } }, { json: {} })
  expect(await data.categories?.(access, 'US')).toEqual([
    { id: '20', name: 'Category 20', isAssignable: true },
    { id: '18', name: 'Category 18', isAssignable: false },
  ])
  await data.chart?.(access, { region: 'US', categoryId: '20' }, 'CAUQAA')
  expect(host.requests.map(request => [request.path, request.query])).toMatchObject([
    ['/youtubeData/youtube/v3/videoCategories', { regionCode: 'US', part: 'snippet' }],
    [
      '/youtubeData/youtube/v3/videos',
      { chart: 'mostPopular', regionCode: 'US', videoCategoryId: '20', pageToken: 'CAUQAA' },
    ],
  ])
})

it('asks for the curve of one video, and not without the scope', async () => {
  const columnHeaders = [{ name: 'elapsedVideoTimeRatio' }, { name: 'audienceWatchRatio' }]
  host.script({ json: { columnHeaders, rows: [[0.01, 1.2]] } })
  const question = {
    days: { from: '2026-10-01', to: '2026-10-30' },
    metrics: ['audienceWatchRatio'],
    dimensions: ['elapsedVideoTimeRatio'],
    filters: 'video==dQw4w9WgXcQ',
    maxResults: 100,
  }
  expect(await youtubeReport(host.deps, access, question)).toEqual([
    { elapsedVideoTimeRatio: 0.01, audienceWatchRatio: 1.2 },
  ])
  const narrow = { ...access, scopes: [readonly] }
  await expect(youtubeReport(host.deps, narrow, question)).rejects.toMatchObject({
    class: 'permission',
    code: 'scope_missing',
    message: expect.stringContaining('yt-analytics.readonly'),
  })
  expect(host.requests).toHaveLength(1)
})
