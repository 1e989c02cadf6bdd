import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { TrendsParamsSchema } from '../../contracts/measures.ts'
import { readRollupState } from '../boundaries.ts'
import type { AnalyticsContext } from '../context.ts'
import { positions, rank } from '../measures/ranking.ts'
import { makeWindow, type Window, windowOf } from '../measures/window.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from '../test-rig.ts'
import { makeStartBuild, noteStart, startBuildOf } from './start-cache.ts'

let rig: AnalyticsRig
/** The rig's world, with what was asked of its engine. */
let ctx: AnalyticsContext
let asked: string[]
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const params = TrendsParamsSchema.parse({ period: '24h' })
let window: Window

beforeEach(async () => {
  await rig.fresh('2024-01-05T15:20:00')
  asked = []
  const query: AnalyticsContext['store']['query'] = (sql, options) => {
    asked.push(sql)
    return rig.store.query(sql, options)
  }
  ctx = { ...rig.ctx, store: { ...rig.store, query } }
  window = windowOf(params, ctx.world.clock.nowMs())
  await rig.samples([
    ...readings(
      'steady',
      ['04T11:00', 100],
      ['04T15:10', 130],
      ['04T15:15', 140],
      ['04T15:30', 150],
      ['05T15:00', 400],
    ),
    ...readings('quiet', ['04T09:00', 10], ['05T09:00', 20]),
    ...readings('later', ['04T15:40', 5], ['05T12:00', 95]),
  ])
  await rig.settle()
})

function readings(video: string, ...given: [at: string, views: number][]): TestSample[] {
  return given.map(([at, views]) => ({ video, at: `2024-01-${at}:00`, views }))
}

const list = async (asked = window) =>
  (await rank(ctx, params, asked, { limit: 10, after: null })).map(row => `${row.key} ${row.state} ${row.gain}`)
const state = () => readRollupState(ctx, window.toMs)
const build = async () => makeStartBuild(ctx, await state(), window.fromMs, window.backMs)
const buildNow = async () => startBuildOf(ctx, await state(), window.fromMs, window.backMs)

it('makes a build when a start is asked for the second time, and lists then read nothing else for their starts', async () => {
  const plain = await list()
  expect(plain.map(row => row.split(' ').slice(1).join(' '))).toEqual(['value 260', 'partial 90', 'value 10'])
  expect(await buildNow()).toBeNull()
  await noteStart(ctx, await state(), window.fromMs, window.backMs)
  await noteStart(ctx, await state(), window.fromMs, window.backMs)
  expect(await buildNow()).not.toBeNull()
  asked = []
  expect(await list()).toEqual(plain)
  const text = asked.filter(sql => sql.includes('sort_value')).join()
  expect(text).toContain('starts_v1')
  expect(text).not.toMatch(/is_old = 0|readings_v1/)
})

it('uses a build no more once a sample comes that it does not hold, nor after that was settled', async () => {
  await build()
  const before = await list()
  await rig.samples(readings('quiet', ['04T15:05', 12]))
  expect(await buildNow()).toBeNull()
  const after = before.map(row => row.replace('value 10', 'value 8'))
  expect(await list()).toEqual(after)
  await rig.settle()
  expect(await buildNow()).toBeNull()
  expect(await list()).toEqual(after)
  await build()
  expect(await list()).toEqual(after)
})

it('has each sample in every answer that is asked for after its insert, while settling goes on', async () => {
  await list()
  for (let minute = 10; minute < 20; minute++) {
    await rig.samples(readings('quiet', [`04T14:${minute}`, minute]))
    const settling = rig.settle()
    const answers = [await list(), await list()]
    await settling
    answers.push(await list())
    for (const rows of answers) expect(rows.filter(row => row.endsWith(` value ${20 - minute}`))).toHaveLength(1)
  }
})

it('makes none from what is not settled, nor for a start in hours that are not over', async () => {
  await rig.samples(readings('quiet', ['04T15:05', 12]))
  await build()
  expect(await buildNow()).toBeNull()
  await rig.settle()
  const { toMs, backMs } = window
  await makeStartBuild(ctx, await state(), toMs - 3_600_000, backMs)
  expect(startBuildOf(ctx, await state(), toMs - 3_600_000, backMs)).toBeNull()
})

it('answers right when the rows of builds are gone', async () => {
  const past = makeWindow(window.fromMs + 3_600_000, window.toMs - 8 * 3_600_000)
  const plain = await list()
  const plainPast = await list(past)
  await build()
  for (const atMs of [past.fromMs, past.toMs]) await makeStartBuild(ctx, await state(), atMs, past.backMs)
  asked = []
  expect(await list(past)).toEqual(plainPast)
  expect(asked.join()).toMatch(/AS reading\s+FROM `replay`.starts_v1/)
  await rig.store.command('TRUNCATE TABLE replay.starts_v1')
  expect(await list()).toEqual(plain)
  expect(await list(past)).toEqual(plainPast)
})

it('says what boundaries and readings say, of whatever was read', { timeout: 60_000 }, async () => {
  await rig.fresh('2024-02-20T07:40:00')
  await rig.samples(randomReadings())
  await rig.settle()
  const nowMs = ctx.world.clock.nowMs()
  const hours = (count: number) => nowMs - count * 3_600_000
  const windows = [
    [24, 0],
    [48, 24],
    [336, 168],
    [700, 300],
  ] as const
  for (const [from, to] of windows) {
    const asked = makeWindow(hours(from), hours(to))
    const answer = async (from: AnalyticsContext) => {
      const rows = await rank(from, params, asked, { limit: 500, after: null })
      return {
        rows,
        places: await positions(
          from,
          params,
          asked,
          rows.filter((_, index) => index % 7 === 0).map(row => row.key),
        ),
      }
    }
    // A store of its own identity knows of no builds.
    const plain = await answer({ ...ctx, store: { ...rig.store } })
    for (const atMs of [asked.fromMs, asked.toMs]) await makeStartBuild(ctx, await state(), atMs, asked.backMs)
    expect(await answer(ctx)).toEqual(plain)
    expect(plain.rows.length).toBeGreaterThan(8)
  }
})

/** Videos that are read often, rarely, twice at once, with falling counters and with none at all. */
function randomReadings(): TestSample[] {
  const random = (number: number) => Math.abs(Math.sin(number * 12.9898) * 43758.5453) % 1
  const endMs = Date.UTC(2024, 1, 20, 7)
  return Array.from({ length: 3000 }, (_, index) => {
    const video = index % 60
    const everyMs = video % 3 === 0 ? 600_000 : 100_000_000 * random(video)
    const at = new Date(endMs - everyMs * random(index) * 40).toISOString().slice(0, -1)
    const hasViews = video % 5 > 0 || random(index + 0.5) < 0.3
    const views = hasViews && video !== 7 ? Math.floor(random(index * 3) * 5000) : null
    return { video: `v${video}`, at, views, likes: Math.floor(random(index * 7) * 90), source: `import:${index % 2}` }
  })
}

it('drops what newer builds replace', async () => {
  await build()
  await build()
  const builds = await rig.store.query('SELECT DISTINCT build FROM replay.starts_v1')
  expect(builds).toEqual([{ build: (await buildNow())?.id }])
})
