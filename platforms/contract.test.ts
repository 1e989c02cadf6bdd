import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '../core/clock.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import type { Outbound } from '../core/outbound/port.ts'
import { openPlatforms } from './clients.ts'
import type {
  AccountReading,
  CredentialKind,
  DataAccess,
  DeveloperCredentials,
  Page,
  PlatformErrorClass,
  PostReading,
  StoredTokens,
  TokenSet,
} from './port.ts'
import { PlatformError } from './port.ts'
import type { PlatformRegistry } from './registry.ts'
import type { SandboxApp } from './sandbox/apps.ts'
import { refusalNames } from './sandbox/refusals.ts'
import { type RunningSandbox, startSandbox } from './sandbox/sandbox.ts'
import type { Creator } from './sandbox/world.ts'

/** Every client against the sandbox: what both must hold for a session with real platforms to go well. */

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const startMs = Date.UTC(2026, 9, 15, 18)
const httpsUri = 'https://cliptape.example/callback'
const loopbackUri = 'http://127.0.0.1:4400/callback'
const verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'

const clock = manualClock(startMs)
let sandbox: RunningSandbox
let outbound: Outbound
let platforms: PlatformRegistry
beforeAll(async () => {
  sandbox = await startSandbox({ clock, redirectUris: [httpsUri, loopbackUri], creatorCount: 20 })
  outbound = openOutbound({ configuredOrigins: [sandbox.url] })
  platforms = openPlatforms({ outbound, clock, urls: sandbox.urls })
})
afterAll(async () => {
  await outbound.close()
  await sandbox.close()
})
const limits = { youtubeUnits: 10_000, youtubeStats: 10_000, tiktokPerMinute: 600, instagramPerDay: 48_000 }
afterEach(() => {
  const { controls } = sandbox
  controls.clearFaults()
  controls.clearQuotas()
  Object.assign(controls.limits, limits)
  Object.assign(controls.quirks, {
    instagramTokenShape: 'wrapped',
    tiktokOauthStatus: 400,
    tiktokErrorsWith200: false,
    tiktokScopes: 'refuse',
    youtubeSummary: true,
    instagramEmptyInsights: false,
  })
  for (const app of controls.apps)
    Object.assign(app, { apisOff: [], ...(app.family === 'google' ? { isTesting: false } : {}) })
})

interface Kind {
  readonly kind: CredentialKind
  readonly family: SandboxApp['family']
  readonly type: SandboxApp['type']
  readonly redirectUri: string
  /** The endpoint of the first page of posts. */
  readonly postsEndpoint: string
}

const google: Kind = {
  kind: 'google',
  family: 'google',
  type: 'web',
  redirectUri: httpsUri,
  postsEndpoint: 'youtube.playlistItems.list',
}
const tiktok: Kind = {
  kind: 'tiktok_desktop',
  family: 'tiktok',
  type: 'desktop',
  redirectUri: loopbackUri,
  postsEndpoint: 'tiktok.video.list',
}
const instagram: Kind = {
  kind: 'instagram_login',
  family: 'instagram',
  type: 'web',
  redirectUri: httpsUri,
  postsEndpoint: 'instagram.media',
}
const facebook: Kind = { ...instagram, kind: 'facebook_login', family: 'facebook', postsEndpoint: 'facebook.media' }
const kinds = [
  google,
  tiktok,
  { ...tiktok, kind: 'tiktok_web', type: 'web', redirectUri: httpsUri } as const,
  instagram,
  facebook,
]

function credentialsOf({ kind, family, type }: Kind): DeveloperCredentials {
  const { clientId, clientSecret, apiKeys } = sandbox.controls.app(family, type)
  return { kind, clientId, clientSecret, apiKey: apiKeys[0] ?? null }
}

/** The browser's part: opens the page of consent, which decides by itself, and reads where it was sent. */
async function consent(
  one: Kind,
  scopes = platforms.auth(one.kind).scopesOf(one.kind),
): Promise<Record<string, string>> {
  const { kind, redirectUri } = one
  const url = platforms.auth(kind).authorizationUrl({
    credentials: credentialsOf(one),
    redirectUri,
    state: 'the-state',
    scopes,
    codeVerifier: verifier,
  })
  const response = await fetch(url, { redirect: 'manual' })
  await response.arrayBuffer()
  const back = new URL(response.headers.get('location') ?? `about:${response.status}`)
  expect(`${back.origin}${back.pathname}`).toBe(redirectUri)
  return Object.fromEntries(back.searchParams)
}

