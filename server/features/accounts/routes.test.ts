import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Session, SessionSchema } from '../../../contracts/accounts.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { openServerRig, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

const password = 'a long enough password'
const ErrorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

let rig: ServerRig
let server: RunningServer

beforeAll(async () => {
  rig = await openServerRig()
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

const post = (path: string, body?: object, token?: string): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
const sendForm = (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
  fetch(server.url + path, { method: 'POST', headers, body: new URLSearchParams(fields) })
const getUser = (token: string) =>
  fetch(`${server.url}/api/auth/user`, { headers: { authorization: `Bearer ${token}` } })
const sessionOf = async (response: Response): Promise<Session> => SessionSchema.parse(await response.json())
const refusalOf = async (response: Response) => {
  const { error } = ErrorSchema.parse(await response.json())
  return [response.status, error.code]
}
/** The link of the next mail to an address; mails are sent after the answer. */
const linkTo = async (email: string, subject: string): Promise<URL> => {
  for (;;) {
    const mail = rig.mails.findLast(one => one.to === email && one.subject.startsWith(subject))
    const link = /https:\S+/.exec(mail?.text ?? '')?.[0]
    if (link) return new URL(link)
    await new Promise(resolve => setImmediate(resolve))
  }
}

describe('accounts over HTTP', () => {
  it('go from registering to signing out', async () => {
    const email = 'whole@example.com'
    const registered = await post('/api/auth/register', { email, password })
    expect(registered.status).toBe(201)
    const first = await sessionOf(registered)
    expect(first.user.email).toBe(email)

    const user = await getUser(first.access_token)
    expect(await user.json()).toMatchObject({ id: first.user.id, email, emailVerified: false, role: 'user' })

    const login = await post('/api/auth/login', { email, password })
    expect(login.status).toBe(200)
    const second = await sessionOf(await post('/api/auth/refresh', { refresh_token: first.refresh_token }))
    expect(second.user).toEqual(first.user)

    expect((await post('/api/auth/logout', undefined, second.access_token)).status).toBe(204)
    expect(await refusalOf(await getUser(second.access_token))).toEqual([401, 'AUTH_REQUIRED'])
    expect(await refusalOf(await getUser(first.access_token))).toEqual([401, 'AUTH_REQUIRED'])
    expect((await getUser((await sessionOf(login)).access_token)).status).toBe(200)
  })

  it('refuse in the form of every error', async () => {
    const email = 'refused@example.com'
    await post('/api/auth/register', { email, password })
    const cases: [Promise<Response>, number, string][] = [
      [post('/api/auth/register', { email: email.toUpperCase(), password }), 409, 'CONFLICT'],
      [post('/api/auth/register', { email: 'no address', password }), 400, 'BAD_REQUEST'],
      [post('/api/auth/register', { email: 'a@example.com\r\nbcc: b@example.com', password }), 400, 'BAD_REQUEST'],
      [post('/api/auth/register', { email: 'new@example.com', password: 'short' }), 400, 'BAD_REQUEST'],
      [post('/api/auth/register', { email: 'new@example.com', password, role: 'owner' }), 400, 'BAD_REQUEST'],
      [post('/api/auth/login', { email, password: 'wrong' }), 401, 'AUTH_REQUIRED'],
      [post('/api/auth/login', { email: 'nobody@example.com', password: 'wrong' }), 401, 'AUTH_REQUIRED'],
      [post('/api/auth/login', { email: { $ne: '' }, password }), 400, 'BAD_REQUEST'],
      [post('/api/auth/refresh', { refresh_token: 'x'.repeat(43) }), 401, 'AUTH_REQUIRED'],
      [post('/api/auth/google', { access_token: 'x' }), 501, 'NOT_CONFIGURED'],
      [post('/api/auth/password/reset', { token: 'x', new_password: password }), 400, 'BAD_REQUEST'],
      [post('/api/auth/verify-email', { token: 'x' }), 400, 'BAD_REQUEST'],
      [post('/api/auth/logout'), 401, 'AUTH_REQUIRED'],
      [getUser('not.a.token'), 401, 'AUTH_REQUIRED'],
    ]
    for (const [answer, status, code] of cases) expect(await refusalOf(await answer)).toEqual([status, code])
  })

  it('never take a redirect of Google that leaves the machine', async () => {
    const exchange = (redirect_uri: string) =>
      post('/api/auth/google/exchange', { code: 'c', code_verifier: 'v'.repeat(43), redirect_uri })
    for (const elsewhere of [
      'https://evil.example/',
      'http://127.0.0.1.evil.example/',
      'http://127.0.0.1@evil.example/',
      'http://localhost:1/?next=http://evil.example',
    ]) {
      expect(await refusalOf(await exchange(elsewhere))).toEqual([400, 'BAD_REQUEST'])
    }
    expect(await refusalOf(await exchange('http://[::1]:5000/back'))).toEqual([501, 'NOT_CONFIGURED'])
  })

  it('say what a sign-in screen may offer', async () => {
    const answer = await fetch(`${server.url}/api/auth/options`)
    expect(await answer.json()).toEqual({ registration: true, googleClientId: null })
  })

  it('close the live connections of a session that ends, and no others', async () => {
    const email = 'live@example.com'
    const here = await sessionOf(await post('/api/auth/register', { email, password }))
    const there = await sessionOf(await post('/api/auth/login', { email, password }))
    const [ending, staying] = await Promise.all(
      [here, there].map(session => LiveClient.open(server.url, session.access_token)),
    )
    const closed = new Promise<number>(resolve => ending?.socket.once('close', resolve))
    await post('/api/auth/logout', undefined, here.access_token)
    expect(await ending?.next('error')).toMatchObject({ code: 'AUTH_REQUIRED' })
    expect(await closed).toBe(1008)
    staying?.send({ type: 'ping' })
    await staying?.next('pong')
    staying?.socket.terminate()
  })
})

describe('a mailed link', () => {
  it('opens a page that changes nothing until its button is pressed, without scripts', async () => {
    const email = 'link@example.com'
    const session = await sessionOf(await post('/api/auth/register', { email, password }))
    const link = await linkTo(email, 'Verify')
    expect(link.origin).toBe('https://tape.example')
    const isVerified = async () =>
      z.object({ emailVerified: z.boolean() }).parse(await (await getUser(session.access_token)).json()).emailVerified
    for (let visit = 0; visit < 2; visit += 1) {
      const page = await fetch(server.url + link.pathname + link.search)
      expect(page.status).toBe(200)
      const policy = page.headers.get('content-security-policy')
      expect(policy).toContain("default-src 'none'")
      expect(policy).not.toContain('script-src')
      expect(page.headers.get('cache-control')).toBe('no-store')
      const html = await page.text()
      expect(html).toContain('<form method="post" action="verify-email">')
      expect(html).not.toContain('<script')
    }
    expect(await isVerified()).toBe(false)
    const token = link.searchParams.get('token') ?? ''
    const pressed = await sendForm('/auth/verify-email', { token }, { origin: server.url })
    expect([pressed.status, await pressed.text()]).toEqual([200, expect.stringContaining('Your address is verified')])
    expect(await isVerified()).toBe(true)
    const again = await sendForm('/auth/verify-email', { token })
    expect([again.status, await again.text()]).toEqual([400, expect.stringContaining('not good any more')])
  })

  it('sets another password by a form, which says what is wrong with one', async () => {
    const email = 'forgot@example.com'
    await post('/api/auth/register', { email, password })
    expect((await post('/api/auth/password/forgot', { email })).status).toBe(204)
    expect((await post('/api/auth/password/forgot', { email: 'nobody@example.com' })).status).toBe(204)
    const link = await linkTo(email, 'Set another')
    expect((await fetch(server.url + link.pathname + link.search)).status).toBe(200)
    const token = link.searchParams.get('token') ?? ''
    const short = await sendForm('/auth/reset-password', { token, new_password: 'short' })
    expect([short.status, await short.text()]).toEqual([400, expect.stringContaining('10 to 200 characters')])
    const set = await sendForm('/auth/reset-password', { token, new_password: 'another password' })
    expect(set.status).toBe(200)
    expect((await post('/api/auth/login', { email, password: 'another password' })).status).toBe(200)
    expect((await post('/api/auth/login', { email, password })).status).toBe(401)
  })

  it('shows what is in it as text, and takes no form of a strange page', async () => {
    const page = await fetch(
      `${server.url}/auth/reset-password?token=${encodeURIComponent('"><script>alert(1)</script>')}`,
    )
    expect(await page.text()).not.toContain('<script')
    const strange = await sendForm('/auth/verify-email', { token: 'x' }, { origin: 'https://evil.example' })
    expect(await refusalOf(strange)).toEqual([403, 'FORBIDDEN'])
    const json = await post('/auth/verify-email', { token: 'x' })
    expect(await refusalOf(json)).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })
})
