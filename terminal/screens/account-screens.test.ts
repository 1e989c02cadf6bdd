import { expect, test } from 'vitest'
import { type HttpRig, refusal } from '../../test/account-rig.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'
import { noSql, noSqlRuns, openRig, rigStartMs } from '../../test/terminal-rig.ts'
import type { FunctionName } from '../command/functions.ts'
import type { ActionName } from '../keys/actions.ts'
import { createHttpClient } from '../net/http-client.ts'
import type { ReadResource } from '../net/resource-client.ts'
import { cellWidth } from '../text/width.ts'
import { createStyle } from '../theme/style.ts'
import { themes } from '../theme/themes.ts'
import { findScreen } from './registry.ts'
import type { ScreenDeps, ScreenView } from './screen.ts'

// API, BILL and ACCT against a server that answers what the contracts say.

const options = { registration: true, googleClientId: 'client' }
const user = {
  id: '018f0000-0000-7000-8000-00000000000a',
  email: 'ada@example.com',
  emailVerified: false,
  role: 'user',
  subscription_level: 'pro',
  createdAt: '2026-01-05T09:00:00.000Z',
}
const key = (number: number, more: object = {}) => ({
  id: `018f0000-0000-7000-8000-0000000000${number}0`,
  name: `key ${number}`,
  prefix: `cl_live_abcd000${number}`,
  scopes: ['trends:read', 'vods:read'],
  isService: false,
  createdAt: '2026-02-20T12:00:00.000Z',
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  ...more,
})
const keys = [
  key(1, { name: 'nightly report', lastUsedAt: '2026-03-01T11:56:00.000Z', expiresAt: '2026-03-04T12:00:00.000Z' }),
  key(2, { name: 'sheets', scopes: ['creators:read'] }),
  key(3, { name: 'old', revokedAt: '2026-02-22T12:00:00.000Z' }),
]
const period = { periodStart: '2026-03-01T00:00:00.000Z', resetsAt: '2026-04-01T00:00:00.000Z' }
const usage = {
  data: [
    {
      metric: 'apiCalls',
      used: 512,
      limit: 600,
      periodStart: period.periodStart,
      resetsAt: '2026-03-01T12:30:00.000Z',
    },
    { metric: 'liveQueries', used: 3, limit: 128, ...period },
    { metric: 'downloads', used: 200, limit: 200, ...period },
    { metric: 'credits', used: 1240, limit: null, ...period },
  ],
  credits: { available: 760, reserved: 40, isUnlimited: false },
}
const limits = {
  downloadsPerMonth: 200,
  apiCallsPerMinute: 600,
  liveQueries: 128,
  creditsPerMonth: 1000,
  storageBytes: 50_000_000_000,
  resultDays: 30,
  premiumIndicators: true,
  alerts: null,
  querySeconds: 60,
  queryMemoryBytes: 1_000_000_000,
  queryRowsRead: 2_000_000_000,
  queryRows: 1_000_000,
  queriesAtOnce: 4,
}
const plans = {
  data: [
    {
      name: 'free',
      title: 'Free',
      priceUsdCents: 0,
      limits: { ...limits, downloadsPerMonth: 10, apiCallsPerMinute: 60, premiumIndicators: false },
    },
    { name: 'pro', title: 'Pro', priceUsdCents: null, limits },
    { name: 'premium', title: 'Premium', priceUsdCents: 4950, limits: { ...limits, downloadsPerMonth: null } },
  ],
}
const subscription = {
  plan: 'pro',
  status: 'active',
  periodStart: '2026-03-01T00:00:00.000Z',
  periodEnd: '2026-04-01T00:00:00.000Z',
  isUnlimited: false,
  limits,
  isPaymentConnected: false,
}
const line = (id: number, entry: string, amount: number, reason: string) => ({
  id: String(id),
  entry,
  amount,
  reason,
  availableAfter: 700 + id,
  reservedAfter: 40,
  expiresAt: null,
  createdAt: `2026-03-01T0${id}:00:00.000Z`,
})
const firstLedger = {
  data: [
    line(6, 'reserve', 40, 'highlights of v123'),
    line(5, 'capture', 35, 'highlights of v122'),
    line(4, 'release', 5, 'v122 was shorter'),
  ],
  nextCursor: 'older',
}
const lastLedger = { data: [line(1, 'grant', 1000, 'pro, March 2026')] }
const audit = (id: number, action: string, target: string | null) => ({
  id: String(id),
  at: `2026-03-01T1${id}:00:00.000Z`,
  actor: 'jwt',
  actorId: 'session',
  action,
  target,
  details: { scopes: ['trends:read'] },
  requestId: 'r',
  address: '203.0.113.7',
})

