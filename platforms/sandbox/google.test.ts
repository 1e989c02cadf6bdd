import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  bearer,
  challenges,
  linkGoogle,
  openTestSandbox,
  redirects,
  sentTo,
  startMs,
  type TestSandbox,
  verifier,
  withQuery,
} from './test-sandbox.ts'

const dayMs = 86_400_000
const youtube = 'https://www.googleapis.com/auth/youtube.readonly'
const analytics = 'https://www.googleapis.com/auth/yt-analytics.readonly'
let test: TestSandbox
beforeAll(async () => {
  test = await openTestSandbox()
})
afterAll(() => test.sandbox.close())
beforeEach(() => {
  test.clock.set(startMs)
  test.sandbox.controls.revokeAll()
  Object.assign(test.sandbox.controls.app('google'), { isTesting: false, isDeleted: false })
})

const authorize = (query: Record<string, string> = {}) =>
  withQuery(`${test.sandbox.urls.googleAuthorize}/o/oauth2/v2/auth`, {
    client_id: test.sandbox.controls.app('google').clientId,
    redirect_uri: redirects.https,
    response_type: 'code',
    scope: youtube,
    state: 's1',
    access_type: 'offline',
    code_challenge: challenges.base64url,
    code_challenge_method: 'S256',
    ...query,
  })
const token = (fields: Record<string, string>) => {
  const { clientId, clientSecret } = test.sandbox.controls.app('google')
  return test.post(`${test.sandbox.urls.googleToken}/token`, {
    client_id: clientId,
    client_secret: clientSecret,
    ...fields,
  })
}
const exchange = (code: string, more: Record<string, string> = {}) =>
  token({
    grant_type: 'authorization_code',
    redirect_uri: redirects.https,
    code,
    code_verifier: verifier,
    ...more,
  })
const newCode = async (query: Record<string, string> = {}) => {
  test.sandbox.controls.autoConsent('google', { decision: 'allow' })
  return sentTo(await test.get(authorize(query))).get('code') ?? ''
}
const refresh = (value: string) => token({ grant_type: 'refresh_token', refresh_token: value })

describe("Google's tokens", () => {
  it('come for a code with the fields that Google sends, the refresh token among them after consent', async () => {
    const { status, json } = await linkGoogle(test)
    expect(status).toBe(200)
    expect(json).toEqual({
      access_token: expect.stringMatching(/^ya29\./),
      expires_in: 3599,
      refresh_token: expect.stringMatching(/^1\/\//),
      scope: `${youtube} ${analytics}`,
      token_type: 'Bearer',
    })
  })

  it('have no refresh token without offline access, or when consent was not asked again', async () => {
    expect((await linkGoogle(test, { query: { access_type: 'online' } })).json).not.toHaveProperty('refresh_token')
    expect((await exchange(await newCode())).json).not.toHaveProperty('refresh_token')
    expect((await exchange(await newCode({ prompt: 'consent' }))).json).toHaveProperty('refresh_token')
  })

  it('give the code once, for ten minutes, to who knows address and verifier', async () => {
    const code = await newCode()
    expect((await exchange(code, { redirect_uri: `${redirects.https}/` })).json).toMatchObject({
      error: 'redirect_uri_mismatch',
    })
    expect((await exchange(code, { code_verifier: 'w'.repeat(64) })).json).toMatchObject({ error: 'invalid_grant' })
    expect((await exchange(code)).status).toBe(200)
    expect(await exchange(code)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    const late = await newCode()
    test.clock.advance(10 * 60_000)
    expect(await exchange(late)).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
  })

  it('are refreshed without a new refresh token, any number of times', async () => {
    const { json } = await linkGoogle(test)
    for (let times = 0; times < 2; times += 1) {
      test.clock.advance(dayMs)
      const again = await refresh(json.refresh_token)
      expect(again.status).toBe(200)
      expect(again.json).not.toHaveProperty('refresh_token')
      expect(again.json.access_token).not.toBe(json.access_token)
    }
  })

  it('end after 7 days while the consent screen is in testing, after half a year without use otherwise', async () => {
    const { json: normal } = await linkGoogle(test)
    test.sandbox.controls.app('google').isTesting = true
    const { json: short } = await linkGoogle(test)
    expect(short.refresh_token_expires_in).toBe(7 * 86_400 - 1)
    test.clock.advance(7 * dayMs)
    expect(await refresh(short.refresh_token)).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' },
    })
    expect((await refresh(normal.refresh_token)).status).toBe(200)
    test.clock.advance(183 * dayMs)
    expect((await refresh(normal.refresh_token)).json.error).toBe('invalid_grant')
  })

  it('are at most a hundred that refresh, of which the oldest goes without a word', async () => {
    const { json: first } = await linkGoogle(test)
    for (let more = 0; more < 100; more += 1) await linkGoogle(test)
    expect((await refresh(first.refresh_token)).json.error).toBe('invalid_grant')
  })

  it('die together when one of them is revoked', async () => {
    const { json } = await linkGoogle(test)
    const revoke = () => test.post(`${test.sandbox.urls.googleToken}/revoke`, { token: json.access_token })
    expect(await revoke()).toMatchObject({ status: 200, text: '{}' })
    expect(await revoke()).toMatchObject({
      status: 400,
      json: { error: 'invalid_token', error_description: 'Token expired or revoked' },
    })
    expect((await refresh(json.refresh_token)).json.error).toBe('invalid_grant')
    const url = `${test.sandbox.urls.youtubeData}/youtube/v3/channels?part=id&mine=true`
    expect((await test.get(url, bearer(json.access_token))).status).toBe(401)
  })

  it('can be asked about', async () => {
    const { json } = await linkGoogle(test)
    const told = await test.get(`${test.sandbox.urls.googleToken}/tokeninfo?access_token=${json.access_token}`)
    expect(told.json).toMatchObject({ expires_in: '3599', scope: `${youtube} ${analytics}` })
  })
})

