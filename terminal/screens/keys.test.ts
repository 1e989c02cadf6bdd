import { expect, test } from 'vitest'
import { type HttpRig, refusal } from '../../test/account-rig.ts'
import { readQr } from '../../test/read-qr.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// KEYS against a server that answers what the contracts say.

const id = (number: number) => `018f0000-0000-7000-8000-0000000000${String(number).padStart(2, '0')}`
const google = {
  platform: 'youtube',
  kind: 'google',
  status: 'valid',
  vault_secret_id: id(1),
  derivedMetricsAccepted: false,
  lastValidatedAt: '2026-03-01T11:56:00.000Z',
}
const tiktok = {
  platform: 'tiktok',
  kind: 'tiktok_desktop',
  status: 'invalid',
  reason: 'TikTok says: client_key is wrong. Copy it again from the page of the app.',
  vault_secret_id: id(2),
  derivedMetricsAccepted: null,
  lastValidatedAt: '2026-03-01T10:00:00.000Z',
}
const channel = {
  id: id(3),
  platform: 'youtube',
  platformAccountId: 'UC1',
  name: "Ada's kitchen",
  handle: '@adaskitchen',
  avatarUrl: '',
  kind: 'google',
  status: 'connected',
  reason: null,
  scopes: ['youtube.readonly'],
  missingScopes: ['https://www.googleapis.com/auth/yt-analytics.readonly'],
  lastValidatedAt: '2026-03-01T11:00:00.000Z',
  createdAt: '2026-02-01T12:00:00.000Z',
  updatedAt: '2026-03-01T11:00:00.000Z',
}
const second = {
  ...channel,
  id: id(4),
  name: 'Ada live',
  handle: '@adalive',
  status: 'needs_reauth',
  reason: 'Google says that the grant has ended.',
  missingScopes: [],
}
const units = {
  platform: 'youtube',
  kind: 'google',
  bucket: 'youtube:units',
  accountName: null,
  counts: 'day',
  limit: 10_000,
  used: 1_204,
  left: 8_796,
  resetsAt: '2026-03-02T08:00:00.000Z',
  blockedUntil: null,
  blockReason: null,
  usagePercent: null,
}
const statistics = { ...units, bucket: 'youtube:stats', used: 8_400, left: 1_600 }
const ownPosts = {
  ...units,
  platform: 'instagram',
  kind: 'instagram_login',
  bucket: 'instagram:account',
  accountName: "Ada's kitchen",
  counts: 'refilling',
  limit: 50,
  used: 12,
  left: 0,
  resetsAt: '2026-03-01T12:09:00.000Z',
  blockedUntil: '2026-03-01T12:15:00.000Z',
  blockReason: 'The platform says that 80 % are used.',
  usagePercent: 80,
}
const linkId = id(5)
const started = {
  linkId,
  authorizationUrl: 'https://accounts.google.com/o/oauth2/v2/auth?client_id=ada&state=s1&code_challenge=c1',
  state: 's1',
  expiresAt: '2026-03-01T12:10:00.000Z',
  ticketUrl: 'http://localhost:4400/api/auth/link/youtube?ticket=t1',
  shortUrl: null,
  redirectUri: 'http://localhost:4400/api/auth/callback/youtube',
  comesBack: true,
}
const waiting = {
  linkId,
  platform: 'youtube',
  status: 'waiting',
  reason: null,
  accountId: null,
  expiresAt: started.expiresAt,
}

const replies = (): HttpRig['replies'] => ({
  'GET /api/credentials/status': { body: [google, tiktok] },
  'GET /api/accounts': { body: { data: [channel, second] } },
  'GET /api/quota': { body: { data: [units, statistics, ownPosts] } },
  'POST /api/auth/link/youtube': { status: 201, body: started },
  [`GET /api/auth/links/${linkId}`]: { body: waiting },
})

async function open(more: ScreenOptions = {}): Promise<ScreenRig> {
  const screen = await openScreen('KEYS', { ...more, replies: { ...replies(), ...more.replies } })
  await screen.rig.shows('valid')
  return screen
}

