import { afterAll, beforeAll, expect, it } from 'vitest'
import { WatchRowsSchema } from '../../../contracts/watchlists.ts'
import { LiveClient } from '../../../test/live-client.ts'
import { openServerRig, rigNow, rigToken, type ServerRig } from '../../../test/server-rig.ts'
import { type RunningServer, startServer } from '../../server.ts'

const hourMs = 3_600_000
const clipId = 'youtube:watched1'
const creatorId = 'youtube:watcher'

let rig: ServerRig
let server: RunningServer

beforeAll(async () => {
  rig = await openServerRig()
  server = await startServer(await rig.deps(), { host: '127.0.0.1', port: 0 })
  await read(1000, 26)
  await read(1600, 2)
  await rig.store.insert('cliptape.videos_v1', [
    {
      platform: 'youtube',
      video_id: 'watched1',
      creator_id: 'watcher',
      kind: 'clip',
      title: 'A cat',
      url: 'https://example.com/watched1',
      thumbnail_url: '',
      published_at: '2026-01-28 12:00:00.000',
      duration_seconds: 60,
      category: '',
      tags: [],
      regions: [],
      topics: ['cats'],
      source: 'import:test',
      observed_at: '2026-01-31 11:00:00.000',
    },
  ])
})
afterAll(async () => {
  await server.close(1000)
  await rig.close()
})

/** Views of the clip so many hours ago. */
const read = (views: number, hoursAgo: number) =>
  rig.write([
    {
      platform: 'youtube',
      videoId: 'watched1',
      creatorId: 'watcher',
      observedAtMs: rigNow.getTime() - hoursAgo * hourMs,
      views,
    },
  ])

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${rigToken}`, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, etag: response.headers.get('etag'), body: text === '' ? null : JSON.parse(text) }
}

const idsOf = (answer: { body: { items: { id: string }[] } }) => answer.body.items.map(({ id }) => id)

it('keeps things in an order that its owner changes, on lists that they move between', async () => {
  const made = await call('POST', '/api/watchlists', { name: 'Desk', items: [{ type: 'clips', id: clipId }] })
  expect(made).toMatchObject({ status: 201, etag: '"1"', body: { period: '24h', items: [{ id: clipId, note: '' }] } })
  const path = `/api/watchlists/${made.body.id}`
  const items = `${path}/items`
  await call('POST', items, { type: 'creators', id: creatorId, note: 'ask her' })
  const three = await call('POST', items, { type: 'topics', id: '#Cats' })
  expect(idsOf(three)).toEqual([clipId, creatorId, 'cats'])
  // Again changes nothing but the note.
  const again = await call('POST', items, { type: 'clips', id: clipId, note: 'first' })
  expect(again.body.items).toMatchObject([{ id: clipId, note: 'first' }, {}, {}])
  expect(idsOf(await call('PATCH', items, { type: 'topics', id: 'cats', position: 0 }))).toEqual([
    'cats',
    clipId,
    creatorId,
  ])
  const other = await call('POST', '/api/watchlists', { name: 'Other' })
  expect(await call('POST', '/api/watchlists', { name: 'desk' })).toMatchObject({ status: 409 })
  const moved = { type: 'creators', id: creatorId, watchlistId: other.body.id }
  expect(idsOf(await call('PATCH', items, moved))).toEqual(['cats', clipId])
  expect((await call('GET', `/api/watchlists/${other.body.id}`)).body).toMatchObject({
    items: [{ id: creatorId, note: 'ask her' }],
  })
  expect(idsOf(await call('DELETE', `${items}?type=topics&id=cats`))).toEqual([clipId])
  expect((await call('DELETE', `${items}?type=topics&id=cats`)).status).toBe(404)
  const { version } = (await call('GET', path)).body
  const anew = { name: 'Desk 2', columns: ['gain', 'note'], period: '7d', items: [] }
  expect(await call('PUT', path, anew, { 'if-match': `"${version - 1}"` })).toMatchObject({ status: 412 })
  expect((await call('PUT', path, anew, { 'if-match': `"${version}"` })).body).toMatchObject({
    name: 'Desk 2',
    columns: ['gain', 'note'],
    items: [],
  })
  expect((await call('GET', '/api/watchlists')).body.data).toMatchObject([
    { name: 'Desk 2', itemCount: 0 },
    { name: 'Other', itemCount: 1 },
  ])
  for (const { id } of (await call('GET', '/api/watchlists')).body.data)
    expect((await call('DELETE', `/api/watchlists/${id}`)).status).toBe(204)
})

it('shows the numbers of trends for each row, and says of what nothing has read that there are none', async () => {
  const unread = 'youtube:neverread'
  const { body } = await call('POST', '/api/watchlists', {
    name: 'Numbers',
    items: [
      { type: 'creators', id: creatorId, note: 'mine' },
      { type: 'clips', id: clipId },
      { type: 'topics', id: 'cats' },
      { type: 'clips', id: unread },
    ],
  })
  const rows = WatchRowsSchema.parse((await call('GET', `/api/watchlists/${body.id}/rows`)).body).data
  // 24 h before now there were 1,000 views, read 26 h ago; 2 h ago there were 1,600: 600 in 24 h of readings.
  expect(rows).toMatchObject([
    { key: `creators ${creatorId}`, views: 1600, gain: 600, note: 'mine' },
    {
      key: `clips ${clipId}`,
      views: 1600,
      gain: 600,
      velocity: 25,
      gainState: 'value',
      missing: { outlier: 'too_few' },
    },
    { key: 'topics cats', title: 'cats', gain: 600 },
    { key: `clips ${unread}`, title: unread, views: null, missing: { views: 'stale' } },
  ])
  const trends = await call('GET', '/api/analytics/trends?period=24h')
  const { rank: _rank, rankChange: _change, trending: _trending, key: _key, ...same } = trends.body.data[0]
  expect(rows[1]).toMatchObject(same)
})

it('is live: readings and changes of the list come by themselves, and only to its owner', async () => {
  const { body } = await call('POST', '/api/watchlists', { name: 'Live', items: [{ type: 'clips', id: clipId }] })
  const client = await LiveClient.open(server.url, rigToken)
  client.subscribe('wl', 'watchlist', { watchlistId: body.id })
  await client.next('snapshot', 'wl')
  expect(client.tables.get('wl')?.rows).toMatchObject([{ key: `clips ${clipId}`, views: 1600 }])
  await read(2000, 1)
  while (client.tables.get('wl')?.rows[0]?.views !== 2000) await client.next('patch', 'wl')
  await call('DELETE', `/api/watchlists/${body.id}/items?type=clips&id=${clipId}`)
  while (client.tables.get('wl')?.rows.length !== 0) await client.next('patch', 'wl')
  client.subscribe('not', 'watchlist', { watchlistId: '018f0000-0000-7000-8000-00000000000a' })
  expect(await client.next('error', 'not')).toMatchObject({ code: 'NOT_FOUND' })
  client.socket.close()
})