describe('the cheap check of credentials', () => {
  const probe = (fields: Record<string, string>) =>
    token({ grant_type: 'refresh_token', refresh_token: 'bogus', ...fields })

  it('tells a right pair from a wrong id and a wrong secret', async () => {
    expect(await probe({})).toMatchObject({ status: 400, json: { error: 'invalid_grant' } })
    expect(await probe({ client_id: '1-a.apps.googleusercontent.com' })).toMatchObject({
      status: 401,
      json: { error: 'invalid_client', error_description: 'The OAuth client was not found.' },
    })
    expect(await probe({ client_secret: 'GOCSPX-wrong' })).toMatchObject({
      status: 401,
      json: { error: 'invalid_client', error_description: 'The provided client secret is invalid.' },
    })
    test.sandbox.controls.app('google').isDeleted = true
    expect((await probe({})).json.error).toBe('deleted_client')
  })

  it('says what is missing from a request, and what it does not do', async () => {
    const { urls } = test.sandbox
    expect((await test.post(`${urls.googleToken}/token`, {})).json.error).toBe('invalid_request')
    expect((await token({})).json.error).toBe('invalid_request')
    expect((await token({ grant_type: 'password' })).json.error).toBe('unsupported_grant_type')
  })
})

describe("Google's consent page", () => {
  it.each([
    ['redirect_uri', 'https://evil.example/back', 'redirect_uri_mismatch'],
    ['redirect_uri', `${redirects.https}/`, 'redirect_uri_mismatch'],
    ['client_id', 'nobody', 'invalid_client'],
    ['scope', 'https://www.googleapis.com/auth/everything', 'invalid_scope'],
    ['response_type', 'token', 'invalid_request'],
  ])('stays with the user when %s is %s', async (name, value, error) => {
    test.sandbox.controls.autoConsent('google', { decision: 'allow' })
    const page = await test.get(authorize({ [name]: value }))
    expect(page.status).toBeGreaterThanOrEqual(400)
    expect(page.headers.get('location')).toBeNull()
    expect(page.text).toContain(error)
  })

  it('takes any port of the loopback from a desktop client, and nothing else', async () => {
    test.sandbox.controls.autoConsent('google', { decision: 'allow' })
    const { clientId } = test.sandbox.controls.app('google', 'desktop')
    const from = (redirect_uri: string) => test.get(authorize({ client_id: clientId, redirect_uri }))
    expect((await from('http://127.0.0.1:51234/any')).status).toBe(302)
    expect((await from('http://10.0.0.1:51234/any')).status).toBe(400)
  })

  it('goes back with the refusal, with fewer scopes, or with those that were granted before', async () => {
    const { controls } = test.sandbox
    controls.autoConsent('google', { decision: 'deny' })
    const denied = sentTo(await test.get(authorize()))
    expect(Object.fromEntries(denied)).toEqual({ state: 's1', error: 'access_denied' })
    controls.autoConsent('google', { decision: 'allow', scopes: [youtube] })
    const code = sentTo(await test.get(authorize({ scope: `${youtube} ${analytics}` }))).get('code') ?? ''
    expect((await exchange(code)).json.scope).toBe(youtube)
    controls.autoConsent('google', { decision: 'allow' })
    const more = sentTo(await test.get(authorize({ scope: analytics, include_granted_scopes: 'true' })))
    expect((await exchange(more.get('code') ?? '')).json.scope.split(' ').sort()).toEqual([youtube, analytics].sort())
  })
})
