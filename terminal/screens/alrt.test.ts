import { expect, test } from 'vitest'
import { refusal } from '../../test/account-rig.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// ALRT, and what an alert does to the rest of the terminal, against a server that answers what the contracts say.

const id = (number: number) => `018f0000-0000-4000-8000-0000000000${String(number).padStart(2, '0')}`
const clipId = 'youtube:dQw4w9WgXcQ'
const rule = {
  measure: { source: 'subject', type: 'clips', id: clipId, metric: 'velocity', period: '24h', platform: 'all' },
  condition: { kind: 'threshold', direction: 'above', value: 10_000, rearm: 8_000 },
  cooldownSeconds: 900,
  channels: { terminal: true, webhook: true, email: false },
}
const entrants = {
  measure: {
    source: 'list',
    type: 'clips',
    platform: 'youtube',
    period: '24h',
    sort: 'gain',
    top: 50,
    metric: 'gain',
    read: 'any',
  },
  condition: { kind: 'entrant', top: 10 },
  cooldownSeconds: 0,
  channels: { terminal: true, webhook: false, email: false },
}
const alert = (number: number, more: object) => ({
  id: id(number),
  name: 'Runaway clip',
  rule,
  version: 3,
  isEnabled: true,
  state: 'armed',
  mutedUntil: null,
  value: 4_321,
  valueAt: '2026-03-01T11:59:00.000Z',
  error: null,
  firedAt: null,
  unseenCount: 0,
  createdAt: '2026-03-01T10:00:00.000Z',
  updatedAt: '2026-03-01T10:00:00.000Z',
  ...more,
})
const alerts = [
  alert(1, { state: 'firing', value: 12_345, firedAt: '2026-03-01T11:30:00.000Z', unseenCount: 2 }),
  alert(2, { name: 'New in the top', rule: entrants, value: 0 }),
  alert(3, { name: 'Views of mine', state: 'error', value: null, error: 'The query has no column m: it has name, n.' }),
  alert(4, { name: 'Asleep', state: 'muted', mutedUntil: '2026-03-01T12:40:00.000Z' }),
  alert(5, { name: 'Not now', state: 'off', isEnabled: false }),
]
const cause = { key: clipId, label: 'A clip of note', value: 12_345.6, before: null, rank: null, type: 'clips' }
const firing = (number: number, more: object = {}) => ({
  id: id(number),
  alertId: id(1),
  name: 'Runaway clip',
  version: 3,
  at: '2026-03-01T11:29:00.000Z',
  firedAt: '2026-03-01T11:30:00.000Z',
  isReplay: false,
  sentence: 'A clip of note: velocity 12,346, above 10,000.',
  value: 12_345.6,
  rows: [cause],
  rowCount: 1,
  isMuted: false,
  seenAt: null,
  deliveries: [
    { channel: 'terminal', status: 'delivered', detail: '' },
    { channel: 'webhook', status: 'failed', detail: 'It answered 500.' },
  ],
  ...more,
})
const trial = {
  from: '2026-02-22T12:00:00.000Z',
  to: '2026-03-01T12:00:00.000Z',
  stepSeconds: 3600,
  steps: 169,
  isCut: false,
  points: Array.from({ length: 169 }, (_, hour) => ({
    at: new Date(Date.parse('2026-02-22T12:00:00.000Z') + hour * 3_600_000).toISOString(),
    value: hour > 80 && hour < 120 ? 12_000 : 3_000,
  })),
  firings: [
    {
      at: '2026-02-25T21:00:00.000Z',
      sentence: 'A clip of note: velocity 12,000, above 10,000.',
      value: 12_000,
      rows: [cause],
      rowCount: 1,
    },
  ],
}