interface Linked {
  readonly one: Kind
  readonly credentials: DeveloperCredentials
  readonly tokens: TokenSet
  readonly stored: StoredTokens
  readonly access: DataAccess
  readonly account: AccountReading
}

/** Links the account with this place in the picker, with these scopes of those that are asked. */
async function link(one: Kind, options: { index?: number; scopes?: readonly string[] } = {}): Promise<Linked> {
  const { controls } = sandbox
  const accountId = one.family === 'facebook' ? undefined : creatorOf(one, options.index ?? 0).id
  controls.autoConsent(one.family, {
    decision: 'allow',
    ...(accountId === undefined ? {} : { accountId }),
    ...(options.scopes === undefined ? {} : { scopes: options.scopes }),
  })
  const auth = platforms.auth(one.kind)
  const back = await consent(one)
  expect(back.state).toBe('the-state')
  const read = auth.readCallback(back)
  if (!('code' in read)) throw new Error(read.description)
  const credentials = credentialsOf(one)
  const { redirectUri } = one
  const tokens = await auth.exchangeCode({ credentials, redirectUri, codeVerifier: verifier, code: read.code })
  const access = { accessToken: tokens.accessToken, scopes: tokens.scopes }
  const account = await platforms.data(one.kind).account(access)
  return { one, credentials, tokens, stored: storedOf(tokens), access, account }
}

function storedOf({ accessToken, refreshToken }: TokenSet): StoredTokens {
  return { accessToken, refreshToken, issuedAtMs: clock.nowMs() }
}

function creatorOf(one: Kind, index: number): Creator {
  const platform = one.family === 'google' ? 'youtube' : one.family === 'tiktok' ? 'tiktok' : 'instagram'
  const creator = sandbox.controls.world.creatorAt(platform, index)
  if (creator === null) throw new Error('The world has that many creators.')
  return creator
}

/** All pages, with patience for what may pass: as whoever schedules calls would do it. */
async function allPosts(linked: Linked, triesMax = 1, pagesMax = 100): Promise<PostReading[]> {
  const found = new Map<string, PostReading>()
  const data = platforms.data(linked.one.kind)
  let cursor: string | null = null
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page: Page<PostReading> = await patiently(triesMax, () => data.posts(linked.access, linked.account, cursor))
    for (const post of page.items) found.set(post.videoId, post)
    if (page.next === null) return [...found.values()]
    cursor = page.next
  }
  throw new Error('There is no end to the pages.')
}

async function patiently<T>(triesMax: number, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await work()
    } catch (error) {
      const mayPass = error instanceof PlatformError && ['network', 'server', 'rate'].includes(error.class)
      if (!mayPass || tries >= triesMax) throw error
    }
  }
}

async function classOf(asked: Promise<unknown> | undefined): Promise<PlatformErrorClass | 'no error'> {
  try {
    await asked
    return 'no error'
  } catch (error) {
    if (error instanceof PlatformError) return error.class
    throw error
  }
}

