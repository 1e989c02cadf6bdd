import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BusEvents } from '../contracts/bus.ts'
import { VideoIdSchema } from '../contracts/ids.ts'
import { type TrendRow, TrendsParamsSchema } from '../contracts/measures.ts'
import type { AnalyticsContext } from './context.ts'
import { canKeep, LiveLists } from './live-lists.ts'
import { clipDetails, windowDetails } from './measures/details.ts'
import { trends } from './measures/trends.ts'
import { makeWindow } from './measures/window.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from './test-rig.ts'

const minuteMs = 60_000
/** At least eight seconds before the end of every step. */
const startAt = '2024-03-05T00:00:00'
/** Length of each period in minutes, and of its step in seconds. */
const spans = { '1h': [60, 15], '24h': [1440, 60], '7d': [10_080, 420], '30d': [43_200, 600] } as const
const startMs = Date.parse(`${startAt}Z`)

let rig: AnalyticsRig
let nowMs = startMs
let ctx: AnalyticsContext
beforeAll(async () => {
  rig = await startAnalyticsRig()
  ctx = { ...rig.ctx, world: { database: 'replay', clock: { speed: 1, nowMs: () => nowMs } } }
})
afterAll(() => rig.close())

const paramsOf = (params: object) => TrendsParamsSchema.parse({ type: 'clips', ...params })

describe('kept lists', () => {
  it('agree with lists that are ranked anew while readings come, late, repeated and falling ones too', {
    timeout: 120_000,
  }, async () => {
    await begin()
    const random = mulberry(7)
    await rig.samples(Array.from({ length: 700 }, () => reading(random, startMs - random() ** 2 * 50 * 86_400_000)))
    await rig.videos(
      Array.from({ length: 30 }, (_, number) => ({
        creator: `c${`v${number}`.length}`,
        platform: number % 3 === 0 ? ('tiktok' as const) : ('youtube' as const),
        video: `v${number}`,
        publishedAt: isoOf(Math.floor((startMs - random() ** 3 * 20 * 86_400_000) / 1000) * 1000).slice(0, -1),
      })),
    )
    await rig.settle()
    const lists = new LiveLists()
    const questions = [
      { period: '24h', limit: 10 },
      { period: '7d', limit: 25, sort: 'velocity' },
      { period: '30d', limit: 50, sort: 'views' },
      { period: '24h', limit: 100, platform: 'tiktok' },
      { period: '1h', limit: 20 },
    ] as const
    for (let round = 0; round < 8; round += 1) {
      for (const question of questions) {
        const { rows } = await lists.trends(ctx, paramsOf(question))
        const [minutes, stepSec] = spans[question.period]
        const fromMs = Math.floor((nowMs - minutes * minuteMs) / stepSec / 1000) * stepSec * 1000
        const asked = { ...question, period: undefined, from: isoOf(fromMs), to: isoOf(nowMs) }
        const anew = await trends(ctx, paramsOf(asked))
        // Late readings change ranks one window ago: those are brought up to date with the step. Peers come a moment later.
        const seen = (all: TrendRow[]) =>
          all.map(row => ({
            ...stable(row),
            ...(round > 0 ? { rankChange: null, outlier: null, outlierZ: null } : {}),
          }))
        expect({ round, question, rows: seen(rows) }).toEqual({ round, question, rows: seen(anew.rows) })
      }
      nowMs += 1000
      const batch = Array.from({ length: 6 }, (_, index) =>
        reading(random, index < 4 ? nowMs - index : nowMs - random() * 40 * 86_400_000),
      )
      await rig.samples(batch)
      lists.note(written(batch))
    }
  })

  it('move on when their step has passed, and say the ranks of a window ago', async () => {
    await begin()
    const lists = new LiveLists()
    const ask = () => lists.trends(ctx, paramsOf({ period: '24h' }))
    const day = (days: number) => startMs + days * 86_400_000
    await rig.samples([
      at('first', day(-3), 0),
      at('first', day(-1.5), 100),
      at('first', day(-0.5), 110),
      at('second', day(-3), 0),
      at('second', day(-1.5), 50),
      at('second', day(-0.5), 250),
    ])
    const before = await ask()
    expect(before.rows.map(row => [row.key, row.gain, row.rankChange])).toEqual([
      ['youtube:second', 200, 1],
      ['youtube:first', 10, -1],
    ])
    nowMs = day(0.5) + minuteMs
    const after = await ask()
    expect(after.rows.map(row => [row.key, row.gain])).toEqual([
      ['youtube:second', 0],
      ['youtube:first', 0],
    ])
  })

  it('begin again when too much was written to say what, and when another world is looked at', async () => {
    await begin()
    const lists = new LiveLists()
    const ask = () => lists.trends(ctx, paramsOf({ period: '24h' }))
    await rig.samples([at('a', startMs - minuteMs, 1)])
    expect((await ask()).rows.map(row => row.views)).toEqual([1])
    const batch = [at('a', startMs, 2), at('b', startMs, 3)]
    await rig.samples(batch)
    lists.note({ ...written(batch), event: { ...written(batch).event, videos: [], isCut: true } })
    expect((await ask()).rows.map(row => row.views)).toEqual([2, 3])
    await begin()
    lists.note({ kind: 'world' })
    expect((await ask()).rows).toEqual([])
  })

  it('keep only plain lists of clips in a world whose time runs as ours', () => {
    expect(canKeep(ctx, paramsOf({ period: '7d', platform: 'youtube', sort: 'velocity' }))).toBe(true)
    for (const other of [{ niche: 'gaming' }, { sort: 'acceleration' }, { type: 'topics' }, { creator: 'youtube:c' }]) {
      expect(canKeep(ctx, paramsOf(other))).toBe(false)
    }
    const replayed = { ...ctx, world: { database: 'replay' as const, clock: { speed: 60, nowMs: () => nowMs } } }
    expect(canKeep(replayed, paramsOf({}))).toBe(false)
  })
})

