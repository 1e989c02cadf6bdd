import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnalyticsContext } from '../analytics/context.ts'
import { creatorDescriptions, videoDescriptions } from '../analytics/measures/details.ts'
import { getCreator, listVods, searchCreators } from '../analytics/measures/library.ts'
import { trends } from '../analytics/measures/trends.ts'
import { compileNicheRules } from '../analytics/niches/rules.ts'
import { tagNiches } from '../analytics/niches/tag-niches.ts'
import { forgetVideos } from '../analytics/retention.ts'
import { settleRollups } from '../analytics/settle.ts'
import { CreatorIdSchema } from '../contracts/ids.ts'
import { CreatorSearchParamsSchema, TrendsParamsSchema } from '../contracts/measures.ts'
import type { CreatorRecord, Item, Sample, VideoRecord } from '../contracts/samples.ts'
import { systemClock } from '../core/clock.ts'
import type { World } from '../core/world.ts'
import { createWriter, type WriterDeps } from '../ingest/writer.ts'
import { openServerRig, type ServerRig } from './server-rig.ts'

// What terms give a time to is gone when that time has come. The engine's own clock says so, so these rows are as old as they
// say by the real one.

const dayMs = 86_400_000
const nowMs = Date.now()
const daysAgo = (days: number) => nowMs - days * dayMs
const niches = compileNicheRules({ niches: [{ name: 'all', label: 'All', rules: [{ tags: ['x'] }] }] }, 'test')

let rig: ServerRig
let world: World
let ctx: AnalyticsContext
beforeAll(async () => {
  rig = await openServerRig()
  world = { database: 'cliptape', clock: systemClock }
  ctx = { store: rig.store, world, niches }
})
afterAll(() => rig.close())

const old = daysAgo(31)
const recent = daysAgo(29)

