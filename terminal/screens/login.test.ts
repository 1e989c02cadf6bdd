import { afterEach, expect, test } from 'vitest'
import {
  type AccountRig,
  type HttpRig,
  openAccountRig,
  openHttpRig,
  refusal,
  sessionReply,
} from '../../test/account-rig.ts'
import { openRig, type Rig } from '../../test/terminal-rig.ts'

let http: HttpRig | null = null
let rig: Rig | null = null
afterEach(async () => {
  await rig?.end()
  await http?.close()
  rig = null
  http = null
})

const options = { body: { registration: true, googleClientId: 'client.apps.example' } }
const wrong = refusal(401, 'AUTH_REQUIRED', 'The address or the password is wrong.')

/** A remote server and a terminal on it that nobody has signed in to. */
async function openSignedOut(
  replies: HttpRig['replies'] = {},
  more: { columns?: number; rows?: number; hasBrowser?: boolean; isAscii?: boolean } = {},
): Promise<{ rig: Rig; http: HttpRig; who: AccountRig }> {
  http = await openHttpRig({ 'GET /api/auth/options': options, ...replies })
  const who = openAccountRig(http.url, { hasBrowser: more.hasBrowser ?? true })
  rig = await openRig({
    columns: more.columns ?? 80,
    rows: more.rows ?? 24,
    url: http.url,
    account: who.account,
    env: { isAscii: more.isAscii ?? false },
  })
  await rig.shows('Google')
  return { rig, http, who }
}

/** The screen with the port of this run's server taken out. */
function steady(on: Rig, server: HttpRig): string {
  const text = on.lines().join('\n').replaceAll(new URL(server.url).port.padEnd(5), '4400 ')
  return `${text.replaceAll(/\d\d:\d\d:\d\d/g, '12:00:00')}\n`
}

