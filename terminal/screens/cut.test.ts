import { expect, test } from 'vitest'
import { writePictureHead } from '../../contracts/pictures.ts'
import type { Timeline } from '../../contracts/timeline.ts'
import { type Asked, refusal } from '../../test/account-rig.ts'
import { mediaRow } from '../../test/media-rows.ts'
import { openScreen, type ScreenOptions, type ScreenRig } from '../../test/screen-rig.ts'

// CUT against a server that answers what the contracts say.

const sample = mediaRow(1)
const path = `/api/vods/${encodeURIComponent(sample.vodId)}`
const jobId = '018f0000-0000-7000-8000-000000000001'
const price = { type: 'video/clips', vodId: sample.vodId, cpuSeconds: 2.4, credits: 1, isStored: false }
const job = {
  jobId,
  type: 'timeline/analyze',
  input: { vodId: sample.vodId },
  params: {},
  status: 'running',
  progress: 0.3,
  estimatedCompletion: null,
  credits: 1,
  estimateCpuSeconds: 1,
  actualCpuSeconds: null,
  error: null,
  createdAt: '2026-03-01T11:59:00.000Z',
  finishedAt: null,
  expiresAt: null,
}
const timeline: Timeline = {
  version: 1,
  level: 'keyframes',
  durationSec: 60,
  energy: { stepSec: 1, dbfs: Array.from({ length: 60 }, () => -20), silentBelowDbfs: -50 },
  speech: null,
  silences: [{ startSec: 10, endSec: 12 }],
  peaks: { stepSec: 30, minMax: [-100, 100, -50, 50] },
  keyframes: [0, 30],
  cuts: [{ atSec: 20, fromSec: 19.96, score: 0.5 }],
  thumbnails: null,
  moments: [{ startSec: 20, endSec: 32.5, peakSec: 25, score: 0.87, parts: [], why: 'A burst of sound after a cut.' }],
}

/** As many grey pictures as were asked for. */
function pictures({ query }: Asked) {
  const count = Number(query.cells ?? 1)
  const pixels = Buffer.alloc(Number(query.widthPx) * Number(query.heightPx) * 3, 128)
  const records = Array.from({ length: count }, (_, index) => [writePictureHead({ index, atSec: index }), pixels])
  return { body: Buffer.concat(records.flat()) }
}

async function open(more: ScreenOptions = {}): Promise<ScreenRig> {
  const screen = await openScreen(`${sample.vodId} CUT`, {
    ...more,
    replies: {
      [`GET ${path}`]: { body: sample },
      [`GET ${path}/filmstrip`]: pictures,
      [`GET ${path}/pictures`]: pictures,
      ...more.replies,
    },
  })
  return screen
}

test('marks by keys and timecodes, says what the clip costs, and has it cut at the second Enter', async () => {
  const { rig, http } = await open({
    replies: {
      'POST /api/media/estimate': { body: price },
      'POST /api/clips/request': {
        status: 202,
        body: { requestId: jobId, status: 'pending', estimatedCompletion: null, credits: 1 },
      },
    },
  })
  await rig.shows('The sample')
  await rig.type('\r')
  await rig.shows('Mark the beginning with i')
  await rig.type('t0:11.2\r')
  await rig.shows('00:00:11.200')
  await rig.type('i')
  // A second on, and a frame of 25 a second.
  await rig.type('\x1b[1;2C\x1b[C')
  await rig.type('o')
  await rig.shows('1.040 s marked')
  await rig.type('\r')
  await rig.shows('About 2 s of work, 1 credit. Enter again cuts')
  expect(http.askedFor('POST /api/clips/request')).toEqual([])
  await rig.type('\r')
  await rig.shows('The clip is being cut')
  const request = { vodId: sample.vodId, startTime: 11.2, mode: 'exact' }
  expect(http.askedFor('POST /api/clips/request').map(({ body }) => body)).toEqual([
    expect.objectContaining({ ...request, endTime: expect.closeTo(12.24) }),
  ])
  await rig.shows(/IN 00:11\.200[\s\S]*OUT 00:12\.240/)
  await rig.type('u')
  await rig.shows('OUT not marked')
})

test('asks for the price again when a mark has moved since', async () => {
  const { rig, http } = await open({ replies: { 'POST /api/media/estimate': { body: price } } })
  await rig.shows('The sample')
  await rig.type('i\x1b[1;2Co\r')
  await rig.shows('Enter again cuts')
  await rig.type('\x1b[Co')
  await rig.type('\r')
  await rig.shows('Enter again cuts')
  expect(http.askedFor('POST /api/media/estimate')).toHaveLength(2)
  expect(http.askedFor('POST /api/clips/request')).toEqual([])
})

test('shows how far the analysis is, fills in what it found, and marks a moment with its reason', async () => {
  const { rig, http } = await open({
    columns: 120,
    rows: 40,
    replies: {
      'POST /api/media/jobs': { status: 202, body: job },
      [`GET /api/media/jobs/${jobId}`]: { body: job },
      [`GET /api/media/jobs/${jobId}/outputs`]: {
        body: { jobId, type: 'timeline/analyze', result: timeline, files: [] },
      },
    },
  })
  await rig.shows('The sample')
  await rig.type('n')
  await rig.shows('There are no suggested moments yet')
  await rig.type('t5\ri')
  await rig.type('a')
  await rig.shows('analysing: 30 %')
  http.replies[`GET /api/media/jobs/${jobId}`] = { body: { ...job, status: 'done', progress: 1 } }
  await rig.advance(500)
  await rig.shows('One suggested moment: n marks it')
  // What was marked before stays.
  await rig.shows('IN 00:00:05.000')
  await rig.type('n')
  await rig.shows('87 of 100: A burst of sound after a cut.')
  await rig.shows('12.500 s marked')
  await rig.type('{')
  await rig.shows('HERE 00:00:12.000')
  await rig.type(']')
  await rig.shows('HERE 00:00:20.000')
})

