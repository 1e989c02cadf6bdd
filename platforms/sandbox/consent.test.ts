import { afterAll, beforeAll, expect, it } from 'vitest'
import { challenges, openTestSandbox, redirects, type TestSandbox, verifier, withQuery } from './test-sandbox.ts'

// What a browser does with the pages: it reads the form, sends what is chosen, and follows the redirect.

let test: TestSandbox
beforeAll(async () => {
  test = await openTestSandbox()
})
afterAll(() => test.sandbox.close())

const pages = {
  google: () =>
    withQuery(`${test.sandbox.urls.googleAuthorize}/o/oauth2/v2/auth`, {
      client_id: test.sandbox.controls.app('google').clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: 'https://www.googleapis.com/auth/youtube.readonly https://www.googleapis.com/auth/yt-analytics.readonly',
      state: 's1',
      access_type: 'offline',
      code_challenge: challenges.base64url,
      code_challenge_method: 'S256',
    }),
  tiktok: () =>
    withQuery(`${test.sandbox.urls.tiktokAuthorize}/v2/auth/authorize/`, {
      client_key: test.sandbox.controls.app('tiktok', 'desktop').clientId,
      redirect_uri: redirects.local,
      response_type: 'code',
      scope: 'user.info.basic,video.list',
      state: 's1',
      code_challenge: challenges.hex,
      code_challenge_method: 'S256',
    }),
  instagram: () =>
    withQuery(`${test.sandbox.urls.instagramAuthorize}/oauth/authorize`, {
      client_id: test.sandbox.controls.app('instagram').clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: 'instagram_business_basic,instagram_business_manage_insights',
      state: 's1',
    }),
  facebook: () =>
    withQuery(`${test.sandbox.urls.facebookAuthorize}/v25.0/dialog/oauth`, {
      client_id: test.sandbox.controls.app('facebook').clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: 'instagram_basic,pages_show_list',
      state: 's1',
    }),
}
const families = ['google', 'tiktok', 'instagram', 'facebook'] as const

const inputs = (html: string, name: string) =>
  [...html.matchAll(new RegExp(`<input type="(?:radio|checkbox)" name="${name}" value="([^"]*)"`, 'g'))].map(match =>
    (match[1] ?? '').replaceAll('&#38;', '&'),
  )

async function choose(url: string, fields: readonly (readonly [string, string])[]): Promise<URL> {
  const answer = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams(fields.map(([name, value]): [string, string] => [name, value])),
  })
  expect(answer.status).toBe(302)
  return new URL(answer.headers.get('location') ?? '')
}

it.each(families)(
  'shows the accounts and scopes of %s in a form without scripts, and goes back with a code',
  async family => {
    const url = pages[family]()
    const { status, text, headers } = await test.get(url)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('text/html')
    expect(text).not.toContain('<script')
    expect(text).toMatch(/<form method="post">/)
    const accounts = inputs(text, 'account')
    const scopes = inputs(text, 'scope')
    expect(accounts.length).toBeGreaterThanOrEqual(3)
    const back = await choose(url, [
      ['account', accounts[1] ?? ''],
      ...scopes.map(scope => ['scope', scope] as const),
      ['decision', 'allow'],
    ])
    expect(back.searchParams.get('state')).toBe('s1')
    expect(back.searchParams.get('code')).toBeTruthy()
  },
)

it.each(families)('goes back from %s with a refusal', async family => {
  const back = await choose(pages[family](), [['decision', 'deny']])
  expect(back.searchParams.get('error')).toBe('access_denied')
  expect(back.searchParams.get('state')).toBe('s1')
  expect(back.searchParams.has('code')).toBe(false)
})

it('grants what is left ticked, to the account that is chosen', async () => {
  const url = pages.tiktok()
  const accounts = inputs((await test.get(url)).text, 'account')
  const back = await choose(url, [
    ['account', accounts[2] ?? ''],
    ['scope', 'user.info.basic'],
    ['scope', 'user.info.stats'],
    ['decision', 'allow'],
  ])
  // What was never asked for is not given either.
  expect(back.searchParams.get('scopes')).toBe('user.info.basic')
  const app = test.sandbox.controls.app('tiktok', 'desktop')
  const token = await test.post(`${test.sandbox.urls.tiktokApi}/v2/oauth/token/`, {
    grant_type: 'authorization_code',
    client_key: app.clientId,
    client_secret: app.clientSecret,
    redirect_uri: redirects.local,
    code: back.searchParams.get('code') ?? '',
    code_verifier: verifier,
  })
  expect(token.json).toMatchObject({ open_id: accounts[2], scope: 'user.info.basic' })
})

it('does not believe a form that names an account of nobody', async () => {
  const answer = await fetch(pages.google(), {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ account: 'nobody', decision: 'allow' }),
  })
  expect(answer.status).toBe(400)
})

it('shows hostile names without what a browser would run', async () => {
  const name = test.sandbox.controls.world.creatorAt('youtube', 1)?.name ?? ''
  const { text } = await test.get(pages.google())
  expect(text).toContain(name)
  const evil = await test.get(`${pages.google()}&redirect_uri=x`.replace(redirects.https, '<script>alert(1)</script>'))
  expect(evil.text).not.toContain('<script>')
})

it('remembers what the app hopes for', async () => {
  const hint = test.sandbox.controls.world.creatorAt('youtube', 2)?.id ?? ''
  const { text } = await test.get(`${pages.google()}&login_hint=${hint}`)
  expect(text).toContain(`value="${hint}" checked`)
})