describe('what YouTube’s interface said', () => {
  beforeAll(async () => {
    await write(
      described('late', { source: 'youtube-api', observedAtMs: old, title: 'too late' }),
      described('kept', { source: 'youtube-api:amendment', observedAtMs: recent, title: 'in time' }),
      described('both', { source: 'youtube-api', observedAtMs: old, title: 'newest, and too late' }),
      described('both', { source: 'import:file', observedAtMs: daysAgo(900), title: 'imported' }),
      described('again', { source: 'youtube-api', observedAtMs: old, title: 'as it was' }),
      described('again', { source: 'youtube-api', observedAtMs: recent, title: 'as it is' }),
      named('late', { source: 'youtube-api:amendment', observedAtMs: old, name: 'Too late' }),
      named('both', { source: 'youtube-api', observedAtMs: old, name: 'Newest, and too late' }),
      named('both', { source: 'import:file', observedAtMs: daysAgo(900), name: 'Imported' }),
    )
    await write(
      ...['late', 'kept', 'both', 'again'].map(id => read(id, { source: 'youtube-api', observedAtMs: daysAgo(1) })),
    )
  })

  it('of titles, names and topics is shown for 30 days and no longer, and what was imported stays', async () => {
    const titles = { kept: 'in time', both: 'imported', again: 'as it is' }
    const names = { both: 'Imported' }
    expect(await pairs('SELECT video_id, title FROM v.videos')).toEqual(titles)
    expect(await pairs('SELECT creator_id, name FROM v.creators')).toEqual(names)
    expect(await pairs('SELECT video_id, topic FROM v.topics')).toEqual({ kept: 'kept', both: 'both', again: 'again' })

    const refs = ['late', 'kept', 'both', 'again'].map(id => ({ platform: 'youtube', id }))
    const said = await videoDescriptions(ctx, refs)
    expect(Object.fromEntries([...said.values()].map(one => [one.video_id, one.title]))).toEqual(titles)
    const creators = await creatorDescriptions(ctx, refs)
    expect(Object.fromEntries([...creators.values()].map(one => [one.creator_id, one.name]))).toEqual(names)

    const list = await trends(ctx, TrendsParamsSchema.parse({ platform: 'youtube', sort: 'views' }))
    const shown = list.rows.map(row => [row.key.slice(8), row.title, row.creatorName])
    expect(shown.sort()).toEqual([
      ['again', 'as it is', null],
      ['both', 'imported', 'Imported'],
      ['kept', 'in time', null],
      ['late', '', null],
    ])
    const { rows: topics } = await trends(ctx, TrendsParamsSchema.parse({ type: 'topics', platform: 'youtube' }))
    expect(topics.map(row => row.key).sort()).toEqual(['again', 'both', 'kept'])
    expect((await searchCreators(ctx, CreatorSearchParamsSchema.parse({ search: 'late' }))).rows).toMatchObject([
      { creatorId: 'youtube:late', name: 'late' },
    ])
    expect((await getCreator(ctx, CreatorIdSchema.parse('youtube:both'))).name).toBe('Imported')
    expect((await listVods(ctx, CreatorIdSchema.parse('youtube:late'), { limit: 10 })).rows).toEqual([])
  })

  it('leaves the disk with the engine’s next merges', async () => {
    for (const table of ['videos_v1', 'creators_v1', 'video_topics_v1']) {
      await rig.store.command(`OPTIMIZE TABLE cliptape.${table} FINAL`)
      const [row] = await rig.store.query(`SELECT countIf(expires_at <= now()) AS expired FROM cliptape.${table}`)
      expect([table, row]).toEqual([table, { expired: 0 }])
    }
    expect(await pairs('SELECT source, title FROM cliptape.videos_v1')).toMatchObject({ 'import:file': 'imported' })
  })

  it('leaves neither niches without a description, nor dates and creators without any reading', async () => {
    await tagNiches(rig.store, world, niches)
    const at = { tagged_at: '2026-01-01 00:00:00', is_match: 1, rules_hash: niches.hash, niche: 'all', rule: 'tag "x"' }
    await rig.store.insert('cliptape.video_niches_v1', [{ ...at, platform: 'youtube', video_id: 'late' }])
    await write(
      described('gone', { source: 'youtube-api', observedAtMs: old, title: 'gone' }),
      read('gone', { source: 'youtube-api', observedAtMs: old }),
    )
    expect(await forgetVideos(ctx)).toEqual({ videos: 2 })
    expect(await pairs('SELECT video_id, niche FROM cliptape.video_niches_v1')).toEqual({
      kept: 'all',
      both: 'all',
      again: 'all',
    })
    for (const table of ['creator_videos_v1', 'vods_v1']) {
      const rows = await rig.store.query<{ id: string }>(
        `SELECT DISTINCT video_id AS id FROM cliptape.${table} ORDER BY id`,
      )
      expect(rows.map(row => row.id)).toEqual(['again', 'both', 'kept', 'late'])
    }
    expect(await rig.store.query('SELECT uniqExact(video_key) AS count FROM cliptape.published_v1')).toEqual([
      { count: 4 },
    ])
    expect(await forgetVideos(ctx)).toEqual({ videos: 0 })
  })
})

async function write(...items: Item[]): Promise<void> {
  const settle: WriterDeps['settle'] = touched => settleRollups(rig.store, world, touched)
  const writer = createWriter({ store: rig.store, bus: rig.bus, world, settle, log: rig.log, clock: systemClock })
  await writer.write(items)
  await writer.close()
}

/** Two columns as names and values. */
async function pairs(sql: string): Promise<Record<string, string>> {
  const rows = await rig.store.query<Record<string, string>>(sql)
  return Object.fromEntries(rows.map(row => Object.values(row)))
}

function described(videoId: string, row: Pick<VideoRecord, 'source' | 'observedAtMs' | 'title'>): Item {
  const texts = { url: '', thumbnailUrl: '', category: '', tags: ['x'], regions: [], topics: [videoId] }
  const times = { publishedAtMs: daysAgo(1_000), endedAtMs: null, durationSeconds: null }
  return {
    kind: 'video',
    row: { platform: 'youtube', videoId, creatorId: videoId, kind: 'clip', ...texts, ...times, ...row },
  }
}

function named(creatorId: string, row: Pick<CreatorRecord, 'source' | 'observedAtMs' | 'name'>): Item {
  return { kind: 'creator', row: { platform: 'youtube', creatorId, handle: '', ...row } }
}

function read(videoId: string, row: Pick<Sample, 'source' | 'observedAtMs'>): Item {
  const counters = { views: 10, likes: null, comments: null, shares: null, saves: null }
  const origin = { endpoint: '', definitionVersion: 1, expiresAtMs: null }
  return { kind: 'sample', row: { platform: 'youtube', videoId, creatorId: videoId, ...counters, ...origin, ...row } }
}
