import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TrendsParamsSchema } from '../../contracts/measures.ts'
import { readRollupState } from '../boundaries.ts'
import { makeStartBuild } from '../queries/start-cache.ts'
import { collapse, gainOf, type Reading } from '../scores.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from '../test-rig.ts'
import { trends } from './trends.ts'
import { windowOf } from './window.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const ask = (params: object) => trends(rig.ctx, TrendsParamsSchema.parse(params))

describe('gains of clips', () => {
  it('takes the last readings at or before both ends: the example of the definitions', async () => {
    await rig.fresh('2024-01-03T06:00:00') // A Wednesday, 06:00.
    await rig.samples([
      { video: 'a', at: '2024-01-01T00:00:00', views: 100 },
      { video: 'a', at: '2024-01-02T00:00:00', views: 160 },
      { video: 'a', at: '2024-01-03T00:00:00', views: 250, likes: 20, comments: 5 },
    ])
    const unsettled = await ask({ period: '24h' })
    await rig.settle()
    const settled = await ask({ period: '24h' })
    expect(settled.rows[0]).toMatchObject({
      key: 'youtube:a',
      rank: 1,
      views: 250,
      gain: 90,
      gainState: 'value',
      velocity: 90 / 24,
      engagement: 0.1,
      engagementOver: ['likes', 'comments'],
      sampleAt: '2024-01-03T00:00:00.000Z',
      source: 'import:test',
    })
    expect(settled.rows).toEqual(unsettled.rows)
  })

  it('marks what was published inside the window as new and what was first read inside it as partial', async () => {
    await rig.fresh('2024-01-03T00:00:00')
    await rig.videos([
      { video: 'born', publishedAt: '2024-01-02T12:00:00' },
      { video: 'old', publishedAt: '2023-01-01T00:00:00' },
    ])
    await rig.samples([
      { video: 'born', at: '2024-01-02T18:00:00', views: 60 },
      { video: 'old', at: '2024-01-02T06:00:00', views: 1000 },
      { video: 'old', at: '2024-01-02T18:00:00', views: 1012 },
      { video: 'once', at: '2024-01-02T18:00:00', views: 7 },
    ])
    await rig.settle()
    const { rows } = await ask({ period: '24h' })
    expect(rows.map(row => [row.key, row.gain, row.gainState, row.velocity])).toEqual([
      ['youtube:born', 60, 'new', 10],
      ['youtube:old', 12, 'partial', 1],
      ['youtube:once', 0, 'partial', null],
    ])
    expect(rows[2]?.missing).toMatchObject({ velocity: 'too_few' })
  })

  it('leaves out what was not read for longer than the look-back, and shows what gives no views without a gain', async () => {
    await rig.fresh('2024-01-10T00:00:00')
    await rig.samples([
      { video: 'stale', at: '2024-01-08T11:59:59', views: 5 },
      { video: 'kept', at: '2024-01-08T12:00:00', views: 5 },
      { platform: 'instagram', video: 'post', at: '2024-01-09T12:00:00', likes: 9 },
    ])
    await rig.settle()
    const { rows } = await ask({ period: '24h' })
    expect(rows.map(row => row.key)).toEqual(['youtube:kept', 'instagram:post'])
    expect(rows[1]).toMatchObject({ views: null, gain: null, missing: { views: 'not_provided', gain: 'not_provided' } })
  })
})