test.each([
  { columns: 80, rows: 24, isAscii: false },
  { columns: 120, rows: 40, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
])('shows one form and nothing else until somebody signs in, at $columns×$rows', async size => {
  const { rig, http } = await openSignedOut({}, size)
  await expect(steady(rig, http)).toMatchFileSnapshot(`__snapshots__/login-${size.columns}x${size.rows}.txt`)
  expect(rig.server.received).toEqual([])
})

test('signs in with a masked password that is never on the screen, and connects', async () => {
  const { rig, http, who } = await openSignedOut({ 'POST /api/auth/login': sessionReply('ada@example.com') })
  await rig.type('ada@example.com\r')
  await rig.type('correct horse')
  expect(rig.lines().join('\n')).toContain('•'.repeat('correct horse'.length))
  await rig.type('\r')
  await rig.shows('TOP CLIPS 24H')
  await rig.shows('Signed in as ada@example.com.')
  await rig.shows('Gordon reacts')
  expect(http.askedFor('POST /api/auth/login')).toMatchObject([
    { body: { email: 'ada@example.com', password: 'correct horse' }, token: null },
  ])
  expect(rig.server.received[0]).toMatchObject({ type: 'hello', token: 'access 1' })
  expect(who.store.kept).toEqual({ refreshToken: 'refresh 1', email: 'ada@example.com' })
  expect(rig.output()).not.toContain('horse')
})

test('loses nothing that was typed when the server refuses, and says why', async () => {
  const { rig, http } = await openSignedOut({ 'POST /api/auth/login': wrong })
  await rig.type('ada@example.com\rcorrect horse\r')
  const text = await rig.shows('The address or the password is wrong.')
  expect(text).toContain('ada@example.com')
  expect(text).toContain('•'.repeat(13))
  http.replies['POST /api/auth/login'] = sessionReply('ada@example.com')
  await rig.type('\x1b[D\x1b[D\x7fX\r')
  await rig.shows('Signed in as')
  expect(http.askedFor('POST /api/auth/login')[1]?.body).toMatchObject({ password: 'correct hoXse' })
})

test('says what is wrong with a field before anything is sent', async () => {
  const { rig, http } = await openSignedOut()
  await rig.type('ada\rsecret\r')
  expect(rig.lines().join('\n')).toContain('! The address must be an e-mail address.')
  await rig.type('@example.com')
  expect(rig.lines().join('\n')).not.toContain('!  The address')
  expect(http.askedFor('POST /api/auth/login')).toEqual([])
})

test('takes a pasted password exactly as it is', async () => {
  const { rig, http } = await openSignedOut({ 'POST /api/auth/login': wrong })
  await rig.type('ada@example.com\r')
  await rig.type('\x1b[200~a  \u200db\u202ec  \r\n\x1b[201~')
  await rig.type('\r')
  await rig.shows('is wrong')
  expect(http.askedFor('POST /api/auth/login')[0]?.body).toMatchObject({ password: 'a  \u200db\u202ec  ' })
})

test('shows a password while one asks for it', async () => {
  const { rig } = await openSignedOut()
  await rig.type('ada@example.com\rsecret')
  await rig.type('\x1br')
  expect(rig.lines().join('\n')).toContain('[secret ')
  await rig.type('\x1br')
  expect(rig.lines().join('\n')).not.toContain('secret')
})

test('creates an account, with the address that was typed before', async () => {
  const { rig, http } = await openSignedOut({ 'POST /api/auth/register': sessionReply('ada@example.com') })
  await rig.type('ada@example.com')
  await rig.type('\t\t\t\t\r')
  expect(rig.lines()[3]).toContain('REGISTER')
  await rig.type('short\rshort\r')
  expect(rig.lines().join('\n')).toContain('The password must have at least 10 characters.')
  await rig.type(' but longer\rother\r')
  expect(rig.lines().join('\n')).toContain('The two passwords are not the same.')
  await rig.type('\x15short but longer\r')
  await rig.shows('Signed in as ada@example.com.')
  expect(http.askedFor('POST /api/auth/register')).toMatchObject([
    { body: { email: 'ada@example.com', password: 'short but longer' } },
  ])
})

test('asks for a mail that sets another password', async () => {
  const { rig, http } = await openSignedOut({ 'POST /api/auth/password/forgot': { status: 202, body: {} } })
  await rig.type('ada@example.com\x1b[Z\r')
  expect(rig.lines()[3]).toContain('FORGOTTEN PASSWORD')
  await rig.type('\r')
  expect(await rig.shows('a mail with a link')).toContain('ada@example.com')
  expect(http.askedFor('POST /api/auth/password/forgot')[0]?.body).toEqual({ email: 'ada@example.com' })
})

test('signs in through Google with PKCE and the nonce that the server checks', async () => {
  const { rig, http, who } = await openSignedOut({ 'POST /api/auth/google/exchange': sessionReply('g@example.com') })
  await rig.type('\t\t\t\r')
  await rig.shows('Your browser has been opened')
  const asked = new URL(who.opened[0] ?? '').searchParams
  expect(Object.fromEntries(asked)).toMatchObject({
    client_id: 'client.apps.example',
    redirect_uri: 'http://127.0.0.1:65000/signed-in',
    response_type: 'code',
    scope: 'openid email',
    code_challenge_method: 'S256',
  })
  who.redirect({ code: 'the code', state: asked.get('state') ?? '' })
  await rig.shows('Signed in as g@example.com.')
  const body = http.askedFor('POST /api/auth/google/exchange')[0]?.body
  expect(body).toMatchObject({ code: 'the code', nonce: asked.get('nonce'), redirect_uri: asked.get('redirect_uri') })
  const { createHash } = await import('node:crypto')
  const { code_verifier: verifier } = body as { code_verifier: string }
  expect(createHash('sha256').update(verifier).digest('base64url')).toBe(asked.get('code_challenge'))
})

test('takes the pasted address of a browser on another machine, and no other one', async () => {
  const { rig, who } = await openSignedOut(
    { 'POST /api/auth/google/exchange': sessionReply('g@example.com') },
    { hasBrowser: false },
  )
  await rig.type('\t\t\t\r')
  const text = await rig.shows('There is no browser here.')
  const state = new URL(who.opened[0] ?? '').searchParams.get('state')
  expect(text.replaceAll(/\s/g, '')).toContain(who.opened[0])
  await rig.type('http://127.0.0.1:65000/signed-in?code=x&state=other\r')
  await rig.shows('That is not the address of this sign-in')
  await rig.type(`\x15http://127.0.0.1:65000/signed-in?code=x&state=${state}\r`)
  await rig.shows('Signed in as g@example.com.')
})

test('refuses a redirect that belongs to another sign-in', async () => {
  const { rig, http, who } = await openSignedOut()
  await rig.type('\t\t\t\r')
  await rig.shows('Your browser has been opened')
  who.redirect({ code: 'x', state: 'other' })
  await rig.shows('The browser came back from another sign-in')
  expect(http.askedFor('POST /api/auth/google/exchange')).toEqual([])
})

test('offers only what the server does', async () => {
  const { rig } = await openSignedOut()
  http = await openHttpRig({ 'GET /api/auth/options': { body: { registration: false, googleClientId: null } } })
  await rig.end()
  const who = openAccountRig(http.url)
  const closed = await openRig({ columns: 80, rows: 24, url: http.url, account: who.account })
  for (let i = 0; i < 5; i++) await closed.advance(100)
  const text = await closed.shows('Forgotten password')
  expect(text).not.toContain('Google')
  await closed.end()
})

test('goes back to the form when the session has ended, and to the same panes after the next sign-in', async () => {
  http = await openHttpRig({
    'GET /api/auth/options': options,
    'POST /api/auth/refresh': sessionReply('ada@example.com', 7),
    'POST /api/auth/login': sessionReply('ada@example.com', 9),
  })
  const who = openAccountRig(http.url, { stored: { refreshToken: 'kept', email: 'ada@example.com' } })
  rig = await openRig({ columns: 80, rows: 24, url: http.url, account: who.account, startCommand: 'TOP CREATORS 7D' })
  await rig.shows('CONNECTED')
  expect(http.askedFor('POST /api/auth/refresh')[0]?.body).toEqual({ refresh_token: 'kept' })
  expect(who.store.kept?.refreshToken).toBe('refresh 7')
  http.replies['POST /api/auth/refresh'] = refusal(401, 'AUTH_REQUIRED', 'This session has ended.')
  rig.server.push({ type: 'error', code: 'AUTH_REQUIRED', message: 'The session has ended.' })
  rig.server.cut()
  const text = await rig.shows('Sign in to')
  expect(text).toContain('Your session has ended: sign in again.')
  expect(text).not.toContain('Gordon')
  await rig.type('ada@example.com\rcorrect horse\r')
  await rig.shows('TOP CREATORS 7D')
  expect(rig.server.received.filter(message => message.type === 'hello').at(-1)).toMatchObject({ token: 'access 9' })
})

test('opens what the command line asked for after the first sign-in, and the linked pane follows again', async () => {
  http = await openHttpRig({
    'GET /api/auth/options': options,
    'GET /api/usage': { body: { data: [], credits: { available: 3, reserved: 0, isUnlimited: false } } },
    'POST /api/auth/login': sessionReply('ada@example.com'),
  })
  const who = openAccountRig(http.url)
  rig = await openRig({ columns: 120, rows: 40, url: http.url, account: who.account, startCommand: 'API' })
  await rig.shows('Google')
  await rig.type('ada@example.com\rcorrect horse\r')
  await rig.shows('3 credits')
  expect(rig.lines()[3]).toContain('1 API')
  await rig.type('\x1b')
  await rig.shows('2 youtube:clip001 GP')
})

test('says the form and what is wrong to a screen reader', async () => {
  http = await openHttpRig({ 'GET /api/auth/options': options, 'POST /api/auth/login': wrong })
  const who = openAccountRig(http.url)
  rig = await openRig({
    columns: 80,
    rows: 24,
    url: http.url,
    account: who.account,
    env: { isAccessible: true, depth: 0 },
  })
  const says = async (text: string) => {
    while (!rig?.output().includes(text)) await rig?.advance(50)
  }
  await says('== LOGIN')
  await says('E-mail: empty.')
  await rig.type('ada@example.com\rcorrect horse\r')
  await says('Password: 13 characters.')
  await says('The address or the password is wrong.')
  expect(rig.output()).not.toContain('horse')
})

test('keeps what was typed when the session cannot be kept', async () => {
  const { rig, who } = await openSignedOut({ 'POST /api/auth/login': sessionReply('ada@example.com') })
  who.store.save = async () => Promise.reject(new Error('The disk is full.'))
  await rig.type('ada@example.com\rcorrect horse\r')
  expect(await rig.shows('The disk is full.')).toContain('ada@example.com')
})

test('tells where a server has moved, and sends nothing there', async () => {
  http = await openHttpRig({
    'GET /api/auth/options': { status: 308, body: null, location: 'https://clips.example.com/' },
  })
  const who = openAccountRig(http.url)
  rig = await openRig({ columns: 120, rows: 30, url: http.url, account: who.account })
  await rig.shows('This server has moved to https://clips.example.com/')
})

test('signs out with LOGOUT: on the server, in the store and on the screen', async () => {
  http = await openHttpRig({
    'GET /api/auth/options': options,
    'POST /api/auth/refresh': sessionReply('ada@example.com', 2),
    'POST /api/auth/logout': { status: 204, body: null },
  })
  const who = openAccountRig(http.url, { stored: { refreshToken: 'kept', email: 'ada@example.com' } })
  rig = await openRig({ columns: 80, rows: 24, url: http.url, account: who.account })
  await rig.shows('Gordon reacts')
  await rig.type('LOGOUT\r')
  const text = await rig.shows('You have signed out.')
  expect(text).toContain('Sign in to')
  expect(text).toContain('SIGNED OUT')
  expect(who.store.kept).toBeNull()
  while (http.askedFor('POST /api/auth/logout').length === 0) await rig.advance(100)
  expect(http.askedFor('POST /api/auth/logout')).toMatchObject([{ token: 'access 2' }])
})

test('says that a local terminal has nothing to sign in to', async () => {
  rig = await openRig({ columns: 80, rows: 24 })
  await rig.type('LOGIN\r')
  expect(rig.lines().at(-1)).toContain('This terminal belongs to its own server: there is nothing to sign in to.')
})

test('lets nobody past the form, but to the help', async () => {
  const { rig } = await openSignedOut()
  await rig.type('\x1bOP')
  expect(rig.lines()[3]).toContain('HELP')
  await rig.type('TOP\r')
  expect(rig.lines().at(-1)).toContain('Sign in first: Esc goes back to the form.')
  await rig.type('\x1b')
  await rig.advance(50)
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines()[3]).toContain('LOGIN')
})
