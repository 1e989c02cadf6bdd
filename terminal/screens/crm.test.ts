import { expect, test } from 'vitest'
import { type BestTimeCell, BestTimeSchema, CrmPostSchema, PerformanceSchema } from '../../contracts/crm.ts'
import { type HttpRig, refusal } from '../../test/account-rig.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// CRM against a server that answers what the contracts say.

const id = (number: number) => `018f0000-0000-7000-8000-0000000000${String(number).padStart(2, '0')}`
const kpi = (value: number | null, more: object = {}) => ({
  value,
  state: value === null ? 'not_provided' : 'value',
  change: value === null ? null : value / 4,
  changePct: value === null ? null : 25,
  changeState: value === null ? 'not_provided' : 'value',
  observedAt: '2026-03-01T11:50:00.000Z',
  over: [],
  ...more,
})
const kpis = {
  followers: kpi(10_400, { change: 120, changePct: 1.2 }),
  views: kpi(125_000),
  likes: kpi(8_200, { change: -300, changePct: -3.5 }),
  comments: kpi(640, { state: 'partial', change: null, changePct: null, changeState: 'too_few' }),
  shares: kpi(null, { state: 'needs_scope', changeState: 'needs_scope' }),
  saves: kpi(null),
  engagement: kpi(0.071, { change: 0, changePct: 0, over: ['likes', 'comments'] }),
}
const dayAt = (day: number) => new Date(Date.parse('2026-02-22T12:00:00.000Z') + day * 86_400_000).toISOString()
const course = (values: (number | null)[]) =>
  values.map((value, i) => ({ at: dayAt(i + 1), value, state: value === null ? 'stale' : 'value' }))
const account = (number: number, name: string) => ({
  id: id(number),
  platform: number === 1 ? 'youtube' : 'instagram',
  platformAccountId: `UC${number}`,
  name,
  handle: `@${number}`,
  status: 'connected',
  reason: null,
  missingScopes: number === 2 ? ['insights'] : [],
})
const performance = PerformanceSchema.parse({
  period: '7d',
  from: dayAt(0),
  asOf: dayAt(7),
  bucket: '1d',
  total: {
    kpis,
    series: {
      followers: course([10_000, 10_100, 10_150, 10_200, 10_280, 10_300, 10_400]),
      views: course([9_000, 12_000, null, 22_000, 41_000, 24_000, 17_000]),
      likes: course([900, 1_000, 1_100, 1_300, 1_500, 1_200, 1_200]),
      comments: course([null, null, null, 100, 200, 180, 160]),
      shares: course([]),
      saves: course([]),
      engagement: course([0.07, 0.07, 0.07, 0.07, 0.07, 0.07, 0.071]),
    },
  },
  accounts: [
    { account: account(1, "Ada's kitchen"), kpis },
    { account: account(2, 'Ada daily'), kpis: { ...kpis, views: kpi(31_000), saves: kpi(210) } },
  ],
})
const post = (number: number, title: string, more: object = {}) =>
  CrmPostSchema.parse({
    videoId: `youtube:own${number}`,
    accountId: id(1),
    platform: 'youtube',
    kind: 'short',
    title,
    url: `https://www.youtube.com/watch?v=own${number}`,
    thumbnailUrl: '',
    durationSeconds: 60,
    publishedAt: `2026-02-2${8 - number}T12:00:00.000Z`,
    views: 41_000 / number,
    likes: 2_600,
    comments: 190,
    shares: null,
    saves: null,
    engagement: 0.068,
    engagementOver: ['likes', 'comments'],
    outlier: 3.2,
    outlierZ: 2.1,
    ages: [
      { age: 'V1h', views: 900, state: 'value' },
      { age: 'V1', views: 21_000, state: 'value' },
      { age: 'V3', views: null, state: 'pending' },
      { age: 'V7', views: null, state: 'pending' },
      { age: 'V30', views: null, state: 'pending' },
    ],
    observedAt: '2026-03-01T11:50:00.000Z',
    source: 'youtube-own',
    missing: { shares: 'needs_scope', saves: 'not_provided' },
    ...more,
  })
const posts = [
  post(1, 'Knife skills in 40 seconds'),
  post(2, '餃子の作り方 🥟', { outlier: null, missing: { outlier: 'too_few' } }),
]
const cells = Array.from({ length: 168 }, (_, i): BestTimeCell => {
  const [weekday, hour] = [Math.floor(i / 24) + 1, i % 24]
  const count = hour < 8 ? 0 : (weekday * hour) % 5
  return {
    weekday,
    hour,
    posts: count,
    views: count === 0 ? null : 1_000 * hour,
    multiple: count === 0 ? null : ((weekday + hour) % 9) / 3,
  }
})
const times = BestTimeSchema.parse({
  state: 'value',
  timezone: 'Europe/Berlin',
  from: '2025-12-01T00:00:00.000Z',
  asOf: '2026-03-01T12:00:00.000Z',
  posts: 222,
  cells,
})