/** The screen without what depends on when and where it is looked at. */
const steady = (screen: ScreenRig) => steadyScreen(screen).replace(/\d\d:\d\d \d+([hm])\b/g, '08:00 19$1')

const sizes = [
  { columns: 80, rows: 24, isAscii: false },
  { columns: 120, rows: 40, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
]

test.each(sizes)('draws KEYS at $columns×$rows as in the golden file', async size => {
  const screen = await open(size)
  if (size.rows > 15) await screen.rig.shows('Ada live')
  if (size.rows > 15) await screen.rig.shows('units a day')
  await expect(steady(screen)).toMatchFileSnapshot(`__snapshots__/keys-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws a link under way at $columns×$rows as in the golden file', async size => {
  const screen = await open(size)
  await screen.rig.type('l')
  await screen.rig.shows('Copy the link')
  if (size.rows > 15) await screen.rig.shows('The browser was opened')
  await expect(steady(screen)).toMatchFileSnapshot(`__snapshots__/keys-link-${size.columns}x${size.rows}.txt`)
})

test('shows what is left of each limit, the least first, and follows it', async () => {
  const { rig, http } = await open()
  await rig.type('t')
  const text = await rig.shows(/units a day .*█░+ +1\.2K +8\.8K +\d\d:\d\d \d+h/)
  expect(text.indexOf('YouTube statistics a day')).toBeLessThan(text.indexOf('YouTube units a day'))
  await rig.shows(/Instagram Ada's kitchen .* 12 +0 +\d\d:\d\d \d+m/)
  await rig.shows("Instagram Ada's kitchen, Instagram Login: 12 of 50 calls at once used.")
  await rig.shows(/counts 80 %\. Nothing is asked until \d\d:\d\d: The platform says/)
  http.replies['GET /api/quota'] = { body: { data: [{ ...units, used: 10_000, left: 0 }] } }
  await rig.shows(/units a day .*█{14} +10K +0 /)
  await rig.type('t')
  await rig.shows('Ada live')
})

test('enters credentials in a masked form and follows them until they are valid', async () => {
  const saved = { status: 'pending_validation', vault_secret_id: id(9), needsReauth: [id(3)] }
  const { rig, http } = await open({ replies: { 'POST /api/credentials/tiktok': { status: 202, body: saved } } })
  await rig.type('jj\r')
  expect(rig.lines().join('\n')).toContain('TikTok for Desktop, for TikTok')
  await rig.type(' aw123 \r')
  await rig.type('s3cret-of-ada')
  expect(rig.lines().join('\n')).toContain('•'.repeat(13))
  http.replies['GET /api/credentials/status'] = {
    body: [google, { ...tiktok, status: 'pending_validation', reason: undefined }],
  }
  await rig.type('\r')
  await rig.shows('One account has to be linked again.')
  expect(http.askedFor('POST /api/credentials/tiktok')[0]?.body).toEqual({
    kind: 'tiktok_desktop',
    client_id: 'aw123',
    client_secret: 's3cret-of-ada',
  })
  await rig.shows('being tried')
  http.replies['GET /api/credentials/status'] = {
    body: [google, { ...tiktok, status: 'valid', reason: undefined }],
  }
  await rig.shows(/TikTok for Desktop +TikTok +valid/)
  expect(rig.output()).not.toContain('s3cret')
})

test('takes an API key alone where that is all there is', async () => {
  const saved = { status: 'pending_validation', vault_secret_id: id(9), needsReauth: [] }
  const { rig, http } = await open({ replies: { 'POST /api/credentials/youtube': { status: 202, body: saved } } })
  await rig.type('jl')
  await rig.shows('An API key links no account')
  await rig.type('\rAIzaSy\r')
  await rig.shows('Saved; they are being tried.')
  expect(http.askedFor('POST /api/credentials/youtube')[0]?.body).toEqual({ kind: 'google_api_key', api_key: 'AIzaSy' })
})

test('keeps what was typed when the server refuses credentials', async () => {
  const { rig } = await open({
    replies: { 'POST /api/credentials/youtube': refusal(400, 'BAD_REQUEST', 'That is no client ID of Google.') },
  })
  await rig.type('\rada\r')
  await rig.type('secret\r')
  const text = await rig.shows('That is no client ID of Google.')
  expect(text).toContain('[ada')
})

test('links an account through the browser and follows it until it is linked', async () => {
  const { rig, http, opened } = await open()
  await rig.type('l')
  await rig.shows('The browser was opened: go on there.')
  expect(http.askedFor('POST /api/auth/link/youtube')[0]?.body).toEqual({ kind: 'google' })
  expect(opened).toEqual([started.authorizationUrl])
  http.replies[`GET /api/auth/links/${linkId}`] = { body: { ...waiting, status: 'connected', accountId: id(3) } }
  await rig.shows('Done: the account is linked.')
  await rig.type('\r')
  await rig.shows('Ada live')
})

test('shows the link where there is no browser, copies it, and takes the address that was pasted', async () => {
  const { rig, http } = await open({
    hasBrowser: false,
    replies: {
      'POST /api/auth/link/youtube': { status: 201, body: { ...started, comesBack: false } },
      'POST /api/auth/link/youtube/complete': refusal(400, 'BAD_REQUEST', 'That address is of another link.'),
    },
  })
  await rig.type('l')
  expect(await rig.shows('Open the link below in a browser.')).toContain('client_id=ada')
  await rig.type('https://localhost/api/auth/callback/youtube?state=s0\r')
  expect(await rig.shows('That address is of another link.')).toContain('state=s0')
  await rig.type('\x15https://localhost/api/auth/callback/youtube?state=s1&code=4\r')
  // A button does nothing while the last answer is on its way.
  await rig.shows(/code=4[\s\S]*That address is of another link\./)
  await rig.type('\t\t\r')
  expect(rig.output()).toContain(Buffer.from(started.authorizationUrl).toString('base64'))
  http.replies['POST /api/auth/link/youtube/complete'] = { body: channel }
  await rig.type('\x1b[Z\r')
  await rig.shows('The account is linked.')
  expect(http.askedFor('POST /api/auth/link/youtube/complete').at(-1)?.body).toEqual({
    url: 'https://localhost/api/auth/callback/youtube?state=s1&code=4',
  })
  expect(rig.lines()[3]).toContain('1 KEYS ')
})

test('links with the permissions that were chosen', async () => {
  const { rig, http } = await open()
  await rig.type('L')
  const text = await rig.shows('[x] shares, numbers by day (yt-analytics.readonly)')
  expect(text).toContain('Asked for in any case: channel, videos, numbers (youtube.readonly).')
  await rig.type(' ')
  await rig.shows('[ ] shares, numbers by day')
  await rig.type('\r')
  await rig.shows('Copy the link')
  expect(http.askedFor('POST /api/auth/link/youtube')[0]?.body).toEqual({ kind: 'google', scopes: [] })
})

test('shows a QR code of the short address where others reach the server, also in a small window', async () => {
  const shortUrl = 'https://tape.example/link?t=abcdefghijklmnopqrstuv'
  const { rig, http } = await open({
    hasBrowser: false,
    replies: { 'POST /api/auth/link/youtube': { status: 201, body: { ...started, shortUrl } } },
  })
  await rig.type('l')
  await rig.shows('Scan it with a phone')
  expect(readQr(rig.lines())).toBe(shortUrl)
  await rig.type('\r')
  await rig.shows('Open the link below in a browser.')
  await rig.type('\t\t\t\r')
  await rig.shows('Scan it with a phone')
  await rig.resize(60, 15)
  await rig.shows('The QR code takes 31 columns and 16 lines')
  http.replies[`GET /api/auth/links/${linkId}`] = { body: { ...waiting, status: 'connected', accountId: id(3) } }
  await rig.shows('Done: the account is linked.')
})

test('shows a QR code of the link itself below the form, where there is room and no browser', async () => {
  const { rig } = await open({ columns: 90, rows: 60, hasBrowser: false })
  await rig.type('l')
  await rig.shows('Copy the link')
  await rig.shows('█▀')
  expect(readQr(rig.lines())).toBe(started.authorizationUrl)
})

test('opens nothing but addresses of the web, whatever the server says', async () => {
  const { rig, opened } = await open({
    replies: { 'POST /api/auth/link/youtube': { status: 201, body: { ...started, authorizationUrl: 'file:///etc' } } },
  })
  await rig.type('l')
  await rig.shows('Open the link below in a browser.')
  await rig.type('\t\t\t\t\r')
  await rig.advance(50)
  expect(opened).toEqual([])
})

test('says to a screen reader how a link goes, and never a secret', async () => {
  const { rig, http } = await openScreen('KEYS', { replies: replies(), env: { isAccessible: true, depth: 0 } })
  for (let i = 0; i < 10; i++) await rig.advance(300)
  await rig.type('\rada\rs3cret')
  for (let i = 0; i < 3; i++) await rig.advance(300)
  expect(rig.output()).toContain('Client secret: 6 characters.')
  await rig.type('\x1b')
  await rig.advance(300)
  await rig.type('l')
  while (!rig.output().includes('Address: empty.')) await rig.advance(100)
  http.replies[`GET /api/auth/links/${linkId}`] = { body: { ...waiting, status: 'connected', accountId: id(3) } }
  while (!rig.output().includes('Done: the account is linked.')) await rig.advance(300)
  expect(rig.output()).toContain('client_id=ada')
  expect(rig.output()).not.toContain('s3cret')
})

test('says why a link has failed', async () => {
  const { rig, http } = await open()
  await rig.type('l')
  await rig.shows('Copy the link')
  http.replies[`GET /api/auth/links/${linkId}`] = {
    body: { ...waiting, status: 'failed', reason: 'You said no on the page of Google.' },
  }
  await rig.shows('You said no on the page of Google.')
  await rig.type('\x1b')
  await rig.advance(50)
  await rig.shows('Ada live')
})

test('links an account again that asks for it, and shows the reason', async () => {
  const { rig, http } = await open()
  await rig.shows('Ada live')
  await rig.type('G')
  await rig.shows('Google says that the grant has ended.')
  await rig.type('l')
  await rig.shows('Copy the link')
  expect(http.askedFor('POST /api/auth/link/youtube')[0]?.body).toEqual({ kind: 'google', account_id: id(4) })
})

test('unlinks an account only when asked twice, and says where the grant still stands', async () => {
  const { rig, http } = await open({
    replies: {
      [`DELETE /api/auth/link/youtube/${id(3)}`]: { body: { status: 'disconnected', revokedAtPlatform: false } },
    },
  })
  await rig.shows('Ada live')
  await rig.type('Gkx')
  await rig.shows("Unlink Ada's kitchen?")
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines().join('\n')).not.toContain('Unlink Ada')
  expect(http.asked.filter(one => one.method === 'DELETE')).toEqual([])
  await rig.type('xx')
  await rig.shows('Unless another account needs the grant, end it')
})

test('removes credentials of one kind', async () => {
  const { rig, http } = await open({ replies: { 'DELETE /api/credentials/youtube': { status: 204, body: null } } })
  await rig.type('xx')
  await rig.shows('The credentials were removed.')
  expect(http.askedFor('DELETE /api/credentials/youtube')[0]?.query).toEqual({ kind: 'google' })
})

test('says that the terms for measures are accepted only when asked twice', async () => {
  const { rig, http } = await open({ replies: { 'PATCH /api/credentials/youtube': { body: [] } } })
  await rig.shows('Measures of YouTube wait for its amendment: a.')
  await rig.type('a')
  await rig.shows('Has Google accepted your amendment')
  expect(http.asked.filter(one => one.method === 'PATCH')).toEqual([])
  http.replies['GET /api/credentials/status'] = { body: [{ ...google, derivedMetricsAccepted: true }] }
  await rig.type('a')
  await rig.shows('Measures of YouTube are shown: a takes that back.')
  expect(http.askedFor('PATCH /api/credentials/youtube')[0]?.body).toEqual({
    kind: 'google',
    derived_metrics_accepted: true,
  })
})

test('shows hostile names of accounts as text', async () => {
  const { rig } = await open({
    replies: { 'GET /api/accounts': { body: { data: [{ ...channel, name: '\u001b]0;owned\u0007evil\u202e' }] } } },
  })
  await rig.shows(' evil ')
  expect(rig.output()).not.toContain('owned')
})
