import { expect, test } from 'vitest'
import { type HttpRig, refusal } from '../../test/account-rig.ts'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'

// FIND and VOD against a server that answers what the contracts say.

const creator = (number: number, name: string, more: object = {}) => ({
  creatorId: `youtube:UC${String(number).padStart(22, '0')}`,
  platform: 'youtube',
  name,
  handle: `@creator${number}`,
  followers: 1_000_000 * number,
  videos: 40 - number,
  lastSeenAt: '2017-11-14T03:30:00.000Z',
  monitored: false,
  ...more,
})
const gordon = creator(1, 'Gordon Ramsay')
const creators = [
  gordon,
  creator(2, '大食い TV 🍜', { monitored: true }),
  creator(3, 'No numbers', { platform: 'tiktok', followers: null, lastSeenAt: null, handle: '' }),
]
const vod = (number: number, title: string, more: object = {}) => ({
  vodId: `youtube:vod${number}`,
  title,
  publishedAt: `2017-11-1${number}T18:30:00.000Z`,
  duration: 600 * number + 5,
  thumbnailUrl: `https://i.ytimg.com/vi/vod${number}/default.jpg`,
  kind: 'video',
  source: 'attachable',
  ...more,
})
const vods = [vod(3, 'Beef Wellington', { source: 'attached' }), vod(1, '', { publishedAt: null, duration: null })]
const gordonPath = `/api/creators/${encodeURIComponent(gordon.creatorId)}`
const monitorPath = `/api/creators/monitor/${encodeURIComponent(gordon.creatorId)}`

const replies = (): HttpRig['replies'] => ({
  'GET /api/creators': asked => ({
    body: {
      data: creators.filter(
        each =>
          each.name.toLowerCase().includes(asked.query.search ?? '') &&
          (asked.query.monitored === undefined || each.monitored),
      ),
    },
  }),
  [`GET ${gordonPath}`]: { body: { data: gordon } },
  [`GET ${gordonPath}/vods`]: asked => ({
    body: asked.query.cursor === 'older' ? { data: [vod(0, 'The first one')] } : { data: vods, nextCursor: 'older' },
  }),
})

function open(startCommand: string, more: ScreenOptions = {}): Promise<ScreenRig> {
  return openScreen(startCommand, { ...more, replies: { ...replies(), ...more.replies } })
}

const sizes = [
  { columns: 80, rows: 24, isAscii: false },
  { columns: 160, rows: 30, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
]

test.each(sizes)('draws FIND at $columns×$rows as in the golden file', async size => {
  const screen = await open('FIND', size)
  await screen.rig.shows('No numbers')
  // A linked pane follows what is chosen, whether the list came before it looked or after.
  await screen.rig.type('jk')
  if (size.columns >= 160) await screen.rig.shows(/UC\S+ GP VIEWS/)
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/find-${size.columns}x${size.rows}.txt`)
})

test.each(sizes)('draws VOD at $columns×$rows as in the golden file', async size => {
  const screen = await open(`${gordon.creatorId} VOD`, size)
  await screen.rig.shows('Beef')
  await screen.rig.shows('1M followers')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/vod-${size.columns}x${size.rows}.txt`)
})

test('searches while one types, and lists those that are watched', async () => {
  const { rig, http } = await open('FIND')
  await rig.shows('No numbers')
  await rig.type('/gordon')
  await rig.shows('Gordon Ramsay')
  expect(rig.lines().join('\n')).not.toContain('No numbers')
  await rig.type('\r')
  expect(rig.lines()[3]).toContain('FIND "gordon"')
  await rig.type('t')
  await rig.shows('You watch no creator that fits')
  expect(http.asked.at(-1)?.query).toEqual({ limit: '50', search: 'gordon', monitored: 'true' })
  await rig.type('FIND WATCHED YT\r')
  expect(await rig.shows('大食い TV')).not.toContain('Gordon Ramsay')
  expect(http.asked.at(-1)?.query).toEqual({ limit: '50', platform: 'youtube', monitored: 'true' })
})

