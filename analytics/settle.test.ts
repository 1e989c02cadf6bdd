import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { TrendsParamsSchema } from '../contracts/measures.ts'
import { manualClock } from '../core/clock.ts'
import { planInstant, readRollupState } from './boundaries.ts'
import { trends } from './measures/trends.ts'
import { repairRollups, settleRollups } from './settle.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const hourMs = 3_600_000
const boundaryRows = () =>
  rig.store.query<{ at: string; is_old: number; views: number }>(
    `SELECT formatDateTime(at, '%d %H', 'UTC') AS at, is_old, toUInt64(bitAnd(reading, 18446744073709551615)) AS views
     FROM replay.boundaries_v1 FINAL ORDER BY boundaries_v1.at, is_old`,
  )
const shown = async () => (await boundaryRows()).map(row => `${row.at} ${row.is_old} ${row.views}`)

it('carries each reading to the boundaries that it is the value of, and not past the last one that has passed', async () => {
  await rig.fresh('2024-01-03T07:00:00')
  await rig.samples([
    { video: 'a', at: '2024-01-01T06:00:00', views: 1 },
    { video: 'a', at: '2024-01-01T13:00:00', views: 2 },
  ])
  await rig.settle()
  expect(await shown()).toEqual([
    '01 06 0 1',
    '01 12 0 1',
    '01 18 0 2',
    '02 00 0 2',
    '02 06 0 2',
    '02 12 0 2',
    '02 18 0 2',
    // 35 h old at 3 January 00:00; at 06:00 it is 41 h old and stands only in the rows of midnights.
    '03 00 0 2',
    '03 00 1 2',
  ])
})

it('puts late and repeated readings where they belong, and settling again changes nothing', async () => {
  await rig.samples([
    { video: 'a', at: '2024-01-01T09:00:00', views: 7 },
    { video: 'a', at: '2024-01-01T13:00:00', views: 2 },
  ])
  await rig.settle()
  const once = await shown()
  expect(once.slice(0, 3)).toEqual(['01 06 0 1', '01 12 0 7', '01 18 0 2'])
  await rig.settle()
  expect(await shown()).toEqual(once)
})

it('carries forward when time passes without any write', async () => {
  await rig.fresh('2024-01-01T13:00:00')
  await rig.samples([{ video: 'a', at: '2024-01-01T11:00:00', views: 5 }])
  await rig.settle()
  expect(await shown()).toEqual(['01 12 0 5'])
  await repairRollups(rig.store, { database: 'replay', clock: manualClock(Date.UTC(2024, 0, 3, 1)) })
  expect(await shown()).toEqual(
    ['01 12 0', '01 18 0', '02 00 0', '02 00 1', '02 06 0', '02 12 0', '02 18 0', '03 00 1'].map(row => `${row} 5`),
  )
  expect((await readRollupState(rig.ctx, Date.UTC(2024, 0, 4))).watermarkMs).toBe(Date.UTC(2024, 0, 3))
})

it('settles a batch of the writer at once when nothing else is going on', async () => {
  await rig.fresh('2024-01-03T07:00:00')
  await rig.samples([{ video: 'a', at: '2024-01-03T05:00:00', views: 5 }])
  const atMs = Date.UTC(2024, 0, 3, 5)
  const touched = {
    database: 'replay',
    rowCount: 1,
    minObservedAtMs: atMs,
    maxObservedAtMs: atMs,
    videos: [],
    isCut: false,
  } as const
  // A store of its own identity: the rig's has just settled something.
  await settleRollups({ ...rig.store }, rig.ctx.world, touched)
  expect(await shown()).toEqual(['03 06 0 5'])
})

it('does not take a cell for settled whose readings became visible while it was being settled', async () => {
  await rig.fresh('2024-01-03T07:00:00')
  await rig.samples([{ video: 'a', at: '2024-01-01T13:00:00', views: 2 }])
  const inserted = insertHeldOpen({ video: 'b', at: '2024-01-01T14:00:00', views: 7 })
  while ((await countOf('count()', 'samples_v1')) !== 2);
  await rig.settle()
  await inserted
  const cell = Date.UTC(2024, 0, 1, 18)
  const isMarked = (await readRollupState(rig.ctx, Date.UTC(2024, 0, 3))).unsettled.includes(cell)
  expect(isMarked || (await shown()).includes('01 18 0 7')).toBe(true)
  await rig.settle()
  expect(await shown()).toContain('01 18 0 7')
  expect((await readRollupState(rig.ctx, Date.UTC(2024, 0, 3))).unsettled).toEqual([])
})