describe.each(kinds)('$kind', one => {
  const auth = () => platforms.auth(one.kind)
  const data = () => platforms.data(one.kind)

  it('judges right credentials valid, a wrong secret and an unknown id not', async () => {
    const credentials = credentialsOf(one)
    expect(await auth().validate(credentials)).toEqual({ status: 'valid', reason: null })
    const wrongSecret = await auth().validate({ ...credentials, clientSecret: 'f'.repeat(32) })
    expect(wrongSecret).toMatchObject({ status: 'invalid', reason: expect.any(String) })
    const wrongId = await auth().validate({ ...credentials, clientId: '9999999999999999' })
    // Facebook's answer to an unknown id tells too little.
    expect(wrongId.status).toBe(one.kind === 'facebook_login' ? 'inconclusive' : 'invalid')
  })

  it('links the account that was chosen, with all that was asked', async () => {
    const { account, tokens } = await link(one)
    const creator = creatorOf(one, 0)
    expect(account).toMatchObject({ creatorId: creator.id, name: creator.name, handle: creator.handle })
    expect(account.followers).toBeTypeOf('bigint')
    expect(tokens.scopes).toEqual(expect.arrayContaining([...auth().scopesOf(one.kind)]))
    expect(tokens.expiresAtMs).toBeGreaterThan(clock.nowMs())
  })

  it('understands that access was declined', async () => {
    sandbox.controls.autoConsent(one.family, { decision: 'deny' })
    expect(auth().readCallback(await consent(one))).toMatchObject({ error: 'access_denied' })
  })

  it('cannot use a code twice, nor with another redirect address', async () => {
    sandbox.controls.autoConsent(one.family, { decision: 'allow' })
    const exchange = async (code: string, redirectUri: string) =>
      classOf(auth().exchangeCode({ credentials: credentialsOf(one), redirectUri, codeVerifier: verifier, code }))
    const { code = '' } = await consent(one)
    expect(['bad_request', 'grant']).toContain(await exchange(code, `${one.redirectUri}/`))
    expect(await exchange(code, one.redirectUri)).toBe('no error')
    expect(await exchange(code, one.redirectUri)).toBe('grant')
    expect(await exchange('no-such-code', one.redirectUri)).toBe('grant')
  })

  it('renews what expires, and finds a dead grant dead', async () => {
    const linked = await link(one)
    clock.advance(25 * hourMs)
    const renewed = await auth().refresh(linked.credentials, linked.stored)
    expect(renewed.accessToken).not.toBe(linked.tokens.accessToken)
    const access = { accessToken: renewed.accessToken }
    expect(await data().account(access)).toMatchObject({ creatorId: linked.account.creatorId })
    sandbox.controls.revokeAll()
    expect(await classOf(data().account(access))).toBe('token')
    clock.advance(25 * hourMs)
    const stored = { ...linked.stored, ...renewed, refreshToken: renewed.refreshToken ?? linked.stored.refreshToken }
    expect(await classOf(auth().refresh(linked.credentials, stored))).toBe('grant')
  })

  it('knows an access token that has died', async () => {
    const linked = await link(one)
    sandbox.controls.killAccessTokens()
    expect(await classOf(data().account(linked.access))).toBe('token')
    expect(await classOf(data().posts(linked.access, linked.account, null))).toBe('token')
  })

  it('revokes, also what is revoked already', async () => {
    const linked = await link(one)
    await auth().revoke(linked.credentials, linked.stored)
    expect(await classOf(data().account(linked.access))).toBe('token')
    await auth().revoke(linked.credentials, linked.stored)
  })

  it('sees wrong credentials at a refresh, which kill no grant', async () => {
    const linked = await link(one)
    clock.advance(25 * hourMs)
    // Instagram asks for no credentials here.
    if (one.kind !== 'instagram_login') {
      const wrong = { ...linked.credentials, clientSecret: 'f'.repeat(32) }
      expect(await classOf(auth().refresh(wrong, linked.stored))).toBe('client')
    }
    expect(await classOf(auth().refresh(linked.credentials, linked.stored))).toBe('no error')
  })

  it('brings every post once, newest first', async () => {
    const linked = await link(one)
    const posts = await allPosts(linked)
    const truth = [...sandbox.controls.world.posts(creatorOf(one, 0), clock.nowMs())]
    expect(posts.map(post => post.videoId)).toEqual(truth.map(post => post.id))
    expect(truth.length).toBeGreaterThan(100)
    expect(posts.map(post => post.publishedAtMs)).toEqual(truth.map(post => post.publishedAtMs))
  })

  it('brings the counters that the platform has, hidden ones missing', async () => {
    const linked = await link(one)
    const { items } = await data().posts(linked.access, linked.account, null)
    for (const { videoId } of items.slice(0, 12)) {
      const truth = [...sandbox.controls.world.posts(creatorOf(one, 0), clock.nowMs())].find(
        post => post.id === videoId,
      )
      if (truth === undefined) throw new Error('The post is known.')
      const { views, likes, shares } = sandbox.controls.world.counters(truth, clock.nowMs())
      const read = await data()
        .metrics(linked.access, linked.account, [videoId])
        .catch((error: PlatformError) => error.class)
      // Instagram counts for whoever has enough viewers.
      if (read === 'threshold') expect(views).toBeLessThan(5)
      else
        expect(read).toMatchObject({
          missing: [],
          items: [
            {
              videoId,
              views: BigInt(views),
              likes: truth.hasLikes || one.family === 'instagram' || one.family === 'facebook' ? BigInt(likes) : null,
              shares: one.kind === 'google' ? null : BigInt(shares),
            },
          ],
        })
    }
  })

  it('names posts that are gone', async () => {
    const linked = await link(one)
    const { items } = await data().posts(linked.access, linked.account, null)
    const id = items.at(-1)?.videoId ?? ''
    sandbox.controls.world.remove(id, clock.nowMs())
    expect(await data().metrics(linked.access, linked.account, [id])).toMatchObject({ items: [], missing: [id] })
  })

  it('lets hostile titles through as they are', async () => {
    if (one.family === 'facebook') return
    const linked = await link(one, { index: 1 })
    const titles = (await data().posts(linked.access, linked.account, null)).items.map(post => post.title)
    expect(titles.some(title => title.includes('\u001b[2J'))).toBe(true)
    expect(titles.some(title => title.length >= 10_000)).toBe(true)
  })

  it.each<[string, PlatformErrorClass, Parameters<RunningSandbox['controls']['addFault']>[0]['fault']]>([
    ['a failure', 'server', { kind: 'status', status: 500 }],
    ['a proxy’s page', 'server', { kind: 'status', status: 503, html: true }],
    ['a connection that ends', 'network', { kind: 'reset' }],
    ['half an answer', 'network', { kind: 'truncate' }],
    ['half an answer and an end', 'network', { kind: 'cut' }],
    ['too many requests', 'rate', { kind: 'rate', retryAfter: '7' }],
    ['too many requests without a time', 'rate', { kind: 'rate', retryAfter: null }],
  ])('classes %s as %s', async (_what, class_, fault) => {
    const linked = await link(one)
    sandbox.controls.addFault({ endpoint: one.postsEndpoint, fault })
    const error = await data()
      .posts(linked.access, linked.account, null)
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ class: class_ })
    if (fault.kind === 'rate') expect(error).toMatchObject({ retryAfterMs: fault.retryAfter === null ? null : 7000 })
    expect(JSON.stringify(error)).not.toContain(linked.tokens.accessToken)
    // It struck once; the next time all is there.
    expect((await data().posts(linked.access, linked.account, null)).items.length).toBeGreaterThan(0)
  })

  it('loses no post to a weather that breaks every fifth answer', async () => {
    const linked = await link(one)
    const truth = [...sandbox.controls.world.posts(creatorOf(one, 0), clock.nowMs())].map(post => post.id)
    sandbox.controls.addWeather(0.2)
    const posts = await allPosts(linked, 20)
    expect(new Set(posts.map(post => post.videoId))).toEqual(new Set(truth))
  })
})

