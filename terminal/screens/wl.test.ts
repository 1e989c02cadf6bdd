import { expect, test } from 'vitest'
import { openScreen, type ScreenOptions, type ScreenRig, steadyScreen } from '../../test/screen-rig.ts'
import { seededServer, seededTrends } from '../../test/terminal-rig.ts'

// WL against a server that answers what the contracts say; its rows come from the live channel.

const id = (number: number) => `018f0000-0000-4000-8000-0000000000${String(number).padStart(2, '0')}`
const list = (number: number, name: string, itemCount: number) => ({
  id: id(number),
  name,
  columns: ['platform', 'views', 'gain', 'velocity', 'note'],
  period: '24h',
  version: 4,
  createdAt: '2026-03-01T10:00:00.000Z',
  updatedAt: '2026-03-01T10:00:00.000Z',
  itemCount,
})
const lists = [list(1, 'Clip desk', 3), list(2, 'Games', 1)]
const watched = seededTrends(3).map(({ rank: _rank, rankChange: _change, ...row }, index) => ({
  ...row,
  key: `clips ${row.key}`,
  type: 'clips',
  id: row.key,
  note: index === 1 ? 'ask her' : '',
}))

async function open(command = 'WL', more: ScreenOptions = {}): Promise<ScreenRig> {
  const server = seededServer()
  server.answers.set('watchlist', watched)
  const screen = await openScreen(command, {
    ...more,
    server,
    replies: {
      'GET /api/watchlists': { body: { data: lists } },
      [`PATCH /api/watchlists/${id(1)}/items`]: { body: {} },
      [`DELETE /api/watchlists/${id(1)}/items`]: { body: {} },
      [`POST /api/watchlists/${id(1)}/items`]: { body: {} },
      [`POST /api/watchlists/${id(2)}/items`]: { body: {} },
      'POST /api/watchlists': { status: 201, body: { ...lists[1], id: id(3), items: [] } },
      [`PUT /api/watchlists/${id(1)}`]: { body: {} },
      ...more.replies,
    },
  })
  return screen
}

test.each([
  { columns: 120, rows: 20, isAscii: false },
  { columns: 60, rows: 15, isAscii: true },
])('draws WL at $columns×$rows as in the golden file', async size => {
  const screen = await open('WL', size)
  await screen.rig.shows('Clip desk')
  await expect(steadyScreen(screen)).toMatchFileSnapshot(`__snapshots__/wl-${size.columns}x${size.rows}.txt`)
})

test('moves rows, takes them off when asked twice, moves them to the next list, and notes', async () => {
  const { rig, http } = await open()
  await rig.shows('Clip desk')
  const changes = () => http.asked.filter(({ method }) => method === 'PATCH' || method === 'DELETE')
  await rig.type('}')
  await rig.type('m')
  await rig.type('x')
  expect(changes().map(({ body }) => body)).toMatchObject([
    { type: 'clips', id: watched[0]?.id, position: 1 },
    { type: 'clips', id: watched[0]?.id, watchlistId: id(2) },
  ])
  await rig.type('x')
  while (changes().length < 3) await rig.advance(20)
  expect(changes()[2]).toMatchObject({ method: 'DELETE', query: { type: 'clips', id: watched[0]?.id } })
  await rig.type('i')
  await rig.shows('A note to this row')
  await rig.type('look again\r')
  while (changes().length < 4) await rig.advance(20)
  expect(changes()[3]?.body).toMatchObject({ id: watched[0]?.id, note: 'look again' })
})

test('asks for another list by its id, and for one by name as the command says', async () => {
  const { rig } = await open('WL games')
  await rig.shows('Clip desk')
  const asked = () =>
    rig.server.received.flatMap(message =>
      message.type === 'subscribe' && 'name' in message.query && message.query.name === 'watchlist'
        ? [message.query.params]
        : [],
    )
  expect(asked()).toEqual([{ name: 'games' }])
  await rig.type('t')
  await rig.advance(20)
  expect(asked()[1]).toEqual({ watchlistId: id(1) })
})

test('puts the selected row of any list on a list, without leaving it', async () => {
  const { rig, http } = await open('TOP')
  await rig.advance(200)
  await rig.type('j*')
  await rig.shows('On the list Clip desk; WL shows it.')
  const second = seededTrends(2)[1]?.key
  expect(http.askedFor(`POST /api/watchlists/${id(1)}/items`)[0]?.body).toEqual({ type: 'clips', id: second })
  expect(rig.lines().join('\n')).toContain('1 TOP CLIPS 24H')
  expect(http.askedFor(`POST /api/watchlists/${id(1)}/items`)).toHaveLength(1)
  await rig.type('WL ADD #minecraft games\r')
  await rig.shows('On the list Games; WL shows it.')
  expect(http.askedFor(`POST /api/watchlists/${id(2)}/items`)[0]?.body).toEqual({ type: 'topics', id: 'minecraft' })
})

test('begins a list, and changes the columns of one', async () => {
  const { rig, http } = await open('WL NEW "clip desk 2"')
  await rig.shows('A watchlist')
  await rig.type('\t\t\r')
  while (http.askedFor('POST /api/watchlists').length === 0) await rig.advance(20)
  expect(http.askedFor('POST /api/watchlists')[0]?.body).toMatchObject({ name: 'clip desk 2', period: '24h' })
  await rig.shows('Clip desk')
  await rig.type('t')
  await rig.type('o')
  await rig.shows('Columns')
  await rig.type('\x1b')
  await rig.advance(100)
  expect(rig.lines().join('\n')).toContain('Games')
})