it('details of several windows are those of each window alone', async () => {
  await begin()
  const random = mulberry(11)
  const sources = ['import:one', 'import:two', 'own:three']
  const readings = Array.from({ length: 900 }, () => {
    const given = reading(random, startMs - Math.floor(random() ** 3 * 20_000) * minuteMs)
    return {
      ...given,
      video: `v${Math.floor(random() * 20)}`,
      views: random() < 0.2 ? null : Math.floor(random() * 5),
      source: sources[Math.floor(random() * 3)] ?? '',
    }
  })
  await rig.samples(readings)
  const windows = [60, 1440, 10_080].map(minutes => makeWindow(startMs - minutes * minuteMs, startMs))
  const refs = Array.from({ length: 20 }, (_, number) =>
    ['youtube', 'tiktok'].map(platform => ({ platform, id: `v${number}` })),
  ).flat()
  const all = await windowDetails(ctx, windows, refs, startMs)
  for (const window of windows) {
    const alone = await clipDetails(ctx, window, refs)
    const fresh = [...alone].filter(([, detail]) => detail.sampleAtMs > 0)
    const found = all
      .filter(detail => detail.window === window)
      .map(({ window: _window, key: _key, mayMix: _mix, start: _start, first: _first, ...detail }) => detail)
    expect(fresh.length).toBeGreaterThan(10)
    expect(new Map(found.map(detail => [`${detail.platform} ${detail.videoId}`, detail]))).toEqual(new Map(fresh))
  }
})

async function begin(): Promise<void> {
  await rig.fresh(startAt)
  nowMs = startMs
}

/** What does not depend on how far the step's own end lies in the future: its slices and its last quarter. */
function stable(row: TrendRow) {
  const { spark: _spark, acceleration: _acceleration, missing, ...rest } = row
  const { acceleration: _missing, outlier: _outlier, outlierZ: _z, ...others } = missing
  return { ...rest, missing: others }
}

function reading(random: () => number, atMs: number): TestSample {
  const number = Math.floor(random() * 60)
  return {
    platform: number % 3 === 0 ? 'tiktok' : 'youtube',
    ...at(`v${number}`, Math.floor(atMs / 1000) * 1000, Math.floor(random() * 300)),
    likes: random() < 0.5 ? Math.floor(random() * 50) : null,
  }
}

function at(video: string, atMs: number, views: number): TestSample & { video: string } {
  return { video, creator: `c${video.length}`, at: isoOf(atMs).slice(0, -1), views }
}

function written(rows: readonly TestSample[]) {
  const videos = rows.map(row => VideoIdSchema.parse(`${row.platform ?? 'youtube'}:${row.video}`))
  const event: BusEvents['samples.written'] = {
    world: 'replay',
    platforms: ['youtube', 'tiktok'],
    videos,
    isCut: false,
    rowCount: rows.length,
    atMs: nowMs,
  }
  return { kind: 'samples' as const, event }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString()
}

/** A small seeded generator of numbers in [0, 1): the same world in every run. */
function mulberry(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
