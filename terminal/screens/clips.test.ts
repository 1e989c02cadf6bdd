import { expect, test } from 'vitest'
import { refusal } from '../../test/account-rig.ts'
import { mediaRow } from '../../test/media-rows.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// CLIPS against a server that answers what the contracts say.

const id = (number: number) => `018f0000-0000-7000-8000-0000000000${String(number).padStart(2, '0')}`
const sample = mediaRow(7)
const own = sample.vodId
const options = { mode: 'exact', crop: null, isAudioOnly: false, container: 'mp4' }
const clip = (number: number, more: object) => ({
  requestId: id(number),
  vodId: own,
  startTime: 11.2,
  endTime: 21.7,
  options,
  status: 'ready',
  progress: 1,
  estimatedCompletion: null,
  createdAt: `2026-03-01T11:${50 - number}:00.000Z`,
  credits: 1,
  expiresAt: '2026-03-08T11:50:00.000Z',
  ...more,
})
const result = {
  tier: 'smart',
  requested: { startSec: 11.2, endSec: 21.7 },
  actual: { startSec: 11.2, endSec: 21.7 },
  frameCount: 315,
  encodedFrameCount: 48,
  container: 'mp4',
  contentType: 'video/mp4',
  bytes: 4_210_000,
  bytesRead: 5_000_000,
  avOffsetMs: 0,
  cpuSec: 1.9,
  notes: [],
}
const ready = clip(1, { result, bytes: 4_210_000 })
const running = clip(2, { status: 'processing', progress: 0.42, startTime: 3661, endTime: 3691, expiresAt: null })
const waiting = clip(3, { status: 'pending', progress: 0, options: { ...options, isAudioOnly: true }, expiresAt: null })
const failed = clip(4, { status: 'error', reason: 'The address does not answer: 404.', expiresAt: null })
const gone = clip(5, { result, bytes: 4_210_000, expiresAt: '2026-03-01T10:00:00.000Z' })
const storage = { usedBytes: 8_420_000, limitBytes: 5_000_000_000 }
const page = (...data: readonly object[]) => ({ body: { data, storage } })

const link = (more: object = {}) => ({
  body: {
    url: '/api/media/files/1?expires=1&key=2&signature=abc',
    expiresAt: '2026-03-01T12:15:00.000Z',
    fileName: 'sample 00-11.mp4',
    bytes: 12,
    fileExpiresAt: null,
    ...more,
  },
})

async function open(more: ScreenOptions = {}): Promise<ScreenRig> {
  const screen = await openScreen('CLIPS', {
    ...more,
    replies: {
      'GET /api/clips/requests': page(ready, running, waiting, failed, gone),
      'GET /api/vods': { body: { data: [sample] } },
      [`GET /api/clips/download/${id(1)}`]: link(),
      ...more.replies,
    },
  })
  await screen.rig.shows('The sample')
  return screen
}