it('shows the mark of an insert only after its readings', async () => {
  await rig.fresh('2024-01-03T07:00:00')
  let isDone = false
  const inserted = insertHeldOpen({ video: 'a', at: '2024-01-01T13:00:00', views: 2 }).then(() => {
    isDone = true
  })
  const seen = new Set<string>()
  while (!isDone) {
    const marks = await countOf('sum(inserts)', 'rollup_cells_v1')
    seen.add(`${marks} marks, ${await countOf('count()', 'readings_v1')} readings`)
  }
  await inserted
  expect(seen).not.toContain('1 marks, 0 readings')
})

/**
 * An insert that lasts a second: the engine has begun to make it visible, and waits before it goes on with some of the
 * rollups. Which ones wait is up to the engine.
 */
async function insertHeldOpen(sample: TestSample): Promise<void> {
  await rig.store.command('CREATE TABLE replay.held (x UInt8) ENGINE = Null')
  await rig.store.command(
    'CREATE MATERIALIZED VIEW replay.held_mv TO replay.held AS SELECT sleepEachRow(1) AS x FROM replay.samples_v1',
  )
  await rig.samples([sample])
  await rig.store.command('DROP VIEW replay.held_mv SYNC')
  await rig.store.command('DROP TABLE replay.held SYNC')
}

async function countOf(what: string, table: string): Promise<number> {
  const [row] = await rig.store.query<{ found: number }>(`SELECT toInt64(${what}) AS found FROM replay.${table}`)
  return row?.found ?? 0
}

it('reads no boundary that an unsettled cell could change', () => {
  const at = Date.UTC(2024, 0, 10, 7)
  const boundary = Date.UTC(2024, 0, 10, 6)
  const clean = {
    watermarkMs: boundary,
    unsettled: [],
    insertCounts: new Map(),
    settledKey: '',
    latestMs: 0,
    hasUnmixable: false,
    hasWithheld: false,
  }
  expect(planInstant(clean, at, 36 * hourMs)).toMatchObject({ fineMs: boundary, fromMs: boundary })
  const late = { ...clean, unsettled: [boundary - 12 * hourMs] }
  expect(planInstant(late, at, 36 * hourMs).fineMs).toBe(boundary - 18 * hourMs)
  const old = { ...clean, unsettled: [boundary - 48 * hourMs] }
  expect(planInstant(old, at, 36 * hourMs)).toMatchObject({ fineMs: 0, fromMs: at - 36 * hourMs - 1 })
  const behind = { ...clean, watermarkMs: boundary - 24 * hourMs }
  expect(planInstant(behind, at, 36 * hourMs).fineMs).toBe(boundary - 24 * hourMs)
})

it('answers a window longer than a month from boundaries a month apart', async () => {
  await rig.fresh('2024-06-01T00:00:00')
  await rig.samples([
    { video: 'a', at: '2024-01-02T00:00:00', views: 10 },
    { video: 'a', at: '2024-05-31T00:00:00', views: 50 },
  ])
  await rig.settle()
  const params = TrendsParamsSchema.parse({ from: '2024-02-25T00:00:00Z', to: '2024-06-01T00:00:00Z' })
  expect((await trends(rig.ctx, params)).rows[0]).toMatchObject({ gain: 40, gainState: 'value' })
})

it('leaves nothing to a later run when only the present was written, even right after a run', async () => {
  await rig.fresh('2024-01-03T07:00:00')
  await rig.samples([{ video: 'a', at: '2024-01-01T06:00:00', views: 1 }])
  await rig.settle()
  const atMs = Date.parse('2024-01-03T06:59:00Z')
  const touched = {
    database: 'replay',
    rowCount: 1,
    minObservedAtMs: atMs,
    maxObservedAtMs: atMs,
    isCut: false,
  } as const
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  try {
    await settleRollups(rig.store, rig.ctx.world, { ...touched, videos: [{ platform: 'youtube', videoId: 'a' }] })
    expect(vi.getTimerCount()).toBe(0)
  } finally {
    vi.useRealTimers()
  }
})