const classes: Readonly<Record<string, PlatformErrorClass>> = {
  authError: 'token',
  authorizationRequired: 'token',
  youtubeSignupRequired: 'not_found',
  insufficientPermissions: 'permission',
  forbidden: 'permission',
  accessNotConfigured: 'permission',
  quotaExceeded: 'quota',
  dailyLimitExceeded: 'quota',
  rateLimitExceeded: 'rate',
  userRateLimitExceeded: 'rate',
  videoNotFound: 'not_found',
  playlistNotFound: 'not_found',
  channelNotFound: 'not_found',
  commentThreadNotFound: 'not_found',
  liveChatNotFound: 'not_found',
  liveChatEnded: 'threshold',
  commentsDisabled: 'threshold',
  channelClosed: 'not_found',
  channelSuspended: 'not_found',
  keyInvalid: 'client',
  backendError: 'server',
  internalError: 'server',
  access_token_invalid: 'token',
  scope_not_authorized: 'permission',
  scope_permission_missed: 'permission',
  rate_limit_exceeded: 'rate',
  internal_error: 'server',
  '190': 'token',
  '102': 'token',
  '101': 'client',
  '1/secret': 'client',
  '1/reduce': 'server',
  '1': 'server',
  '2': 'server',
  '3': 'permission',
  '10': 'permission',
  '10/viewers': 'threshold',
  '200': 'permission',
  '4': 'rate',
  '17': 'rate',
  '32': 'rate',
  '613': 'rate',
  '80002': 'rate',
  '341': 'rate',
  '368': 'rate',
  '18': 'rate',
  '100/33': 'not_found',
  '100/2108006': 'threshold',
  '110': 'not_found',
  '803': 'not_found',
  '24': 'not_found',
}

