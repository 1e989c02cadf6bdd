import { createHash } from 'node:crypto'
import { manualClock } from '../../core/clock.ts'
import { type RunningSandbox, startSandbox } from './sandbox.ts'

/** A sandbox for tests at a fixed instant, and the ways in which its pages and interfaces are asked. */
export interface TestSandbox {
  readonly sandbox: RunningSandbox
  readonly clock: ReturnType<typeof manualClock>
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<Reply>
  /** A form, urlencoded. */
  post(url: string, fields: Readonly<Record<string, string>>): Promise<Reply>
  postJson(url: string, json: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Null when the text is no JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what a test looks into, each at its own place
  readonly json: any
}

/** Where every app of a test sandbox may send browsers, in as far as its kind allows. */
export const redirects = { https: 'https://app.example/back', local: 'http://127.0.0.1:4400/back' } as const
export const verifier = 'v'.repeat(64)
export const challenges = {
  base64url: createHash('sha256').update(verifier).digest('base64url'),
  hex: createHash('sha256').update(verifier).digest('hex'),
} as const
/**
 * A Saturday afternoon (UTC), so far ahead that rows which are kept for days from then on have not ended by the real
 * clocks of the engines.
 */
export const startMs = Date.UTC(2037, 10, 21, 16)
/** The first day of a test sandbox's world, which is not two years old. */
const originAtMs = Date.UTC(2036, 0, 1)

export async function openTestSandbox(options: { creatorCount?: number } = {}): Promise<TestSandbox> {
  const clock = manualClock(startMs)
  const sandbox = await startSandbox({
    clock,
    originAtMs,
    ...options,
    redirectUris: [...Object.values(redirects), 'http://127.0.0.1:*/back', 'http://localhost:4400/back'],
  })
  const ask = async (url: string, init: RequestInit): Promise<Reply> => {
    const answer = await fetch(url, { redirect: 'manual', ...init })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: parsed(text) }
  }
  return {
    sandbox,
    clock,
    get: (url, headers = {}) => ask(url, { headers }),
    post: (url, fields) => ask(url, { method: 'POST', body: new URLSearchParams(fields) }),
    postJson: (url, json, headers = {}) =>
      ask(url, {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json', ...headers },
      }),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** An address with parameters; lists are repeated. */
export function withQuery(url: string, query: Readonly<Record<string, string | readonly string[]>>): string {
  const made = new URL(url)
  for (const [name, value] of Object.entries(query))
    for (const one of typeof value === 'string' ? [value] : value) made.searchParams.append(name, one)
  return made.href
}

/** The parameters of the address that an answer sends the browser to. */
export function sentTo(reply: Reply): URLSearchParams {
  return new URL(reply.headers.get('location') ?? '').searchParams
}

const youtube = 'https://www.googleapis.com/auth/youtube.readonly'
const analytics = 'https://www.googleapis.com/auth/yt-analytics.readonly'

/** Signs in with Google, and returns the whole answer of the token address. */
export async function linkGoogle(
  test: TestSandbox,
  more: { accountId?: string; scopes?: string[]; query?: Record<string, string> } = {},
): Promise<Reply> {
  const { urls, controls } = test.sandbox
  const app = controls.app('google')
  const { accountId } = more
  controls.autoConsent('google', { decision: 'allow', ...(accountId === undefined ? {} : { accountId }) })
  const page = await test.get(
    withQuery(`${urls.googleAuthorize}/o/oauth2/v2/auth`, {
      client_id: app.clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: (more.scopes ?? [youtube, analytics]).join(' '),
      state: 's1',
      access_type: 'offline',
      prompt: 'consent',
      code_challenge: challenges.base64url,
      code_challenge_method: 'S256',
      ...more.query,
    }),
  )
  return await test.post(`${urls.googleToken}/token`, {
    grant_type: 'authorization_code',
    client_id: app.clientId,
    client_secret: app.clientSecret,
    redirect_uri: redirects.https,
    code: sentTo(page).get('code') ?? '',
    code_verifier: verifier,
  })
}

/** Signs in with TikTok's desktop app. */
export async function linkTikTok(
  test: TestSandbox,
  more: { scopes?: string; accountId?: string; challenge?: string } = {},
): Promise<Reply> {
  const { urls, controls } = test.sandbox
  const app = controls.app('tiktok', 'desktop')
  const { accountId } = more
  controls.autoConsent('tiktok', { decision: 'allow', ...(accountId === undefined ? {} : { accountId }) })
  const page = await test.get(
    withQuery(`${urls.tiktokAuthorize}/v2/auth/authorize/`, {
      client_key: app.clientId,
      redirect_uri: redirects.local,
      response_type: 'code',
      scope: more.scopes ?? 'user.info.basic,user.info.profile,user.info.stats,video.list',
      state: 's1',
      code_challenge: more.challenge ?? challenges.hex,
      code_challenge_method: 'S256',
    }),
  )
  return await test.post(`${urls.tiktokApi}/v2/oauth/token/`, {
    grant_type: 'authorization_code',
    client_key: app.clientId,
    client_secret: app.clientSecret,
    redirect_uri: redirects.local,
    code: sentTo(page).get('code') ?? '',
    code_verifier: verifier,
  })
}

/** Signs in with Instagram, up to the short token. */
export async function linkInstagram(test: TestSandbox, more: { accountId?: string } = {}): Promise<Reply> {
  const { urls, controls } = test.sandbox
  const app = controls.app('instagram')
  controls.autoConsent('instagram', { decision: 'allow', ...more })
  const page = await test.get(
    withQuery(`${urls.instagramAuthorize}/oauth/authorize`, {
      client_id: app.clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: 'instagram_business_basic,instagram_business_manage_insights',
      state: 's1',
    }),
  )
  return await test.post(`${urls.instagramToken}/oauth/access_token`, {
    client_id: app.clientId,
    client_secret: app.clientSecret,
    grant_type: 'authorization_code',
    redirect_uri: redirects.https,
    code: sentTo(page).get('code') ?? '',
  })
}

/** Signs in with Facebook, up to the first token. */
export async function linkFacebook(
  test: TestSandbox,
  more: { accountId?: string; scopes?: string[] } = {},
): Promise<Reply> {
  const { urls, controls } = test.sandbox
  const app = controls.app('facebook')
  controls.autoConsent('facebook', { decision: 'allow', ...more })
  const page = await test.get(
    withQuery(`${urls.facebookAuthorize}/v25.0/dialog/oauth`, {
      client_id: app.clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope:
        'instagram_basic,instagram_manage_insights,instagram_manage_comments,pages_show_list,pages_read_engagement,business_management',
      state: 's1',
    }),
  )
  return await test.get(
    withQuery(`${urls.facebookGraph}/v25.0/oauth/access_token`, {
      client_id: app.clientId,
      client_secret: app.clientSecret,
      redirect_uri: redirects.https,
      code: sentTo(page).get('code') ?? '',
    }),
  )
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` })