async function open(command = 'ALRT', more: ScreenOptions = {}): Promise<ScreenRig> {
  return await openScreen(command, {
    ...more,
    replies: {
      'GET /api/alerts': { body: { data: alerts, limit: 1000 } },
      [`GET /api/alerts/${id(1)}/firings`]: {
        body: { data: [firing(11), firing(12, { seenAt: '2026-03-01T11:40:00.000Z' })] },
      },
      'POST /api/alerts/firings/seen': { status: 204, body: null },
      'POST /api/alerts': { status: 201, body: alerts[0] },
      'POST /api/alerts/backtest': { body: trial },
      [`POST /api/alerts/${id(1)}/mute`]: { body: alerts[0] },
      [`PUT /api/alerts/${id(1)}`]: { body: alerts[0] },
      [`DELETE /api/alerts/${id(1)}`]: { status: 204, body: null },
      ...more.replies,
    },
  })
}

test.each([
  { columns: 120, rows: 30, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
])('draws ALRT at $columns×$rows as in the golden file', async size => {
  const screen = await open('ALRT', size)
  await screen.rig.shows('Runaway clip')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/alrt-${size.columns}x${size.rows}.txt`)
})

test('switches, mutes and deletes the selected alert, the last of them only when asked twice', async () => {
  const { rig, http } = await open()
  await rig.shows('Runaway clip')
  await rig.type('u')
  await rig.type('m')
  await rig.type('x')
  expect(http.asked.filter(({ method }) => method === 'DELETE')).toEqual([])
  await rig.type('x')
  while (http.askedFor(`DELETE /api/alerts/${id(1)}`).length === 0) await rig.advance(20)
  expect(http.askedFor(`PUT /api/alerts/${id(1)}`)[0]?.body).toMatchObject({
    name: 'Runaway clip',
    rule,
    isEnabled: false,
  })
  expect(http.askedFor(`POST /api/alerts/${id(1)}/mute`)[0]?.body).toEqual({
    until: expect.stringContaining('2026-03-01T13:00:00'),
  })
})

test('shows what an alert told with the rows that caused it, which then counts as seen', async () => {
  const { rig, http } = await open()
  await rig.shows('Runaway clip')
  await rig.type('\r')
  await rig.shows('webhook: It answered 500.')
  expect(http.askedFor('POST /api/alerts/firings/seen')[0]?.body).toEqual({ alertId: id(1) })
  await rig.type('\r')
  const rows = await rig.shows('ROWS THAT CAUSED IT')
  expect(rows).toContain('A clip of note')
  expect(rows).toContain('12,346')
  await rig.type('\r')
  await rig.shows(`${clipId} DES`)
})

test('makes an alert about a subject, with what the command says filled in', async () => {
  const { rig, http } = await open(`${clipId} ALRT GAIN 7D ABOVE=10k`)
  await rig.shows('A new alert')
  // From the value on: window, level to be armed at, rest, channels, name.
  await rig.type('\t\t8k\t\t\t\r')
  await rig.shows('The alert is on.')
  expect(http.askedFor('POST /api/alerts')[0]?.body).toMatchObject({
    name: `${clipId} gain above 10000`,
    isEnabled: true,
    rule: {
      measure: { source: 'subject', type: 'clips', id: clipId, metric: 'gain', period: '7d' },
      condition: { kind: 'threshold', direction: 'above', value: 10_000, rearm: 8_000 },
      cooldownSeconds: 900,
      channels: { terminal: true, webhook: false, email: false },
    },
  })
})

test('asks for other fields about a list, and finds a creator by name before it saves', async () => {
  const { rig, http } = await open('ALRT NEW LIST="CREATORS 7D YT"', {
    replies: { 'GET /api/creators': { body: { data: [{ creatorId: 'youtube:UCabc' }] } } },
  })
  const list = await rig.shows('Among the first')
  expect(list).toContain('TOP CREATORS 7D YT')
  expect(list).not.toContain('Measure')
  await rig.type('\t\t\t\t\t\r')
  await rig.shows('The alert is on.')
  expect(http.askedFor('POST /api/alerts')[0]?.body).toMatchObject({
    rule: {
      measure: { source: 'list', type: 'creators', platform: 'youtube', period: '7d' },
      condition: { kind: 'entrant', top: 10 },
    },
  })
  await rig.type('n')
  await rig.shows('A new alert')
  await rig.type('mrbeast\t\t\t500\t\t\t\t\t\r')
  while (http.askedFor('POST /api/alerts').length < 2) await rig.advance(20)
  expect(http.askedFor('GET /api/creators')[0]?.query).toEqual({ search: 'mrbeast', limit: '1' })
  expect(http.askedFor('POST /api/alerts')[1]?.body).toMatchObject({
    rule: { measure: { type: 'creators', id: 'youtube:UCabc', metric: 'velocity' } },
  })
})

test('keeps what was typed when the server refuses it', async () => {
  const { rig } = await open(`${clipId} ALRT ABOVE=5`, {
    replies: { 'POST /api/alerts': refusal(409, 'CONFLICT', 'You have 10 alerts, the most that your plan allows.') },
  })
  await rig.shows('A new alert')
  await rig.type('\t\t\t\t\t\r')
  const shown = await rig.shows('the most that your plan allows')
  expect(shown).toContain(clipId)
})

test('tries a rule on the past: its course with marks, and what it would have told', async () => {
  const screen = await open('ALRT', { columns: 120, rows: 30 })
  const { rig, http } = screen
  await rig.shows('Runaway clip')
  await rig.type('b')
  const shown = await rig.shows('1 firing')
  expect(http.askedFor('POST /api/alerts/backtest')[0]?.body).toEqual({ rule })
  expect(shown).toContain('2026-02-25 21:00')
  // The tape above has arrows of its own.
  expect(rig.lines().slice(3).join().match(/▲/g)).toHaveLength(1)
  await expect(steadyScreen(screen)).toMatchFileSnapshot('__snapshots__/alrt-try-120x30.txt')
  await rig.type('\x1b')
  await rig.advance(100)
  await rig.shows('Views of mine')
})

test('flashes and rings wherever one is, and says how many nobody has looked at', async () => {
  const { rig } = await open('TOP', { columns: 120, env: { isReducedMotion: false } })
  await rig.shows('! 2 ALERTS')
  const fired = { ...firing(11), sentence: 'A clip\u001b[2J of note: velocity 12,346, above 10,000.' }
  rig.server.push({ type: 'event', topic: 'alert.fired', payload: fired })
  await rig.advance(50)
  expect(rig.lines()[0]).toContain('! ALERT  A clip of note: velocity 12,346, above 10,000. (Runaway clip)')
  expect(rig.output()).toContain('\u0007')
  await rig.advance(4_000)
  expect(rig.lines()[0]).toContain('! 2 ALERTS')
  expect(rig.lines().at(-1)).toContain('A clip of note: velocity 12,346')
})

test('is quiet when told to be, and moves nothing where motion is reduced', async () => {
  const { rig } = await open('TOP', { columns: 120, env: { isReducedMotion: true } })
  await rig.shows('! 2 ALERTS')
  const before = rig.output().split('\u0007').length
  rig.server.push({ type: 'event', topic: 'alert.fired', payload: firing(11) })
  await rig.advance(50)
  expect(rig.lines()[0]).toContain('CLIPTAPE')
  expect(rig.output().split('\u0007').length).toBe(before + 1)
  await rig.type('BELL NOTIFY\r')
  rig.server.push({ type: 'event', topic: 'alert.fired', payload: firing(11) })
  await rig.advance(50)
  expect(rig.output()).toContain('\u001b]9;A clip of note: velocity 12,346, above 10,000. (Runaway clip)\u0007')
  await rig.type('BELL OFF\r')
  const quiet = rig.output().split('\u0007').length
  rig.server.push({ type: 'event', topic: 'alert.fired', payload: firing(11) })
  await rig.advance(50)
  expect(rig.output().split('\u0007').length).toBe(quiet)
  expect(rig.lines().at(-1)).toContain('Runaway clip')
  expect(rig.preferences.saved?.bell).toBe('off')
})
