import { afterAll, beforeAll, expect, it } from 'vitest'
import { storedAges } from './frozen-ages.ts'
import { describe as describeSubject } from './measures/describe.ts'
import { collapse, frozenAges, viewsAtAge } from './scores.ts'
import { type AnalyticsRig, startAnalyticsRig, type TestSample } from './test-rig.ts'

let rig: AnalyticsRig
beforeAll(async () => {
  rig = await startAnalyticsRig()
})
afterAll(() => rig.close())

const hourMs = 3_600_000
const startMs = Date.UTC(2024, 0, 1)
const isoOf = (ms: number) => new Date(ms).toISOString().slice(0, -1)
const ages = async (video: string) => {
  const facts = await describeSubject(rig.ctx, { type: 'clips', id: `youtube:${video}`, period: '24h' })
  return facts.filter(fact => fact.group === 'ages').map(fact => [fact.label, fact.value, fact.state])
}

for (const seed of [1, 2, 3]) {
  it(`are stored as the definitions say, whatever came first: samples or descriptions, late or moved (${seed})`, {
    timeout: 120_000,
  }, async () => {
    const random = mulberry(seed)
    const nowMs = startMs + 60 * 24 * hourMs
    await rig.fresh(isoOf(nowMs))
    const samples: (TestSample & { views: number })[] = []
    const published = new Map<string, number>()
    for (let number = 0; number < 40; number++) {
      const bornMs = startMs + Math.floor(random() * 50 * 24 * 3600) * 1000
      for (let count = Math.floor(random() * 30); count > 0; count--) {
        // Many readings fall exactly on an age, or on the oldest instant that still counts for one.
        const age = frozenAges[Math.floor(random() * frozenAges.length)]?.ms ?? 0
        const spread = random() < 0.3 ? age - (random() < 0.5 ? 36 * hourMs : 0) : random() ** 3 * 45 * 24 * hourMs
        const atMs = Math.min(nowMs, Math.max(startMs, bornMs + Math.floor(spread / 1000) * 1000))
        samples.push({ video: `v${number}`, at: isoOf(atMs), views: Math.floor(random() * 1000) })
      }
      published.set(`v${number}`, bornMs)
    }
    samples.sort(() => random() - 0.5)
    const videos = [...published].map(([video, ms]) => ({ video, publishedAt: isoOf(ms) }))
    // A third is described before anything is read, a third while it is read, a third at the end; some move.
    const wrong = videos
      .slice(0, 20)
      .map(video => ({ ...video, publishedAt: isoOf(startMs), at: '2023-01-01T00:00:00' }))
    await rig.videos([...wrong.slice(0, 5), ...videos.slice(0, 13)])
    await rig.samples(samples.slice(0, samples.length / 3))
    await rig.settle()
    await rig.videos([...wrong.slice(5, 15), ...videos.slice(13, 26)])
    await rig.samples(samples.slice(samples.length / 3, samples.length / 2))
    await rig.settle()
    await rig.samples(samples.slice(samples.length / 2))
    await rig.videos(wrong.slice(15))
    await rig.settle()
    await rig.videos(videos.slice(26))
    await rig.settle()
    let storedCount = 0
    for (const [video, publishedMs] of published) {
      const own = samples.filter(sample => sample.video === video)
      const readings = collapse(own.map(({ at, views }) => ({ atMs: Date.parse(`${at}Z`), views })))
      const expected = frozenAges.flatMap(({ ms }) => {
        const reading = valueAtAge(readings, publishedMs, ms)
        return reading ? [[ms, reading] as const] : []
      })
      const found = await storedAges(rig.ctx, { platform: 'youtube', id: video }, publishedMs)
      expect({ video, found }).toEqual({ video, found: new Map(expected) })
      storedCount += found.size
    }
    expect(storedCount).toBeGreaterThan(40)
  })
}

it('stay when the samples expire, and are shown from the samples before they are stored', async () => {
  await rig.fresh('2024-01-05T01:00:00')
  await rig.videos([{ video: 'a', publishedAt: '2024-01-01T00:00:00' }])
  await rig.samples([
    { video: 'a', at: '2024-01-01T00:30:00', views: 5 },
    { video: 'a', at: '2024-01-01T23:00:00', views: 70 },
    { video: 'a', at: '2024-01-03T23:00:00', views: 900 },
  ])
  const before = await ages('a')
  expect(before).toEqual([
    ['V1h', 5, 'value'],
    ['V1', 70, 'value'],
    ['V3', 900, 'value'],
    ['V7', null, 'too_few'],
    ['V30', null, 'too_few'],
  ])
  await rig.settle()
  expect(await ages('a')).toEqual(before)
  for (const table of ['samples_v1', 'readings_v1']) await rig.store.command(`TRUNCATE TABLE replay.${table}`)
  expect(await ages('a')).toEqual(before)
})

it('are corrected by late samples, and go with the samples only where their source must forget them', async () => {
  await rig.fresh('2024-03-01T00:00:00')
  await rig.videos(['a', 'b'].map(video => ({ video, publishedAt: '2024-01-01T00:00:00' })))
  const read = { platform: 'youtube', creator_id: '', observed_at: '2024-01-01 20:00:00', endpoint: '' }
  const expiring = { ...read, definition_version: 1, expires_at: '2100-01-01 00:00:00' }
  await rig.rows('samples_v1', [
    { ...expiring, video_id: 'a', views: 70, source: 'import:test' },
    { ...expiring, video_id: 'b', views: 7, source: 'youtube-api' },
  ])
  await rig.settle()
  await rig.samples([{ video: 'a', at: '2024-01-01T22:00:00', views: 71 }])
  await rig.settle()
  expect((await storedAges(rig.ctx, { platform: 'youtube', id: 'a' }, startMs)).get(24 * hourMs)).toEqual({
    atMs: startMs + 22 * hourMs,
    views: 71,
  })
  const kept = await rig.store.query<{ id: string; year: number }>(
    `SELECT DISTINCT known.video_id AS id, toYear(frozen.expires_at) AS year FROM replay.frozen_ages_v1 AS frozen
     ANY INNER JOIN replay.latest_v1 AS known ON known.video_key = frozen.video_key WHERE age_hours = 24 ORDER BY id`,
  )
  expect(kept.map(({ id, year }) => [id, year])).toEqual([
    ['a', 2106],
    ['b', 2100],
  ])
})

/** Without a clock: an age that has not passed is stored as it stands. */
function valueAtAge(readings: ReturnType<typeof collapse>, publishedMs: number, ageMs: number) {
  return viewsAtAge(readings, publishedMs, ageMs, Number.MAX_SAFE_INTEGER)
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