describe('against the plain definitions', () => {
  const startMs = Date.UTC(2024, 0, 20)
  const hourMs = 3_600_000

  for (const seed of [1, 2, 3]) {
    it(`agrees on a random world with late, repeated, falling and sparse readings (${seed})`, {
      timeout: 120_000,
    }, async () => {
      const random = mulberry(seed)
      const endMs = startMs + 75 * 24 * hourMs
      const nowAt = new Date(endMs + Math.floor(random() * 20 * hourMs)).toISOString().slice(0, -1)
      await rig.fresh(nowAt)
      const world = makeWorld(random, startMs, endMs)
      await rig.videos(world.videos)
      // The first part is settled; the rest comes late, in two pieces, of which the last is not settled at all.
      const cut = [Math.floor(world.samples.length / 2), Math.floor(world.samples.length * 0.8)] as const
      await rig.samples(world.samples.slice(0, cut[0]))
      await rig.settle()
      await rig.samples(world.samples.slice(cut[0], cut[1]))
      if (seed !== 3) await rig.settle()
      await rig.samples(world.samples.slice(cut[1]))
      if (seed === 1) await rig.settle()
      const windows = [
        ...(['1h', '6h', '24h', '7d', '30d'] as const).map(period => ({ period })),
        {
          from: new Date(startMs + 30.3 * 24 * hourMs).toISOString(),
          to: new Date(startMs + 41.6 * 24 * hourMs).toISOString(),
        },
        { from: new Date(startMs + 2 * 24 * hourMs).toISOString(), to: new Date(endMs - 3 * hourMs).toISOString() },
      ]
      const check = async (form: string) => {
        for (const window of windows) {
          const { rows } = await ask({ ...window, limit: 500 })
          const found = new Map(rows.map(row => [row.key, [row.gainState, row.views, row.gain, row.velocity]]))
          const given = expected(world, windowOf(window, Date.parse(`${nowAt}Z`)))
          expect({ form, window, found }).toEqual({ form, window, found: given })
        }
      }
      await check('from boundaries')
      for (const window of windows) {
        const { fromMs, toMs, backMs } = windowOf(window, Date.parse(`${nowAt}Z`))
        for (const atMs of 'to' in window ? [fromMs, toMs] : [fromMs]) {
          await makeStartBuild(rig.ctx, await readRollupState(rig.ctx, toMs), atMs, backMs)
        }
      }
      await check('from builds of starts')
    })
  }
})

interface World {
  samples: TestSample[]
  videos: { video: string; publishedAt: string | null }[]
}

function makeWorld(random: () => number, startMs: number, endMs: number): World {
  const world: World = { samples: [], videos: [] }
  for (let number = 0; number < 60; number++) {
    const video = `v${number}`
    const bornMs = startMs + random() * (endMs - startMs) * 0.95
    const lifeMs = random() ** 2 * (endMs - bornMs)
    const count = 1 + Math.floor(random() * 25)
    const isKnown = random() < 0.5
    const publishedMs = Math.floor((bornMs - random() * 40 * 3_600_000) / 1000) * 1000
    world.videos.push({ video, publishedAt: isKnown ? isoLocal(publishedMs) : null })
    for (let index = 0; index < count; index++) {
      // Many readings fall on whole hours and boundaries, where ends meet.
      const step = random() < 0.4 ? 21_600_000 : 1000
      const atMs = Math.floor((bornMs + random() * lifeMs) / step) * step
      const at = isoLocal(atMs)
      world.samples.push({
        video,
        at,
        views: Math.floor(random() * 5000),
        source: random() < 0.5 ? 'import:a' : 'import:b',
      })
      if (random() < 0.2) world.samples.push({ video, at, views: Math.floor(random() * 5000), source: 'import:c' })
    }
  }
  for (let index = world.samples.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const [a, b] = [world.samples[index], world.samples[other]]
    if (a && b) [world.samples[index], world.samples[other]] = [b, a]
  }
  return world
}

function expected(world: World, window: { fromMs: number; toMs: number }): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>()
  for (const { video, publishedAt } of world.videos) {
    const readings: Reading[] = world.samples
      .filter(sample => sample.video === video)
      .map(sample => ({ atMs: Date.parse(`${sample.at}Z`), views: sample.views ?? 0 }))
    const publishedAtMs = publishedAt === null ? null : Date.parse(`${publishedAt}Z`)
    const gain = gainOf(collapse(readings), window, publishedAtMs)
    if (gain) found.set(`youtube:${video}`, [gain.state, gain.end.views, gain.gain, gain.velocity])
  }
  return found
}

function isoLocal(ms: number): string {
  return new Date(ms).toISOString().slice(0, -1)
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