test('offers to attach media where a video has none, and keeps what was typed through a refusal', async () => {
  const { rig, http } = await open({
    replies: {
      [`GET ${path}`]: refusal(404, 'NOT_FOUND', 'There is no media of this video.'),
      [`POST ${path}/source`]: refusal(400, 'BAD_REQUEST', 'This is no media: /tmp/notes.txt.'),
    },
  })
  await rig.shows('There is no media of this video. M attaches a file')
  await rig.type('M')
  await rig.shows('Attach media that you may use')
  await rig.type('/tmp/notes.txt\r')
  expect(await rig.shows('This is no media')).toContain('[/tmp/notes.txt')
  http.replies[`POST ${path}/source`] = { body: sample }
  http.replies[`GET ${path}`] = { body: sample }
  await rig.type('\r')
  await rig.shows('The media is attached.')
  await rig.shows('of 1:00')
})

test.each([
  { columns: 60, rows: 15, isAscii: true },
  { columns: 80, rows: 24 },
  { columns: 200, rows: 60 },
])('shows pictures at $columns×$rows, and says why where they cannot be decoded', async size => {
  const { rig, http } = await open(size)
  await rig.shows('The sample')
  await rig.shows(size.isAscii ? '=====' : '▀▀▀▀▀')
  const error = refusal(409, 'SOURCE_GONE', 'The file is not where it was.')
  http.replies[`GET ${path}/filmstrip`] = error
  http.replies[`GET ${path}/pictures`] = error
  await rig.type('t30\r+')
  await rig.shows('The file is not where it was.')
})

test('takes back what a capital letter did when the next one shows that a command is typed', async () => {
  const { rig } = await open()
  await rig.shows('The sample')
  await rig.type('GG')
  await rig.shows('00:01:00.000')
  await rig.type('0g')
  await rig.shows('00:00:00.000')
  // G goes to the end and P does nothing here; M opens a form, L goes a second on, C leaves for the list of clips.
  for (const name of ['GP', 'MEDIA', 'LOGOUT', 'CLIPS']) {
    await rig.type(name)
    await rig.shows(`> ${name}`)
    // What was there is asked for again where its screen had been left.
    expect(await rig.shows('00:00:00.000')).not.toContain('Attach media')
    await rig.type('\x1b')
    await rig.advance(50)
    expect(rig.lines().join('\n')).not.toContain(`> ${name}`)
  }
})

test.each([
  [60, 'The sample  00:00:01.000  1.000 s marked', 'from a keyframe'],
  [100, 'The sample  00:00:01.000  1.000 s', 'sound, keyframe'],
])(
  'in a window of %i columns the head says where one is, what is marked and how it is cut',
  async (columns, left, right) => {
    const { rig } = await open({ columns, rows: 24 })
    await rig.shows('The sample')
    await rig.type('i\x1b[1;2Com')
    if (columns === 100) await rig.type('d')
    const [head = ''] = (await rig.shows('1.000 s')).split('\n').filter(line => line.includes('00:00:01.000'))
    expect(head).toContain(left)
    expect(head).toContain(right)
  },
)

test('sends pictures as images to a terminal that says it shows them, beside unharmed text, and takes them away again', async () => {
  const { rig } = await open({ columns: 120, rows: 40, asksForImages: true })
  await rig.shows('The sample')
  await rig.shows('▀▀▀▀')
  expect(rig.output()).toContain('\x1b[>0q')
  const cells = (lines: readonly string[]) => lines.map(line => line.replace(/▀|\u{10eeee}\p{M}*/gu, '#'))
  const drawn = cells(rig.lines())
  await rig.type('\x1bP>|kitty(0.35.2)\x1b\\')
  await rig.shows('\u{10eeee}\u0305\u0305\u{10eeee}')
  await rig.advance(1000)
  // The first line has the clock.
  expect(cells(rig.lines()).slice(1)).toEqual(drawn.slice(1))
  const numbersOf = (pattern: RegExp) => [...rig.output().matchAll(pattern)].map(([, number]) => number).toSorted()
  const sent = () => numbersOf(/a=T,U=1,q=2,i=(\d+),/g)
  const deleted = () => numbersOf(/a=d,d=I,q=2,i=(\d+)/g)
  expect(new Set(sent()).size).toBe(sent().length)
  await rig.type(':PICTURES BLOCKS\r')
  await rig.shows('▀▀▀▀')
  expect(deleted()).toEqual(sent())
  expect(rig.preferences.saved?.pictures).toBe('blocks')
  await rig.type(':PICTURES KITTY\r')
  await rig.shows('\u{10eeee}\u0305\u0305\u{10eeee}')
  expect(deleted()).not.toEqual(sent())
  await rig.type(':HELP\r')
  await rig.advance(100)
  expect(deleted()).toEqual(sent())
})
