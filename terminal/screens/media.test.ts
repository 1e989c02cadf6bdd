import { expect, test } from 'vitest'
import { refusal } from '../../test/account-rig.ts'
import { mediaRow } from '../../test/media-rows.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// MEDIA against a server that answers what the contracts say.

const sample = mediaRow(2)
const talk = mediaRow(1, {
  title: '',
  sourceKind: 'upload',
  sourceLabel: 'talk.mp3',
  duration: 3723,
  bytes: null,
  media: { ...sample.media, video: null },
  expiresAt: '2026-03-08T11:51:00.000Z',
})

async function open(more: ScreenOptions = {}): Promise<ScreenRig> {
  const screen = await openScreen('MEDIA', {
    ...more,
    replies: {
      'GET /api/vods': { body: { data: [sample, talk] } },
      [`GET /api/vods/${encodeURIComponent(sample.vodId)}`]: { body: sample },
      ...more.replies,
    },
  })
  await screen.rig.shows(/MEDIA[\s\S]*(LENGTH|No media yet)/)
  return screen
}

test.each<ScreenOptions & { columns: number; rows: number }>([
  { columns: 80, rows: 24, isAscii: false },
  { columns: 220, rows: 24, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
])('draws MEDIA at $columns×$rows as in the golden file', async size => {
  const screen = await open(size)
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/media-${size.columns}x${size.rows}.txt`)
})

test('registers a file, keeps what was typed through a refusal, and opens it in CUT', async () => {
  const { rig, http } = await open({
    replies: {
      'GET /api/vods': { body: { data: [] } },
      'POST /api/vods': refusal(400, 'BAD_REQUEST', 'There is no file /tmp/sampel.mp4 here.'),
    },
  })
  await rig.type('a\r')
  await rig.shows('Type the path of a file')
  await rig.type(' /tmp/sampel.mp4\r')
  expect(await rig.shows('There is no file /tmp/sampel.mp4 here.')).toContain('/tmp/sampel.mp4')
  expect(http.askedFor('POST /api/vods').map(({ body }) => body)).toEqual([{ source: '/tmp/sampel.mp4' }])
  http.replies['POST /api/vods'] = { status: 201, body: sample }
  await rig.type('\r')
  await rig.shows(`${sample.vodId} CUT`)
  await rig.shows('The sample')
})

test('opens the selected media in CUT', async () => {
  const { rig } = await open()
  await rig.type('j\r')
  await rig.shows(`${talk.vodId} CUT`)
})

test('removes at the second press alone, and says what stays', async () => {
  const path = `/api/vods/${encodeURIComponent(talk.vodId)}`
  const { rig, http } = await open({ replies: { [`DELETE ${path}`]: { status: 204, body: null } } })
  await rig.type('jD')
  await rig.shows('D again removes; your file stays.')
  await rig.type('kjD')
  expect(http.asked.filter(({ method }) => method === 'DELETE')).toEqual([])
  http.replies['GET /api/vods'] = { body: { data: [sample] } }
  await rig.type('D')
  while (rig.lines().join('\n').includes('talk.mp3')) await rig.advance(20)
  expect(http.askedFor(`DELETE ${path}`)).toHaveLength(1)
})

test('shows hostile names as text', async () => {
  const hostile = '\u001b]0;owned\u0007evil\u202e'
  const { rig } = await open({ replies: { 'GET /api/vods': { body: { data: [mediaRow(1, { title: hostile })] } } } })
  await rig.shows(' evil ')
  expect(rig.output()).not.toContain('owned')
})
