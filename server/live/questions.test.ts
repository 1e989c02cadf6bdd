import { afterAll, beforeAll, expect, it } from 'vitest'
import { LiveLists } from '../../analytics/live-lists.ts'
import { loadNicheRules, type NicheRules } from '../../analytics/niches/rules.ts'
import { UserIdSchema } from '../../contracts/ids.ts'
import { dropWorld, migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import type { AnalyticsStore, QueryOptions } from '../../core/clickhouse/port.ts'
import { startTestStore } from '../../core/clickhouse/test-store.ts'
import type { Clock } from '../../core/clock.ts'
import type { World } from '../../core/world.ts'
import type { WorldSource } from '../deps.ts'
import { measureContext } from '../features/measure-context.ts'
import { liveQuestions } from './questions.ts'
import type { LiveQuestion } from './source.ts'

const clock: Clock = { speed: 60, nowMs: () => Date.parse('2024-03-05T00:00:00Z') }

let rig: Awaited<ReturnType<typeof startTestStore>>
let store: AnalyticsStore
let rules: NicheRules
beforeAll(async () => {
  rig = await startTestStore({ world: 'replay' })
  store = rig.store
  rules = await loadNicheRules()
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
  const question = trendsOf(world, { ...store, query: dropping })
  expect(await question.compute(new AbortController().signal)).toBeNull()
  expect(await question.compute(new AbortController().signal)).toBeNull()
})

it('answers nothing of a world that went away while it was read', async () => {
  await migrateAnalytics(store, { database: 'replay' })
  const gone = new AbortController()
  const leaving: AnalyticsStore['query'] = async <Row>(sql: string, options?: QueryOptions) => {
    const rows = await store.query<Row>(sql, options)
    gone.abort()
    return rows
  }
  const world: World = { database: 'replay', clock, gone: gone.signal }
  const question = trendsOf(world, { ...store, query: leaving })
  expect(await question.compute(new AbortController().signal)).toBeNull()
  expect(() => measureContext({ store, world: sourceOf(world), niches: () => rules })).toThrow('being replaced')
  await dropWorld(store, 'replay')
})

it('fails when the tables of a world that stays are not there', async () => {
  const question = trendsOf({ database: 'replay', clock }, store)
  await expect(question.compute(new AbortController().signal)).rejects.toMatchObject({ code: 'QUERY_FAILED' })
})

function sourceOf(world: World): WorldSource {
  return {
    current: () => world,
    status: () => ({ mode: 'replay', notice: 'A test.', now: '', speed: 60, sources: [] }),
  }
}

function trendsOf(world: World, on: AnalyticsStore): LiveQuestion {
  const parse = liveQuestions({
    store: on,
    world: sourceOf(world),
    niches: () => rules,
    clock,
    ops: async () => [],
    deadLetters: {
      list: async () => [],
      replay: async () => ({ replayed: 0, kept: 0 }),
      discard: async () => ({ discarded: 0 }),
    },
    usage: { hasIndicators: () => false },
    clippers: { of: async () => null, has: () => false },
    watchlist: async () => ({ rows: [], asOf: new Date(0) }),
    quotaLines: async () => [],
    lists: new LiveLists(),
  })
  return parse(
    'trends',
    { type: 'clips' },
    { userId: UserIdSchema.parse(crypto.randomUUID()), role: 'user', scopes: 'all' },
  )
}