test.each([
  { columns: 80, rows: 24, isAscii: false },
  { columns: 220, rows: 24, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
])('draws CLIPS at $columns×$rows as in the golden file', async size => {
  const screen = await open(size)
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/clips-${size.columns}x${size.rows}.txt`)
})

test('follows a clip that is being cut twice a second until it is ready', async () => {
  const { rig, http } = await open({ replies: { 'GET /api/clips/requests': page(running) } })
  await rig.shows('42%')
  http.replies['GET /api/clips/requests'] = page({ ...running, progress: 0.99 })
  await rig.advance(500)
  await rig.shows('99%')
  http.replies['GET /api/clips/requests'] = page({ ...running, status: 'ready', progress: 1, result })
  await rig.advance(500)
  await rig.shows('● ready')
  const asked = http.askedFor('GET /api/clips/requests').length
  await rig.advance(2_000)
  expect(http.askedFor('GET /api/clips/requests')).toHaveLength(asked)
})

test('says of the selected clip what was made, or why there is none', async () => {
  const { rig } = await open()
  await rig.shows('315 frames, 48 encoded anew')
  await rig.type('jjj')
  await rig.shows('! The address does not answer: 404.')
  await rig.type('d')
  await rig.shows('There is no clip: The address does not answer: 404.')
  await rig.type('j')
  await rig.shows('The file has expired: c cuts it again.')
})

test('downloads a clip that is ready under a name in the folder itself, without a token', async () => {
  const { rig, http } = await open({
    replies: {
      [`GET /api/clips/download/${id(1)}`]: link({ fileName: '../../.sample\u0000 00:11.mp4' }),
      'GET /api/media/files/1': { body: Buffer.from('twelve bytes') },
    },
  })
  await rig.type('d')
  await rig.shows('Saved 12 B to ')
  expect([...rig.saved]).toEqual([['sample 00-11.mp4', 'twelve bytes']])
  const [file] = http.askedFor('GET /api/media/files/1')
  expect(file).toMatchObject({ token: null, query: { expires: '1', key: '2', signature: 'abc' } })
})

test('saves nothing of a file that breaks off, and says what the server says of a link that has ended', async () => {
  const { rig, http } = await open({
    replies: { 'GET /api/media/files/1': { body: Buffer.from('six of') } },
  })
  await rig.type('d')
  await rig.shows('was not saved: 6 B of 12 B came.')
  expect([...rig.saved]).toEqual([])
  http.replies['GET /api/media/files/1'] = refusal(410, 'GONE', 'This link has ended: ask for a new one.')
  await rig.type('d')
  await rig.shows('This link has ended: ask for a new one.')
  http.replies[`GET /api/clips/download/${id(1)}`] = refusal(410, 'GONE', 'The file of this clip has expired.')
  await rig.type('d')
  await rig.shows('The file of this clip has expired.')
})

test('opens a fresh link in the browser, copies one without printing it, and opens nothing but web addresses', async () => {
  const { rig, http, opened } = await open()
  const url = `${http.url}/api/media/files/1?expires=1&key=2&signature=abc`
  await rig.type('o')
  while (opened.length === 0) await rig.settle()
  expect(opened).toEqual([url])
  await rig.type('l')
  expect(await rig.shows('Copied the link')).not.toContain('signature')
  expect(rig.output()).toContain(`\x1b]52;c;${Buffer.from(url).toString('base64')}`)
  http.replies[`GET /api/clips/download/${id(1)}`] = link({ url: 'file:///etc/passwd' })
  await rig.type('o')
  await rig.shows('No browser can be opened here')
  expect(opened).toHaveLength(1)
  expect(http.askedFor(`GET /api/clips/download/${id(1)}`)).toHaveLength(3)
})

test('cancels or deletes at the second press alone, and the row that was meant', async () => {
  const { rig, http } = await open({
    replies: { [`DELETE /api/clips/requests/${id(2)}`]: { status: 204, body: null } },
  })
  await rig.type('jx')
  await rig.shows('Cancel it? x again cancels')
  http.replies['GET /api/clips/requests'] = page(clip(9, {}), ready, running)
  await rig.advance(500)
  await rig.shows(/exact[\s\S]*smart/)
  await rig.type('x')
  while (http.askedFor(`DELETE /api/clips/requests/${id(2)}`).length === 0) await rig.settle()
  await rig.type('kx')
  await rig.shows('Delete it? x again deletes')
  await rig.type('\x1b')
  await rig.advance(50)
  expect(rig.lines().join('\n')).not.toContain('Delete it?')
  expect(http.asked.filter(({ method }) => method === 'DELETE')).toHaveLength(1)
})

test('goes back to CUT, and says what to do where there are no clips', async () => {
  const { rig, http } = await open()
  await rig.type('c')
  await rig.shows(`${own} CUT`)
  http.replies['GET /api/clips/requests'] = page()
  await rig.type(':CLIPS\r')
  await rig.shows('No clips yet')
  await rig.shows('8.42 MB of 5 GB used')
})

test('marks clips of videos that trend, and shows hostile texts as text', async () => {
  const trending = { level: 'breakout', why: ['five times as fast as usual'] }
  const hostile = '\u001b]0;owned\u0007evil\u202e'
  const { rig } = await open({
    replies: {
      'GET /api/clips/requests': page(
        { ...ready, trending },
        { ...failed, reason: hostile, vodId: `youtube:${hostile}`, trending: null },
      ),
    },
  })
  await rig.shows(/HOT[\s\S]* ▲▲▲ /)
  await rig.type('j')
  await rig.shows('! evil')
  expect(rig.output()).not.toContain('owned')
})