it.each([
  [google, 'google', 'youtube.videos.list'],
  [tiktok, 'tiktok', 'tiktok.video.list'],
  [instagram, 'graph', 'instagram.media'],
] as const)('classes every error of the sandbox, of $0.kind', async (one, shape, endpoint) => {
  const linked = await link(one)
  const data = platforms.data(one.kind)
  for (const name of refusalNames(shape)) {
    sandbox.controls.clearFaults()
    // Twice: a page that is too long is asked for once more.
    sandbox.controls.addFault({ endpoint, fault: { kind: 'error', name }, times: 2 })
    const asked =
      one === google ? data.details?.(linked.access, ['x']) : data.posts(linked.access, linked.account, null)
    const expected = classes[name] ?? classes[name.split('/')[0] ?? ''] ?? 'bad_request'
    expect({ name, class: await classOf(asked) }).toEqual({ name, class: expected })
  }
})

describe('YouTube', () => {
  it('has a grant of seven days while the app is in testing', async () => {
    sandbox.controls.app('google').isTesting = true
    const { tokens, credentials, stored } = await link(google)
    expect(tokens.refreshExpiresAtMs).toBeLessThanOrEqual(clock.nowMs() + 7 * dayMs)
    clock.advance(8 * dayMs)
    expect(await classOf(platforms.auth('google').refresh(credentials, stored))).toBe('grant')
  })

  it('says what a user who unticked Analytics cannot have', async () => {
    const { access, account, tokens } = await link(google, {
      index: 2,
      scopes: ['https://www.googleapis.com/auth/youtube.readonly'],
    })
    expect(tokens.scopes).toEqual(['https://www.googleapis.com/auth/youtube.readonly'])
    const days = { from: '2026-09-01', to: '2026-09-10' }
    const asked = platforms.data('google').daily?.(access, account, days)
    await expect(asked).rejects.toMatchObject({ code: 'scope_missing' })
    const unknowing = 'accessToken' in access ? { accessToken: access.accessToken } : access
    expect(await classOf(platforms.data('google').daily?.(unknowing, account, days))).toBe('permission')
  })

  it('reads days, whose last ones are not ready', async () => {
    const { access, account } = await link(google)
    const to = new Date(clock.nowMs()).toISOString().slice(0, 10)
    const days = (await platforms.data('google').daily?.(access, account, { from: '2026-09-01', to })) ?? []
    expect(days.map(day => day.day).slice(0, 3)).toEqual(['2026-09-01', '2026-09-02', '2026-09-03'])
    expect(days.at(-1)?.day.localeCompare(to)).toBe(-1)
    expect(days.every(day => typeof day.views === 'bigint' && typeof day.followersGained === 'bigint')).toBe(true)
  })

  it('spends each bucket by itself, until midnight in California', async () => {
    // 18 o'clock UTC, which is 10 or 11 in California.
    clock.advance(dayMs - ((clock.nowMs() - startMs) % dayMs))
    const { access, account, credentials } = await link(google)
    const data = platforms.data('google')
    const ids = (await data.posts(access, account, null)).items.slice(0, 3).map(post => post.videoId)
    Object.assign(sandbox.controls.limits, { youtubeUnits: 4 })
    expect(await classOf(data.details?.(access, ids))).toBe('no error')
    expect(await classOf(data.chart?.(access, { region: 'US', categoryId: null }, null))).toBe('no error')
    expect(await classOf(data.chart?.(access, { region: 'US', categoryId: null }, null))).toBe('quota')
    expect(await classOf(data.metrics(access, account, ids))).toBe('no error')
    const used = sandbox.controls.usedToday()
    expect(used[`${credentials.clientId} youtube:stats`]).toBe(1)
    clock.advance(14 * hourMs)
    const { tokens } = await link(google)
    expect(
      await classOf(data.chart?.({ accessToken: tokens.accessToken }, { region: 'US', categoryId: null }, null)),
    ).toBe('no error')
  })

  it('reads details of videos, with and without a summary of counters alike', async () => {
    const { access, account } = await link(google, { index: 2 })
    const data = platforms.data('google')
    const ids = (await data.posts(access, account, null)).items.map(post => post.videoId)
    const details = await data.details?.(access, [...ids, 'AAAAAAAAAAA'].slice(-50))
    expect(details?.missing).toEqual(['AAAAAAAAAAA'])
    expect(new Set(details?.items.map(item => item.kind))).toEqual(new Set(['clip', 'vod']))
    expect(details?.items.every(item => item.category !== '' && (item.durationSeconds ?? 0) > 0)).toBe(true)
    const withSummary = await data.metrics(access, account, [...ids.slice(0, 5), 'AAAAAAAAAAA'])
    Object.assign(sandbox.controls.quirks, { youtubeSummary: false })
    expect(await data.metrics(access, account, [...ids.slice(0, 5), 'AAAAAAAAAAA'])).toEqual(withSummary)
    expect(withSummary.missing).toEqual(['AAAAAAAAAAA'])
  })

  it('finds channels with a key alone: by handle, by id, in the chart, but not one that is unknown', async () => {
    const access = { apiKey: credentialsOf(google).apiKey ?? '' }
    const data = platforms.data('google_api_key')
    const creator = creatorOf(google, 5)
    const found = await data.creator?.(
      access,
      data.parseCreator(`https://www.youtube.com/@${creator.handle}`) ?? nobody,
      null,
    )
    expect(found).toMatchObject({ creatorId: creator.id })
    const byId = await data.creator?.(access, data.parseCreator(creator.id) ?? nobody, null)
    expect(byId?.handle).toBe(creator.handle)
    // The sixth one hides its followers.
    expect(found?.followers).toBeNull()
    expect(await classOf(data.creator?.(access, nobody, null))).toBe('not_found')
    const chart = await data.chart?.(access, { region: 'DE', categoryId: null }, null)
    expect(chart?.items).toHaveLength(50)
    expect(
      (await data.chart?.(access, { region: 'DE', categoryId: null }, chart?.next ?? null))?.items[0]?.videoId,
    ).not.toBe(chart?.items[0]?.videoId)
    expect(await classOf(data.chart?.(access, { region: 'XX', categoryId: null }, null))).toBe('bad_request')
    expect(await classOf(data.account(access))).toBe('permission')
    expect(await classOf(data.chart?.({ apiKey: 'AIza-wrong' }, { region: 'DE', categoryId: null }, null))).toBe(
      'client',
    )
  })
  const nobody = { by: 'handle', value: 'nobody-has-this-name' } as const

  it('judges keys, and says when the interface is switched off', async () => {
    const auth = platforms.auth('google_api_key')
    const key = { ...credentialsOf(google), kind: 'google_api_key' } as const
    expect((await auth.validate(key)).status).toBe('valid')
    expect((await auth.validate({ ...key, apiKey: 'AIza-wrong' })).status).toBe('invalid')
    sandbox.controls.app('google').apisOff = ['data']
    expect(await auth.validate(key)).toMatchObject({
      status: 'invalid',
      reason: expect.stringContaining('Enable the YouTube Data API v3'),
    })
  })

  it('lists own broadcasts with their recordings', async () => {
    const { access } = await link(google)
    const page = await platforms.data('google').broadcasts?.(access, null)
    const vods = page?.items.filter(item => item.kind === 'vod') ?? []
    expect(vods.length).toBeGreaterThan(5)
    for (const vod of vods) {
      expect(vod.endedAtMs).toBeGreaterThan(vod.publishedAtMs ?? Number.POSITIVE_INFINITY)
      expect(vod.durationSeconds).toBeGreaterThan(0)
    }
  })

  it('says that a Google account has no channel', async () => {
    sandbox.controls.autoConsent('google', { decision: 'allow', accountId: 'none' })
    const { code = '' } = await consent(google)
    const tokens = await platforms
      .auth('google')
      .exchangeCode({ credentials: credentialsOf(google), redirectUri: httpsUri, codeVerifier: verifier, code })
    await expect(platforms.data('google').account({ accessToken: tokens.accessToken })).rejects.toMatchObject({
      class: 'not_found',
      message: expect.stringContaining('no YouTube channel'),
    })
  })

  it('does not exchange a code with another verifier', async () => {
    sandbox.controls.autoConsent('google', { decision: 'allow' })
    const { code = '' } = await consent(google)
    const request = { credentials: credentialsOf(google), redirectUri: httpsUri, codeVerifier: 'x'.repeat(43), code }
    expect(await classOf(platforms.auth('google').exchangeCode(request))).toBe('grant')
  })
})