const replies = (): HttpRig['replies'] => ({
  'GET /api/crm/performance': asked => ({
    body:
      asked.query.accountId === undefined
        ? performance
        : { ...performance, accounts: performance.accounts.filter(row => row.account.id === asked.query.accountId) },
  }),
  'GET /api/crm/posts': asked => ({
    body: asked.query.cursor === 'older' ? { data: [post(3, 'The oldest one')] } : { data: posts, nextCursor: 'older' },
  }),
  'GET /api/crm/best-time': { body: times },
})

function open(startCommand: string, more: ScreenOptions = {}): Promise<ScreenRig> {
  return openScreen(startCommand, { ...more, replies: { ...replies(), ...more.replies } })
}

const sizes = [
  { columns: 80, rows: 24, isAscii: false },
  { columns: 160, rows: 45, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
]

test.each(sizes)('draws CRM at $columns×$rows as in the golden file', async size => {
  const screen = await open('CRM', size)
  await screen.rig.shows('Ada daily')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/crm-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws posts at $columns×$rows as in the golden file', async size => {
  const screen = await open('CRM POSTS', size)
  await screen.rig.shows('Knife')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/crm-posts-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws the heat map at $columns×$rows as in the golden file', async size => {
  const screen = await open('CRM TIMES TZ=Europe/Berlin', size)
  await screen.rig.shows(size.rows > 15 ? 'Best:' : 'Mon 00:00')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/crm-times-${size.columns}x${size.rows}.txt`)
})

test('changes the period, the measure of the chart and the account by keys', async () => {
  const { rig, http } = await open('CRM 7D')
  await rig.shows('Ada daily')
  await rig.type('p')
  expect(rig.lines()[3]).toContain('CRM 30D')
  await rig.shows('Ada daily')
  expect(http.asked.findLast(({ path }) => path.startsWith('/api/crm'))?.query).toEqual({ period: '30d' })
  await rig.type('l')
  expect(rig.lines().join('\n')).toContain('LIKES  each day')
  await rig.type('j\r')
  await rig.shows('This account alone')
  await rig.shows('Ada daily')
  expect(rig.lines().join('\n')).not.toContain('kitchen')
  expect(http.asked.findLast(({ path }) => path.startsWith('/api/crm'))?.query).toEqual({
    period: '30d',
    accountId: id(2),
  })
  await rig.type('\x1b')
  await rig.advance(50)
  await rig.shows('kitchen')
})

test('says why a number is missing instead of a zero', async () => {
  const { rig } = await open('CRM')
  const text = await rig.shows('Ada daily')
  expect(text).toMatch(/~640 +scope +n\/a +7.1%/)
  expect(text).toMatch(/few +scope +n\/a/)
  await rig.type('j')
  expect(rig.lines().join('\n')).toContain('insights was not granted. KEYS')
})

test('goes from numbers to posts to best times, and through pages of posts in any order', async () => {
  const { rig, http } = await open('CRM')
  await rig.shows('Ada daily')
  await rig.type('t')
  expect(await rig.shows('Knife')).toContain('V1h 900  V1 21K  V3 ...')
  await rig.type('n')
  await rig.shows('The oldest one')
  await rig.type('s')
  await rig.shows('Knife')
  expect(http.asked.findLast(({ path }) => path.startsWith('/api/crm'))?.query).toEqual({ sort: 'views', limit: '50' })
  await rig.type('y')
  expect(rig.output()).toContain(Buffer.from('https://www.youtube.com/watch?v=own1').toString('base64'))
  await rig.type('e')
  await rig.advance(50)
  expect([...rig.saved.values()].join()).toContain('Knife skills in 40 seconds')
  await rig.type('t')
  await rig.shows('Mon 00:00: no post.')
})

test('tells about the hour that the arrows lead to, with its sample size', async () => {
  const { rig, http } = await open('CRM TIMES TZ=Europe/Berlin')
  await rig.shows('Mon 00:00: no post.')
  expect(http.asked.findLast(({ path }) => path.startsWith('/api/crm'))?.query).toEqual({ timezone: 'Europe/Berlin' })
  await rig.type(`\x1b[B${'l'.repeat(9)}`)
  expect(rig.lines().join('\n')).toContain(
    'Tue 09:00: median 9K views in 24 hours, 0.67x of what is usual, over 3 posts.',
  )
})

test('says that nothing is linked yet, and what the server refuses', async () => {
  const { rig, http } = await open('CRM', {
    replies: { 'GET /api/crm/performance': { body: { ...performance, accounts: [] } } },
  })
  await rig.shows('KEYS links one')
  http.replies['GET /api/crm/performance'] = refusal(503, 'UNAVAILABLE', 'A part is not answering.')
  await rig.shows('A part is not answering.')
})

test('shows hostile titles of posts as text', async () => {
  const { rig } = await open('CRM POSTS', {
    replies: { 'GET /api/crm/posts': { body: { data: [post(1, '\u001b]0;owned\u0007evil\u202e')] } } },
  })
  await rig.shows(' evil ')
  expect(rig.output()).not.toContain('owned')
})