const replies = (): HttpRig['replies'] => ({
  'GET /api/auth/user': { body: user },
  'GET /api/keys': { body: { data: keys } },
  'GET /api/usage': { body: usage },
  'GET /api/plans': { body: plans },
  'GET /api/subscription': { body: subscription },
  'GET /api/credits': asked => ({ body: asked.query.cursor === 'older' ? lastLedger : firstLedger }),
  'GET /api/audit': {
    body: { data: [audit(2, 'key.created', 'cl_live_abcd0001'), audit(1, 'sharing.invented', null)] },
  },
})

function open(startCommand: string, more: ScreenOptions = {}): Promise<ScreenRig> {
  return openScreen(startCommand, { ...more, replies: { ...replies(), ...more.replies } })
}

const sizes = [
  { columns: 80, rows: 24, isAscii: false },
  { columns: 120, rows: 40, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
]

test.each(sizes)('draws API at $columns×$rows as in the golden file', async size => {
  const screen = await open('API', size)
  await screen.rig.shows('nightly')
  await screen.rig.shows(size.rows > 15 ? 'API calls' : 'n new')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/api-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws BILL at $columns×$rows as in the golden file', async size => {
  const screen = await open('BILL', size)
  await screen.rig.shows('renews then')
  await screen.rig.shows('API calls a')
  if (size.rows > 15) await screen.rig.shows('512 of 600')
  if (size.rows > 24) await screen.rig.shows('highlights of v123')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/bill-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws ACCT at $columns×$rows as in the golden file', async size => {
  const screen = await open('ACCT', size)
  await screen.rig.shows('key.created')
  await screen.rig.shows('ada@example.com')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/acct-${size.columns}x${size.rows}.txt`)
})

/** A view of one size whose resources are there, loading or refused. */
function viewOf(o: {
  width: number
  height: number
  isAscii: boolean
  has: 'all' | 'nothing' | 'refusals'
}): ScreenView {
  const style = createStyle({
    theme: o.isAscii ? themes.mono : themes.amber,
    depth: o.isAscii ? 0 : 24,
    isAscii: o.isAscii,
    isReducedMotion: true,
  })
  const known = replies()
  const resource: ReadResource = query => {
    const reply = known[`GET ${query.path}`]
    const body = typeof reply === 'function' ? firstLedger : reply?.body
    const parsed = query.schema.safeParse(o.has === 'all' ? (body ?? options) : null)
    const message = o.has === 'refusals' ? 'A part of Cliptape is not answering: try again in a moment.' : ''
    return { status: o.has === 'nothing' ? 'loading' : 'ready', body: parsed.data ?? null, message }
  }
  return {
    width: o.width,
    height: o.height,
    style,
    live: () => nothingYet,
    liveAny: () => ({ status: 'loading', asOf: null, message: '', statusSinceMs: 0, changedAtMs: new Map() }),
    liveSql: () => ({ ...nothingYet, columns: [] }),
    resource,
    pictures: () => ({ status: 'loading', cells: new Map(), message: '' }),
    ...noSql,
    serverUrl: 'https://clips.example.com',
    nowMs: rigStartMs,
    dataNowMs: rigStartMs,
    isFocused: true,
    hasPng: false,
  }
}

const nothingYet = {
  status: 'loading' as const,
  rows: [],
  asOf: null,
  message: '',
  statusSinceMs: 0,
  changedAtMs: new Map<string, number>(),
}

const sgr = new RegExp(`${'\u001b'}\\[[\\d;]*m`, 'g')
const everyScreen: [FunctionName, ActionName[]][] = [
  ['LOGIN', []],
  ['REGISTER', []],
  ['API', []],
  ['API', ['key.create']],
  ['API', ['key.revoke']],
  ['BILL', []],
  ['BILL', ['plan.next', 'plan.choose']],
  ['BILL', ['bill.view']],
  ['ACCT', []],
  ['ACCT', ['account.password']],
  ['FIND', []],
  ['FIND', ['creators.add']],
  ['VOD', []],
  ['CRM', []],
  ['CRM', ['crm.view']],
  ['CRM', ['crm.view', 'crm.view']],
  ['KEYS', []],
  ['KEYS', ['move.last']],
  ['KEYS', ['credentials.enter']],
]

test.each(everyScreen)(
  '%s after %j fills its body exactly, at every size and in every degree of plainness',
  (fn, actions) => {
    for (const has of ['all', 'nothing', 'refusals'] as const)
      for (const isAscii of [false, true])
        for (const [width, height] of [
          [42, 10],
          [67, 4],
          [60, 10],
          [66, 18],
          [80, 18],
          [117, 33],
          [200, 54],
        ] as const) {
          const view = viewOf({ width, height, isAscii, has })
          const deps: ScreenDeps = {
            ...view,
            run: () => {},
            say: () => {},
            http: createHttpClient({ url: 'http://127.0.0.1:1', tokens: null }),
            account: null,
            ask: () => {},
            refresh: () => {},
            openBrowser: async () => false,
            ...noSqlRuns,
            download: () => {},
            exportRows: () => {},
            savePicture: () => {},
            copy: () => {},
          }
          let screen = findScreen(fn)?.open({ fn, subject: null, args: {} })
          for (const name of actions) screen = screen?.act({ name }, deps) ?? screen
          const lines = screen?.draw(view) ?? []
          expect(lines.map(line => cellWidth(line))).toEqual(Array.from({ length: height }, () => width))
          if (isAscii) expect(lines.join('').replaceAll(sgr, '')).toMatch(/^[\x20-\x7e]*$/)
        }
  },
)

test('creates a key from a form, shows it once and copies it without printing it elsewhere', async () => {
  const made = `cl_live_abcd0009_${'x'.repeat(43)}a1b2c3`
  const { rig, http } = await open('API', {
    replies: { 'POST /api/keys': { status: 201, body: { ...key(9, { name: 'ci' }), key: made } } },
  })
  await rig.shows('nightly')
  await rig.type('n')
  expect(rig.lines()[3]).toContain('API NEW KEY')
  await rig.type('ci\r')
  await rig.type('\x1b[C \r')
  await rig.type('\x1b[D\r')
  await rig.shows(made)
  expect(http.askedFor('POST /api/keys')).toMatchObject([
    {
      token: 'rig',
      body: {
        name: 'ci',
        scopes: ['trends:read', 'creators:read'],
        expiresAt: expect.stringMatching(/^2026-03-31T12:00:/),
      },
    },
  ])
  await rig.type('y')
  expect(rig.output()).toContain(`\u001b]52;c;${Buffer.from(made).toString('base64')}\u0007`)
  expect(rig.lines().at(-1)).toContain('Copied the key')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines()[3]).toContain('1 API ')
  expect(rig.lines().join('\n')).not.toContain(made)
})

test('keeps what was typed when the server refuses a key', async () => {
  const { rig } = await open('API', {
    replies: { 'POST /api/keys': refusal(409, 'CONFLICT', 'You have 50 keys: revoke one first.') },
  })
  await rig.shows('nightly')
  await rig.type('nmy script\r\r\r')
  const text = await rig.shows('You have 50 keys: revoke one first.')
  expect(text).toContain('[my script')
})

test('offers scopes that act for others to the owner alone', async () => {
  const { rig, http } = await open('API')
  await rig.shows('nightly')
  await rig.type('n')
  expect(rig.lines().join('\n')).not.toContain('tools:execute')
  await rig.end()
  http.replies['GET /api/auth/user'] = { body: { ...user, role: 'owner', email: null } }
  const owner = await openRig({ columns: 80, rows: 24, url: http.url, startCommand: 'API' })
  await owner.shows('nightly')
  for (let i = 0; i < 5; i++) await owner.advance(50)
  await owner.type('n')
  expect(owner.lines().join('\n')).toContain('tools:execute')
  await owner.end()
})

test('revokes a key only when asked twice, and shows that it is', async () => {
  const { rig, http } = await open('API', {
    replies: { 'DELETE /api/keys/018f0000-0000-7000-8000-000000000020': { status: 204, body: null } },
  })
  await rig.shows('nightly')
  await rig.type('jx')
  expect(rig.lines().join('\n')).toContain('Revoke sheets?')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines().join('\n')).not.toContain('Revoke sheets?')
  expect(http.asked.filter(one => one.method === 'DELETE')).toEqual([])
  await rig.type('xx')
  await rig.shows('The key was revoked.')
  expect(http.asked.filter(one => one.method === 'DELETE').map(one => one.path)).toEqual([
    '/api/keys/018f0000-0000-7000-8000-000000000020',
  ])
  while (http.askedFor('GET /api/keys').length < 2) await rig.advance(50)
})

test('shows use against limits as it goes on, without a key', async () => {
  const { rig, http } = await open('API')
  await rig.shows('512 of 600')
  http.replies['GET /api/usage'] = {
    body: { ...usage, data: usage.data.map(row => (row.metric === 'apiCalls' ? { ...row, used: 600 } : row)) },
  }
  await rig.shows('600 of 600')
  http.replies['GET /api/usage'] = refusal(503, 'UNAVAILABLE', 'A part is not answering.')
  expect(await rig.shows('A part is not answering.')).toContain('600 of 600')
})

test('asks for nothing that nobody looks at', async () => {
  const { rig, http } = await open('API')
  await rig.shows('512 of 600')
  await rig.type('TOP\r')
  await rig.advance(100)
  // The header says everywhere how many alerts nobody has looked at.
  const asked = () => http.asked.filter(({ path }) => path !== '/api/alerts').length
  const before = asked()
  for (let i = 0; i < 20; i++) await rig.advance(5_000)
  expect(asked()).toBe(before)
})

test('copies a curl line for the selected key', async () => {
  const { rig, http } = await open('API')
  await rig.shows('nightly')
  await rig.type('jy')
  const copied = `curl -H "X-API-Key: cl_live_abcd0002..." "${http.url}/ext-api/v1/creators?limit=10"`
  expect(rig.output()).toContain(Buffer.from(copied).toString('base64'))
})

test('says what the server says to the choice of a plan, and changes nothing without a second Enter', async () => {
  const { rig, http } = await open('BILL', {
    replies: {
      'POST /api/subscription': refusal(501, 'NOT_CONFIGURED', 'Payment is not connected yet, so nothing was changed.'),
    },
  })
  await rig.shows('renews then')
  await rig.type('\r')
  expect(rig.lines().join('\n')).toContain('This is your plan already.')
  await rig.type('l\r')
  expect(rig.lines().join('\n')).toContain('Choose PREMIUM?')
  expect(http.askedFor('POST /api/subscription')).toEqual([])
  await rig.type('\r')
  await rig.shows('Payment is not connected yet, so nothing was changed.')
  expect(http.askedFor('POST /api/subscription')[0]?.body).toEqual({ plan: 'premium' })
})

test('reads the ledger page by page, line by line with reasons', async () => {
  const { rig } = await open('BILL LEDGER')
  const text = await rig.shows('highlights of v122')
  expect(text).toContain('capture')
  expect(text).toContain('page 1  n older')
  await rig.type('n')
  expect(await rig.shows('pro, March 2026')).toContain('+1000')
  expect(rig.lines().join('\n')).toContain('page 2  N newer')
  await rig.type('n')
  expect(rig.lines().join('\n')).toContain('page 2')
  await rig.type('N')
  await rig.shows('highlights of v123')
  await rig.type('t')
  expect(rig.lines()[3]).toContain('1 BILL ')
})

test('changes the password from a form and shows what the server refuses', async () => {
  const { rig, http } = await open('ACCT', {
    replies: {
      'POST /api/auth/password': refusal(403, 'FORBIDDEN', 'The present password is not right: nothing was changed.'),
    },
  })
  await rig.shows('ada@example.com')
  await rig.type('p')
  await rig.type('old password\rnew password\rnew passw\r')
  expect(rig.lines().join('\n')).toContain('The two new passwords are not the same.')
  await rig.type('ord\r')
  await rig.shows('The present password is not right')
  http.replies['POST /api/auth/password'] = { status: 204, body: null }
  await rig.type('\r')
  await rig.shows('The password was changed')
  expect(http.askedFor('POST /api/auth/password')).toHaveLength(2)
  expect(http.askedFor('POST /api/auth/password')[1]?.body).toEqual({
    current_password: 'old password',
    new_password: 'new password',
  })
  expect(rig.lines()[3]).toContain('1 ACCT ')
})

test('renews a token that HTTP refuses, once', async () => {
  const { rig, http } = await open('ACCT', {
    replies: { 'GET /api/auth/user': refusal(401, 'AUTH_REQUIRED', 'The token has ended.') },
  })
  await rig.shows('The token has ended.')
  expect(http.askedFor('GET /api/auth/user')).toHaveLength(2)
})

test('prints hostile names as harmless text', async () => {
  const { rig } = await open('API', {
    replies: { 'GET /api/keys': { body: { data: [key(1, { name: '\u001b]0;owned\u0007evil\u202e' })] } } },
  })
  await rig.shows(' evil ')
  expect(rig.output()).not.toContain('owned')
})

test('says an account in lines to a screen reader, and never a password', async () => {
  const { rig } = await open('ACCT', { env: { isAccessible: true, depth: 0 } })
  for (let i = 0; i < 10; i++) await rig.advance(300)
  expect(rig.output()).toContain('== ACCT')
  await rig.type('p')
  await rig.type('secret word')
  for (let i = 0; i < 3; i++) await rig.advance(300)
  expect(rig.output()).toContain('Present: 11 characters.')
  expect(rig.output()).not.toContain('secret')
})
