import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrateAnalytics } from '../core/clickhouse/migrate.ts'
import { type AnalyticsRig, startAnalyticsRig } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
  await migrateAnalytics(rig.store, { database: 'cliptape' })
})
afterAll(() => rig.close())

const sample = (source: string, observedAt: string, views: number | null, likes: number | null) => ({
  platform: 'youtube',
  video_id: 'a',
  creator_id: 'c',
  observed_at: observedAt,
  views,
  likes,
  source,
  endpoint: '',
  definition_version: 1,
})

it('v.samples has one row an instant: most views, then likes, all counters from that one row', async () => {
  const rows = [
    sample('import:a', '2024-01-01 00:00:00', 5, null),
    sample('import:b', '2024-01-01 00:00:00', 5, 3),
    sample('import:c', '2024-01-01 00:00:00', null, 99),
    sample('import:a', '2024-01-02 00:00:00', 0, 0),
    sample('import:b', '2024-01-02 00:00:00', null, 7),
  ]
  for (const row of [...rows].reverse()) await rig.store.insert('cliptape.samples_v1', [row])
  const found = await rig.store.query('SELECT views, likes, source FROM v.samples ORDER BY observed_at')
  expect(found).toEqual([
    { views: 5, likes: 3, source: 'import:b' },
    { views: 0, likes: 0, source: 'import:a' },
  ])
  expect(await rig.store.query('SELECT views, gain FROM v.trends ORDER BY day')).toEqual([
    { views: 5, gain: null },
    { views: 0, gain: -5 },
  ])
})

it('v.samples and v.trends show the same row of a source that says two things of one instant, merged or not', async () => {
  const said = { ...sample('import:a', '2024-02-01 00:00:00', 5, 3), video_id: 'twice' }
  const rows = [said, { ...said, creator_id: 'd' }, { ...said, shares: 0 }, { ...said, shares: 4, saves: 1 }]
  const read = async () => [
    await rig.store.query("SELECT creator_id, shares, saves FROM v.samples WHERE video_id = 'twice'"),
    await rig.store.query("SELECT creator_id FROM v.trends WHERE video_id = 'twice'"),
  ]
  for (const row of rows) await rig.store.insert('cliptape.samples_v1', [row])
  const first = await read()
  expect(first[0]).toHaveLength(1)
  await rig.store.command("ALTER TABLE cliptape.samples_v1 DELETE WHERE video_id = 'twice' SETTINGS mutations_sync = 2")
  for (const row of [...rows].reverse()) await rig.store.insert('cliptape.samples_v1', [row])
  expect(await read()).toEqual(first)
  await rig.store.command('OPTIMIZE TABLE cliptape.samples_v1 FINAL')
  expect(await read()).toEqual(first)
  await rig.store.command("ALTER TABLE cliptape.samples_v1 DELETE WHERE video_id = 'twice' SETTINGS mutations_sync = 2")
})

it('mine.samples shows the rows of its owner alone', async () => {
  const [own, other] = ['61f0c404-5cb3-11e7-907b-a6006ad3dba0', '61f0c404-5cb3-11e7-907b-a6006ad3dba1']
  await rig.store.insert('cliptape.own_samples_v1', [
    { ...sample('own:youtube', '2024-01-03 00:00:00', 8, null), owner_id: own },
    { ...sample('own:youtube', '2024-01-03 00:00:00', 9, null), owner_id: other },
  ])
  expect(await rig.store.query(`SELECT views FROM mine.samples(owner='${own}')`)).toEqual([{ views: 8 }])
  expect(await rig.store.query('SELECT max(views) AS views FROM v.samples')).toEqual([{ views: 5 }])
  expect(await rig.store.query(`SELECT toString(day) AS day, views, gain FROM mine.trends(owner='${own}')`)).toEqual([
    { day: '2024-01-03', views: 8, gain: null },
  ])
})

it('mine.* can all be read, and the topics are those of the owner’s videos', async () => {
  const owner = '61f0c404-5cb3-11e7-907b-a6006ad3dba0'
  const common = {
    platform: 'youtube',
    creator_id: 'c',
    kind: 'clip',
    title: '',
    url: '',
    thumbnail_url: '',
    category: '',
  }
  const video = { ...common, tags: [], regions: [], source: 'import:a', observed_at: '2024-01-01 00:00:00' }
  await rig.store.insert('cliptape.videos_v1', [
    { ...video, video_id: 'a', topics: ['win'] },
    { ...video, video_id: 'other', topics: ['loss'] },
  ])
  const read = (view: string) => rig.store.query(`SELECT * FROM mine.${view}(owner='${owner}')`)
  expect(await read('topics')).toEqual([{ topic: 'win', platform: 'youtube', video_id: 'a' }])
  expect(await read('videos')).toMatchObject([{ video_id: 'a', creator_id: 'c' }])
  for (const view of ['creators', 'creator_samples', 'topic_samples']) expect(await read(view)).toEqual([])
})

it('mine has the views of v, with the same columns', async () => {
  const viewsOf = async (database: string) =>
    (
      await rig.store.query<{ name: string }>(
        `SELECT name FROM system.tables WHERE database = '${database}' ORDER BY name`,
      )
    ).map(({ name }) => name)
  const views = await viewsOf('v')
  expect(await viewsOf('mine')).toEqual(views)
  const shapeOf = (view: string) => rig.store.query(`SELECT toTypeName(any(tuple(*))) AS shape FROM ${view}`)
  for (const view of views) {
    const own = await shapeOf(`mine.${view}(owner='61f0c404-5cb3-11e7-907b-a6006ad3dba0')`)
    expect([view, own]).toEqual([view, await shapeOf(`v.${view}`)])
  }
})