describe('TikTok', () => {
  it('kills the refresh token that was used, with whatever status it says so', async () => {
    for (const tiktokOauthStatus of [200, 400, 401] as const) {
      Object.assign(sandbox.controls.quirks, { tiktokOauthStatus })
      const { credentials, stored } = await link(tiktok)
      const auth = platforms.auth(tiktok.kind)
      const renewed = await auth.refresh(credentials, stored)
      expect(renewed.refreshToken).not.toBe(stored.refreshToken)
      expect(await classOf(auth.refresh(credentials, stored))).toBe('grant')
      expect(await classOf(auth.refresh(credentials, storedOf(renewed)))).toBe('no error')
    }
  })

  it.each(['refuse', 'drop'] as const)(
    'asks only for what was granted, when the rest is met with: %s',
    async tiktokScopes => {
      Object.assign(sandbox.controls.quirks, { tiktokScopes })
      const linked = await link(tiktok, { scopes: ['user.info.basic', 'video.list'] })
      expect(linked.tokens.scopes).toEqual(['user.info.basic', 'video.list'])
      expect(linked.account).toMatchObject({ name: creatorOf(tiktok, 0).name, handle: '', followers: null })
      expect((await platforms.data(tiktok.kind).posts(linked.access, linked.account, null)).items).toHaveLength(20)
    },
  )

  it('believes the body when errors come with success', async () => {
    const { access, account } = await link(tiktok)
    Object.assign(sandbox.controls.quirks, { tiktokErrorsWith200: true })
    sandbox.controls.killAccessTokens()
    expect(await classOf(platforms.data(tiktok.kind).posts(access, account, null))).toBe('token')
  })

  it('is told to wait after too many requests in a minute of one address', async () => {
    const { access, account } = await link(tiktok)
    const data = platforms.data(tiktok.kind)
    Object.assign(sandbox.controls.limits, { tiktokPerMinute: 2 })
    sandbox.controls.clearQuotas()
    for (const expected of ['no error', 'no error', 'rate'])
      expect(await classOf(data.posts(access, account, null))).toBe(expected)
    expect(await classOf(data.account(access))).toBe('no error')
    clock.advance(61_000)
    expect(await classOf(data.posts(access, account, null))).toBe('no error')
  })

  it('does not exchange a desktop app’s code with another verifier', async () => {
    sandbox.controls.autoConsent('tiktok', { decision: 'allow' })
    const { code = '' } = await consent(tiktok)
    const request = { credentials: credentialsOf(tiktok), redirectUri: loopbackUri, codeVerifier: 'x'.repeat(43), code }
    expect(await classOf(platforms.auth(tiktok.kind).exchangeCode(request))).toBe('bad_request')
  })
})