test('watches the selected creator and stops watching it', async () => {
  const { rig, http } = await open('FIND gordon', {
    replies: {
      'POST /api/creators/monitor': { status: 201, body: { creator: { ...gordon, monitored: true }, isNew: true } },
      [`DELETE ${monitorPath}`]: { status: 204, body: null },
    },
  })
  await rig.shows('Gordon Ramsay')
  http.replies['GET /api/creators'] = { body: { data: [{ ...gordon, monitored: true }] } }
  await rig.type('w')
  await rig.shows('Gordon Ramsay is watched from now on.')
  expect(http.askedFor('POST /api/creators/monitor')[0]?.body).toEqual({ creator: gordon.creatorId })
  await rig.shows('● Gordon')
  http.replies['GET /api/creators'] = { body: { data: [gordon] } }
  await rig.type('w')
  await rig.shows('This creator is not watched any more.')
  await rig.shows(/ {2}Gordon Ramsay/)
})

test('watches a creator by its address and keeps what was typed when that is refused', async () => {
  const { rig, http } = await open('FIND', {
    replies: { 'POST /api/creators/monitor': refusal(400, 'BAD_REQUEST', 'Say on which platform @ada is.') },
  })
  await rig.shows('No numbers')
  await rig.type('a@ada\r\r')
  expect(await rig.shows('Say on which platform @ada is.')).toContain('[@ada')
  expect(http.askedFor('POST /api/creators/monitor')[0]?.body).toEqual({ creator: '@ada' })
  await rig.type('\x1b[C\x1b[C')
  http.replies['POST /api/creators/monitor'] = { body: { creator: creator(9, 'Ada'), isNew: false } }
  await rig.type('\r')
  await rig.shows('You watched Ada already.')
  expect(http.askedFor('POST /api/creators/monitor').at(-1)?.body).toEqual({ creator: '@ada', platform: 'tiktok' })
})

test('goes from a creator to its videos, page by page, and to the description of one', async () => {
  const { rig } = await open('FIND gordon')
  await rig.shows('Gordon Ramsay')
  await rig.type('o')
  await rig.shows('Beef Wellington')
  await rig.type('n')
  await rig.shows('The first one')
  await rig.type('N')
  await rig.shows('Beef Wellington')
  await rig.type('\r')
  await rig.shows('youtube:vod3 DES')
})

test('marks the videos that trend where the plan has it, and opens the selected one in CUT', async () => {
  const { rig, http } = await open(`${gordon.creatorId} VOD`)
  expect(await rig.shows('Beef Wellington')).not.toContain('HOT')
  const trending = { level: 'hot', why: ['2.4x as fast as usual'] }
  http.replies[`GET ${gordonPath}/vods`] = {
    body: {
      data: [
        { ...vods[0], trending },
        { ...vods[1], trending: null },
      ],
    },
  }
  await rig.advance(30_000)
  await rig.shows(/HOT[\s\S]* ▲▲ /)
  await rig.type('x')
  await rig.shows('youtube:vod3 CUT')
  await rig.shows('M attaches a file')
})

test('finds the creator whose videos are asked for by name, before the function or after it', async () => {
  const { rig } = await open('VOD @gordon')
  await rig.shows('Beef Wellington')
  await rig.type('TOP\r')
  await rig.shows('CLIPS')
  await rig.type('@gordon VOD\r')
  await rig.shows('Beef Wellington')
  await rig.type('#minecraft VOD\r')
  await rig.shows('VOD of whom?')
})

test('shows hostile names and titles as text', async () => {
  const hostile = '\u001b]0;owned\u0007evil\u202e'
  const { rig, http } = await open('FIND', {
    replies: { 'GET /api/creators': { body: { data: [creator(1, hostile)] } } },
  })
  await rig.shows(' evil ')
  http.replies[`GET ${gordonPath}/vods`] = { body: { data: [vod(1, hostile)] } }
  await rig.type('o')
  await rig.shows(/LENGTH[\s\S]* evil /)
  expect(rig.output()).not.toContain('owned')
})
