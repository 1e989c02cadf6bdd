import { afterAll, beforeAll, expect, it } from 'vitest'
import { LiveLists } from '../../analytics/live-lists.ts'
import { loadNicheRules } from '../../analytics/niches/rules.ts'
import { UserIdSchema } from '../../contracts/ids.ts'
import { dropWorld, migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import type { AnalyticsStore, QueryOptions } from '../../core/clickhouse/port.ts'
import { startTestStore } from '../../core/clickhouse/test-store.ts'
import type { Clock } from '../../core/clock.ts'
import type { World } from '../../core/world.ts'
import { liveQuestions } from './questions.ts'
import type { LiveQuestion } from './source.ts'

const clock: Clock = { speed: 60, nowMs: () => Date.parse('2024-03-05T00:00:00Z') }

let rig: Awaited<ReturnType<typeof startTestStore>>
let store: AnalyticsStore
beforeAll(async () => {
  rig = await startTestStore()
  store = rig.store
})
afterAll(() => rig.end())

it('answers nothing, and does not fail, when the world that it reads is dropped', async () => {
  await migrateAnalytics(store, { database: 'replay' })
  const gone = new AbortController()
  // The tables go after the first statement, as when real rows end the sample in the middle of a computation.
  const dropping: AnalyticsStore['query'] = async <Row>(sql: string, options?: QueryOptions) => {
    const rows = await store.query<Row>(sql, options)
    gone.abort()
    await dropWorld(store, 'replay')
    return rows
  }
  const world: World = { database: 'replay', clock, gone: gone.signal }
  const question = await trendsOf(world, { ...store, query: dropping })
  expect(await question.compute()).toBeNull()
  expect(await question.compute()).toBeNull()
})

it('fails when the tables of a world that stays are not there', async () => {
  const question = await trendsOf({ database: 'replay', clock }, store)
  await expect(question.compute()).rejects.toMatchObject({ code: 'QUERY_FAILED' })
})

async function trendsOf(world: World, on: AnalyticsStore): Promise<LiveQuestion> {
  const niches = await loadNicheRules()
  const status = { mode: 'replay', notice: 'A test.', now: '', speed: 60, sources: [] } as const
  const parse = liveQuestions({
    store: on,
    world: { current: () => world, status: () => ({ ...status, sources: [] }) },
    niches: () => niches,
    clock,
    ops: async () => [],
    deadLetters: {
      list: async () => [],
      replay: async () => ({ replayed: 0, kept: 0 }),
      discard: async () => ({ discarded: 0 }),
    },
    lists: new LiveLists(),
  })
  return parse('trends', { type: 'clips' }, UserIdSchema.parse(crypto.randomUUID()))
}
