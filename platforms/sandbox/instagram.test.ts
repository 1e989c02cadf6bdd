import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  bearer,
  linkFacebook,
  linkInstagram,
  openTestSandbox,
  redirects,
  sentTo,
  startMs,
  type TestSandbox,
  withQuery,
} from './test-sandbox.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
let test: TestSandbox
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount: 8 })
})
afterAll(() => test.sandbox.close())
beforeEach(() => {
  test.clock.set(startMs)
  test.sandbox.controls.revokeAll()
  test.sandbox.controls.quirks.instagramTokenShape = 'wrapped'
})

const errorOf = (reply: { json: { error: { code: number; error_subcode?: number } } }) =>
  [reply.json.error.code, reply.json.error.error_subcode].filter(code => code !== undefined)

describe('Instagram Login', () => {
  const app = () => test.sandbox.controls.app('instagram')
  const lengthen = (token: string, secret = app().clientSecret) =>
    test.get(
      withQuery(`${test.sandbox.urls.instagramGraph}/access_token`, {
        grant_type: 'ig_exchange_token',
        client_secret: secret,
        access_token: token,
      }),
    )
  const prolong = (token: string) =>
    test.get(
      withQuery(`${test.sandbox.urls.instagramGraph}/refresh_access_token`, {
        grant_type: 'ig_refresh_token',
        access_token: token,
      }),
    )
  const longToken = async () =>
    (await lengthen((await linkInstagram(test)).json.data[0].access_token)).json.access_token
  const me = (token: string) => test.get(`${test.sandbox.urls.instagramGraph}/v25.0/me?fields=user_id`, bearer(token))

  it('gives the short token in a list, flat, or flat with a list of permissions; the id is a number above 2^53 there', async () => {
    const { data } = (await linkInstagram(test)).json
    expect(data).toEqual([
      {
        access_token: expect.stringMatching(/^IGAA/),
        user_id: test.sandbox.controls.world.creatorAt('instagram', 0)?.otherId,
        permissions: 'instagram_business_basic,instagram_business_manage_insights',
      },
    ])
    test.sandbox.controls.quirks.instagramTokenShape = 'flat'
    const flat = await linkInstagram(test)
    expect(flat.text).toMatch(new RegExp(`"user_id":${data[0].user_id},"permissions":"`))
    expect(flat.json).not.toHaveProperty('expires_in')
    test.sandbox.controls.quirks.instagramTokenShape = 'flat_list'
    expect((await linkInstagram(test)).json.permissions).toEqual([
      'instagram_business_basic',
      'instagram_business_manage_insights',
    ])
  })

  it('makes it long at another host, for sixty days', async () => {
    const { access_token } = (await linkInstagram(test)).json.data[0]
    const long = await lengthen(access_token)
    expect(long.json).toEqual({
      access_token: expect.stringMatching(/^IGAA/),
      token_type: 'bearer',
      expires_in: 5_183_944,
    })
    test.clock.advance(hourMs)
    expect(errorOf(await me(access_token))).toEqual([190, 463])
    expect((await me(long.json.access_token)).status).toBe(200)
    test.clock.advance(60 * dayMs)
    expect(errorOf(await me(long.json.access_token))).toEqual([190, 463])
    expect(errorOf(await prolong(long.json.access_token))).toEqual([190, 463])
  })

  it('prolongs it when it is a day old, not before', async () => {
    const token = await longToken()
    expect((await prolong(token)).status).toBe(400)
    test.clock.advance(dayMs)
    expect((await prolong(token)).json).toMatchObject({ expires_in: 5_183_944, token_type: 'bearer' })
  })

  it('sends the stray fragment after the code, and takes the code once, within an hour', async () => {
    test.sandbox.controls.autoConsent('instagram', { decision: 'allow' })
    const url = withQuery(`${test.sandbox.urls.instagramAuthorize}/oauth/authorize`, {
      client_id: app().clientId,
      redirect_uri: redirects.https,
      response_type: 'code',
      scope: 'instagram_business_basic',
      state: 's1',
    })
    const page = await test.get(url)
    expect(page.headers.get('location')).toMatch(/state=s1#_$/)
    const exchange = (code: string) =>
      test.post(`${test.sandbox.urls.instagramToken}/oauth/access_token`, {
        client_id: app().clientId,
        client_secret: app().clientSecret,
        grant_type: 'authorization_code',
        redirect_uri: redirects.https,
        code,
      })
    const code = sentTo(page).get('code') ?? ''
    expect((await exchange(code)).status).toBe(200)
    expect(await exchange(code)).toMatchObject({
      status: 400,
      json: {
        error_type: 'OAuthException',
        code: 400,
        error_message: 'Matching code was not found or was already used',
      },
    })
    test.sandbox.controls.autoConsent('instagram', { decision: 'deny' })
    expect(Object.fromEntries(sentTo(await test.get(url)))).toMatchObject({
      error: 'access_denied',
      error_reason: 'user_denied',
    })
  })

  it('accepts a form in parts as well', async () => {
    const body = new FormData()
    body.set('client_id', app().clientId)
    body.set('client_secret', 'wrong')
    const answer = await fetch(`${test.sandbox.urls.instagramToken}/oauth/access_token`, { method: 'POST', body })
    expect(await answer.json()).toMatchObject({ error_message: 'Error validating client secret.' })
  })

  it('takes https alone, byte for byte', async () => {
    test.sandbox.controls.autoConsent('instagram', { decision: 'allow' })
    for (const redirect_uri of [redirects.local, 'http://localhost:4400/back', `${redirects.https}/`]) {
      const url = withQuery(`${test.sandbox.urls.instagramAuthorize}/oauth/authorize`, {
        client_id: app().clientId,
        redirect_uri,
        response_type: 'code',
        scope: 'instagram_business_basic',
      })
      expect(await test.get(url)).toMatchObject({ status: 400, text: expect.stringContaining('Invalid redirect_uri') })
    }
  })

  it('answers the cheap checks of credentials as documented', async () => {
    const probe = async (fields: Record<string, string>) =>
      (
        await test.post(`${test.sandbox.urls.instagramToken}/oauth/access_token`, {
          client_id: app().clientId,
          client_secret: app().clientSecret,
          grant_type: 'authorization_code',
          redirect_uri: redirects.https,
          code: 'bogus',
          ...fields,
        })
      ).json.error_message
    expect(await probe({})).toBe('Invalid authorization code')
    // The id of the Meta app is the usual mistake.
    expect(await probe({ client_id: test.sandbox.controls.app('facebook').clientId })).toBe('Invalid platform app')
    expect(await probe({ client_secret: 'wrong' })).toBe('Error validating client secret.')
    expect(errorOf(await lengthen('bogus'))).toEqual([190])
    expect((await lengthen('bogus', 'wrong')).json.error.message).toBe('Error validating client secret.')
  })

  it('is revoked, which ends the token', async () => {
    const token = await longToken()
    const answer = await fetch(`${test.sandbox.urls.instagramGraph}/me/permissions`, {
      method: 'DELETE',
      headers: bearer(token),
    })
    expect(await answer.json()).toEqual({ success: true })
    expect(errorOf(await me(token))).toEqual([190, 458])
  })
})

describe('Facebook Login', () => {
  const graph = (path: string, query: Record<string, string> = {}) =>
    withQuery(`${test.sandbox.urls.facebookGraph}${path}`, query)
  const app = () => test.sandbox.controls.app('facebook')
  const userId = async (token: string) => (await test.get(graph('/v25.0/me'), bearer(token))).json.id

  it('gives a token, a longer one for it, and tells about both', async () => {
    const { json } = await linkFacebook(test)
    expect(json).toMatchObject({ access_token: expect.stringMatching(/^EAA/), token_type: 'bearer' })
    const long = await test.get(
      graph('/v25.0/oauth/access_token', {
        grant_type: 'fb_exchange_token',
        client_id: app().clientId,
        client_secret: app().clientSecret,
        fb_exchange_token: json.access_token,
      }),
    )
    expect(long.json.expires_in).toBe(5_180_000)
    const told = await test.get(
      graph('/debug_token', {
        input_token: long.json.access_token,
        access_token: `${app().clientId}|${app().clientSecret}`,
      }),
    )
    expect(told.json.data).toMatchObject({
      is_valid: true,
      app_id: app().clientId,
      user_id: await userId(json.access_token),
    })
    test.clock.advance(3 * hourMs)
    const late = graph('/v25.0/oauth/access_token', {
      grant_type: 'fb_exchange_token',
      client_id: app().clientId,
      client_secret: app().clientSecret,
      fb_exchange_token: json.access_token,
    })
    expect(errorOf(await test.get(late))).toEqual([190, 463])
  })

  it('leads to professional accounts by Pages, some of which belong to a business', async () => {
    const pages = async (token: string) =>
      (
        await test.get(
          graph('/v25.0/me/accounts', { fields: 'id,name,access_token,instagram_business_account{id,username}' }),
          bearer(token),
        )
      ).json.data
    const first = (await linkFacebook(test)).json.access_token
    const world = test.sandbox.controls.world
    expect(await pages(first)).toMatchObject(
      [0, 1].map(index => ({
        access_token: expect.stringMatching(/^EAAP/),
        instagram_business_account: {
          id: world.creatorAt('instagram', index)?.id,
          username: world.creatorAt('instagram', index)?.handle,
        },
      })),
    )
    // The second of the picker has a Page without Instagram, and one of a business.
    const users = await consentUsers()
    const second = (await linkFacebook(test, { accountId: users[1] ?? '' })).json.access_token
    expect(await pages(second)).toHaveLength(1)
    expect((await pages(second))[0]).not.toHaveProperty('instagram_business_account')
    const businesses = await test.get(
      graph('/v25.0/me/businesses', { fields: 'owned_pages{id,instagram_business_account{id}}' }),
      bearer(second),
    )
    expect(businesses.json.data[0].owned_pages.data[0].instagram_business_account.id).toBe(
      world.creatorAt('instagram', 2)?.id,
    )
  })

  it('takes http from localhost alone, and only in development', async () => {
    app().isTesting = true
    test.sandbox.controls.autoConsent('facebook', { decision: 'allow' })
    const from = async (redirect_uri: string) =>
      (
        await test.get(
          withQuery(`${test.sandbox.urls.facebookAuthorize}/v25.0/dialog/oauth`, {
            client_id: app().clientId,
            redirect_uri,
            scope: 'instagram_basic',
            response_type: 'code',
          }),
        )
      ).status
    expect(await from('http://localhost:1234/any')).toBe(302)
    expect(await from(redirects.local)).toBe(400)
    app().isTesting = false
    expect(await from('http://localhost:1234/any')).toBe(400)
  })

  it('answers the cheap check of credentials, and cannot judge an Instagram app', async () => {
    const probe = (client_id: string, client_secret: string) =>
      test.get(graph('/oauth/access_token', { client_id, client_secret, grant_type: 'client_credentials' }))
    expect((await probe(app().clientId, app().clientSecret)).json.access_token).toMatch(/^\d+\|/)
    expect(errorOf(await probe(app().clientId, 'wrong'))).toEqual([1])
    const instagram = test.sandbox.controls.app('instagram')
    const right = await probe(instagram.clientId, instagram.clientSecret)
    expect(errorOf(right)).toEqual([101])
    expect((await probe(instagram.clientId, 'wrong')).json).toEqual(right.json)
  })

  it('tells what was granted, and is revoked', async () => {
    const { access_token } = (await linkFacebook(test)).json
    const { data } = (await test.get(graph('/v25.0/me/permissions'), bearer(access_token))).json
    expect(data).toContainEqual({ permission: 'instagram_basic', status: 'granted' })
    const url = graph(`/v25.0/${await userId(access_token)}/permissions`)
    const answer = await fetch(url, { method: 'DELETE', headers: bearer(access_token) })
    expect(await answer.json()).toEqual({ success: true })
    expect(errorOf(await test.get(graph('/v25.0/me'), bearer(access_token)))).toEqual([190, 458])
  })

  /** The people of the picker, as the page shows them. */
  async function consentUsers(): Promise<string[]> {
    test.sandbox.controls.autoConsent('facebook', null)
    const page = await test.get(
      withQuery(`${test.sandbox.urls.facebookAuthorize}/v25.0/dialog/oauth`, {
        client_id: app().clientId,
        redirect_uri: redirects.https,
        scope: 'instagram_basic',
        response_type: 'code',
      }),
    )
    return [...page.text.matchAll(/name="account" value="(\d+)"/g)].map(match => match[1] ?? '')
  }
})