describe('Instagram', () => {
  it.each(['wrapped', 'flat', 'flat_list'] as const)('links with a first token in the form %s', async shape => {
    Object.assign(sandbox.controls.quirks, { instagramTokenShape: shape })
    const { tokens } = await link(instagram)
    expect(tokens.scopes).toEqual(platforms.auth('instagram_login').scopesOf('instagram_login'))
  })

  it('prolongs no token before its second day, and none that has expired', async () => {
    const { credentials, stored } = await link(instagram)
    const auth = platforms.auth('instagram_login')
    await expect(auth.refresh(credentials, stored)).rejects.toMatchObject({ class: 'rate', retryAfterMs: 24 * hourMs })
    clock.advance(61 * dayMs)
    expect(await classOf(auth.refresh(credentials, stored))).toBe('grant')
  })

  it('says which scope insights lack', async () => {
    const { access, account } = await link(instagram, { index: 2, scopes: ['instagram_business_basic'] })
    const data = platforms.data('instagram_login')
    const [post] = (await data.posts(access, account, null)).items
    const asked = data.metrics(access, account, [post?.videoId ?? ''])
    await expect(asked).rejects.toMatchObject({ code: 'scope_missing' })
  })

  it('does not take a success without insights for zeros', async () => {
    const { access, account } = await link(instagram)
    const data = platforms.data('instagram_login')
    const [post] = (await data.posts(access, account, null)).items
    Object.assign(sandbox.controls.quirks, { instagramEmptyInsights: true })
    expect(await classOf(data.metrics(access, account, [post?.videoId ?? '']))).toBe('threshold')
  })

  it('is told how much is used, and for how long to wait', async () => {
    const { access, account } = await link(instagram)
    const data = platforms.data('instagram_login')
    sandbox.controls.clearQuotas()
    Object.assign(sandbox.controls.limits, { instagramPerDay: 10 })
    const seen: (number | null)[] = []
    for (let calls = 0; calls < 10; calls += 1) seen.push((await data.posts(access, account, null)).usagePercent)
    expect(seen.at(0)).toBeNull()
    expect(seen.at(-1)).toBe(100)
    const refused = await data.posts(access, account, null).catch((error: unknown) => error)
    expect(refused).toMatchObject({ class: 'rate', code: '80002', retryAfterMs: 24 * hourMs })
  })

  it('reads the totals of a day', async () => {
    const { access, account } = await link(instagram)
    const days = await platforms
      .data('instagram_login')
      .daily?.(access, account, { from: '2026-10-10', to: '2026-10-10' })
    expect(days).toMatchObject([{ day: '2026-10-10', views: expect.any(BigInt), saves: expect.any(BigInt) }])
  })

  it('finds the accounts behind all Pages of a person, also of businesses', async () => {
    const { access } = await link(facebook)
    const data = platforms.data('facebook_login')
    const first = await data.accounts(access, null)
    const ids = first.items.map(item => item.creatorId)
    expect(ids).toEqual([creatorOf(facebook, 0).id, creatorOf(facebook, 1).id])
    expect(await data.account(access, ids[1])).toMatchObject({ handle: creatorOf(facebook, 1).handle })
    expect(await data.accounts(access, first.next)).toMatchObject({ items: [], next: null })
    expect(await classOf(data.account(access, '17841400000000000'))).toBe('not_found')
  })

  it('reads somebody else’s account and posts through the own one', async () => {
    const { access, account } = await link(facebook)
    const data = platforms.data('facebook_login')
    const creator = creatorOf(facebook, 4)
    const other = await data.creator?.(access, { by: 'username', value: creator.handle }, account.creatorId)
    expect(other).toMatchObject({ creatorId: creator.id, followers: expect.any(BigInt) })
    if (!other) throw new Error('The account was found.')
    const ids: string[] = []
    let cursor: string | null = null
    do {
      const page: Page<PostReading> = await data.posts(access, other, cursor, account.creatorId)
      ids.push(...page.items.map(item => item.videoId))
      cursor = page.next
    } while (cursor !== null)
    expect(ids).toEqual([...sandbox.controls.world.posts(creator, clock.nowMs())].map(post => post.id))
    const unknown = data.creator?.(access, { by: 'username', value: 'nobody.has.this' }, account.creatorId)
    expect(await classOf(unknown)).toBe('not_found')
  })
})
