import { afterAll, beforeAll, expect, it } from 'vitest'
import { IndexParamsSchema, TrendsParamsSchema } from '../contracts/measures.ts'
import { dropWorld, migrateAnalytics } from '../core/clickhouse/migrate.ts'
import { shippedMigrations } from '../core/migration-plan.ts'
import { storedAges } from './frozen-ages.ts'
import { clipIndex } from './measures/clip-index.ts'
import { trends } from './measures/trends.ts'
import { type AnalyticsRig, startAnalyticsRig } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const nowAt = '2024-01-10T06:00:00'

async function fill() {
  await rig.videos([
    { video: 'a', creator: 'one', topics: ['topic'], publishedAt: '2024-01-01T00:00:00' },
    { video: 'b', creator: 'one', topics: ['topic'], publishedAt: '2024-01-08T00:00:00' },
    { video: 'api', creator: 'two', topics: ['topic'] },
  ])
  const at = '2024-01-09T12:00:00'
  await rig.samples([
    { video: 'a', creator: 'one', at: '2024-01-01T20:00:00', views: 10 },
    { video: 'a', creator: 'one', at: '2024-01-09T00:00:00', views: 50, likes: 3 },
    { video: 'b', creator: 'one', at: '2024-01-08T12:00:00', views: 5 },
    { video: 'b', creator: 'name:Old', at, views: 45, likes: 2, shares: 9, source: 'import:x' },
    { video: 'api', creator: 'two', at, views: 7_000, source: 'youtube-api' },
  ])
  await rig.samples([{ video: 'b', creator: 'three', at, views: 45, likes: 2, shares: 1, source: 'import:x' }])
}

async function answers() {
  const list = async (params: object) => (await trends(rig.ctx, TrendsParamsSchema.parse(params))).rows
  return {
    clips: await list({}),
    youtube: await list({ platform: 'youtube', sort: 'engagement' }),
    creators: await list({ type: 'creators' }),
    topics: await list({ type: 'topics', period: '7d' }),
    past: await list({ from: '2024-01-01T12:00:00Z', to: '2024-01-09T06:00:00Z' }),
    index: (await clipIndex(rig.ctx, IndexParamsSchema.parse({}))).rows,
    ages: await storedAges(rig.ctx, { platform: 'youtube', id: 'a' }, Date.UTC(2024, 0, 1)),
  }
}

it('a store of the first schema answers after its migration as one that is filled anew', async () => {
  await rig.fresh(nowAt)
  await fill()
  const unsettled = await answers()
  await rig.settle()
  const expected = await answers()
  expect({ ...expected, ages: unsettled.ages }).toEqual(unsettled)
  expect(expected.ages.size).toBe(1)

  await dropWorld(rig.store, 'replay')
  const files = shippedMigrations('clickhouse/migrations')
  await migrateAnalytics(rig.store, { database: 'replay', files: files.slice(0, 4) })
  await fill()
  await migrateAnalytics(rig.store, { database: 'replay', files })
  expect(await answers()).toEqual({ ...unsettled, ages: new Map() })
  await rig.settle()
  expect(await answers()).toEqual(expected)
})
