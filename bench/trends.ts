/**
 * What windows cost: the top 50 clips by gain over 24 h, 7 d and 30 d, on samples of many videos, spread over 30 days.
 * The floor is ranking the same videos by their latest counter; the scan computes the 30 d window from the samples.
 * `first…` is a window that nobody has asked for in this hour; the others are asked for again and again.
 * Prints one JSON object. Arguments: videos (default 200,000), runs (default 9), samples of each (default 100).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { readRollupState } from '../analytics/boundaries.ts'
import type { AnalyticsContext } from '../analytics/context.ts'
import { rank } from '../analytics/measures/ranking.ts'
import { trends } from '../analytics/measures/trends.ts'
import { windowBefore, windowOf } from '../analytics/measures/window.ts'
import { loadNicheRules } from '../analytics/niches/rules.ts'
import { makeStartBuild } from '../analytics/queries/start-cache.ts'
import { repairRollups } from '../analytics/settle.ts'
import { TrendsParamsSchema } from '../contracts/measures.ts'
import { startChdb } from '../core/clickhouse/chdb.ts'
import { migrateAnalytics } from '../core/clickhouse/migrate.ts'
import { manualClock } from '../core/clock.ts'
import type { World } from '../core/world.ts'

const videoCount = Number(process.argv[2] ?? 200_000)
const runCount = Number(process.argv[3] ?? 9)
const sampleCount = Number(process.argv[4] ?? 100)
const stepSec = (30 * 86_400) / sampleCount
/** 30 days before an instant that is no boundary. */
const startSec = Date.UTC(2024, 2, 1, 15, 20) / 1000 - 30 * 86_400
const endMs = (startSec + 30 * 86_400) * 1000
const rowsPerInsert = 2_000_000

const folder = await mkdtemp(join(tmpdir(), 'cliptape-bench-'))
const store = await startChdb({ dataDir: folder, log: pino({ level: 'silent' }) })
try {
  await migrateAnalytics(store, { database: 'cliptape' })
  const world = { database: 'cliptape', clock: manualClock(endMs) } as const
  const ctx: AnalyticsContext = { store, world, niches: await loadNicheRules() }
  const fillMs = await timed(fill)
  const settleMs = await timed(() => repairRollups(store, world))
  await store.command(`INSERT INTO cliptape.video_niches_v1 (rules_hash, niche, platform, video_id, rule, tagged_at, is_match)
    SELECT '${ctx.niches.hash}', 'gaming', platform, video_id, 'bench', now64(3), 1 FROM cliptape.latest_v1 FINAL WHERE video_key % 10 = 0`)
  await quiet()
  const list = (params: object) => {
    const asked = TrendsParamsSchema.parse(params)
    return () => rank(ctx, asked, windowOf(asked, endMs), { limit: 50, after: null })
  }
  // A store of its own identity knows of nothing that was asked before.
  const first = (params: object) => {
    const asked = TrendsParamsSchema.parse(params)
    return () => rank({ ...ctx, store: { ...store } }, asked, windowOf(asked, endMs), { limit: 50, after: null })
  }
  const buildMs = await timed(() => build(world))
  const tasks: Record<string, () => Promise<unknown>> = {
    floor: () =>
      store.query(
        'SELECT video_key, max(reading) AS last FROM cliptape.latest_v1 GROUP BY video_key ORDER BY toUInt64(bitAnd(last, 18446744073709551615)) DESC, video_key LIMIT 50',
      ),
    '24h': list({ period: '24h' }),
    '7d': list({ period: '7d' }),
    '30d': list({ period: '30d' }),
    platform: list({ period: '24h', platform: 'tiktok' }),
    niche: list({ period: '24h', niche: 'gaming' }),
    creator: list({ period: '24h', creator: 'youtube:c3' }),
    first24h: first({ period: '24h' }),
    first7d: first({ period: '7d' }),
    first30d: first({ period: '30d' }),
    wholeRows24h: () => trends(ctx, TrendsParamsSchema.parse({ period: '24h' })),
    scan30d: () =>
      store.query(
        `SELECT platform, video_id, argMax(views, observed_at) - argMin(views, observed_at) AS gain FROM cliptape.samples_v1
         WHERE observed_at > fromUnixTimestamp64Milli(${startSec * 1000}) AND observed_at <= fromUnixTimestamp64Milli(${endMs})
         GROUP BY platform, video_id ORDER BY gain DESC LIMIT 50`,
      ),
  }
  const { ms, cpuMs } = await measure(tasks)
  const ratioOf = (of: Record<string, number>) => (name: string, to: string) =>
    Math.round(((of[name] ?? 0) / (of[to] ?? 1)) * 100) / 100
  const ratio = ratioOf(ms)
  const cpuRatio = ratioOf(cpuMs)
  const result = {
    bench: 'trends',
    cores: cpus().length,
    samples: videoCount * sampleCount,
    videos: videoCount,
    fillSec: Math.round(fillMs / 1000),
    settleSec: Math.round(settleMs / 100) / 10,
    buildsSec: Math.round(buildMs / 100) / 10,
    p50Ms: ms,
    p50CpuMs: cpuMs,
    ratios: {
      '24h/floor': ratio('24h', 'floor'),
      '7d/floor': ratio('7d', 'floor'),
      '30d/floor': ratio('30d', 'floor'),
      '30d/24h': ratio('30d', '24h'),
      'first24h/floor': ratio('first24h', 'floor'),
      'first7d/floor': ratio('first7d', 'floor'),
      'first30d/floor': ratio('first30d', 'floor'),
      'scan30d/30d': ratio('scan30d', '30d'),
      'platform/24h': ratio('platform', '24h'),
      'niche/24h': ratio('niche', '24h'),
      'creator/24h': ratio('creator', '24h'),
      'platform/24h cpu': cpuRatio('platform', '24h'),
      'niche/24h cpu': cpuRatio('niche', '24h'),
      'creator/24h cpu': cpuRatio('creator', '24h'),
    },
    goals: { '24h/floor': 2, '7d/floor': 2, '30d/floor': 2, '30d/24h': 1.3, 'scan30d/30d': 'at least 4', filters: 1 },
  }
  process.stdout.write(`${JSON.stringify(result)}\n`)
} finally {
  await store.close()
  await rm(folder, { recursive: true, force: true })
}

/** Rows made inside the engine, in order of time, through the same tables and views that the writer fills. */
async function fill(): Promise<void> {
  const roundsPerInsert = Math.max(1, Math.floor(rowsPerInsert / videoCount))
  for (let round = 0; round < sampleCount; round += roundsPerInsert) {
    const rounds = Math.min(roundsPerInsert, sampleCount - round)
    await store.command(`INSERT INTO cliptape.samples_v1 (platform, video_id, creator_id, observed_at, views, likes, source, endpoint, definition_version)
      SELECT ['youtube', 'tiktok', 'instagram'][v % 3 + 1], concat('v', toString(v)), concat('c', toString(v % 20001)),
        toDateTime64(${startSec} + k * ${stepSec} + cityHash64(v, k) % ${stepSec}, 3, 'UTC'),
        (k + 1) * (1000 + cityHash64(v) % 100000) + cityHash64(v, k) % 777, k, 'import:bench', '', 1
      FROM (SELECT number % ${videoCount} AS v, ${round} + intDiv(number, ${videoCount}) AS k FROM (SELECT arrayJoin(range(${videoCount * rounds})) AS number))`)
  }
}

/** What lists make beside when they are asked for a second time. */
async function build(world: World): Promise<void> {
  for (const period of ['24h', '7d', '30d'] as const) {
    const window = windowOf({ period }, endMs)
    for (const atMs of [window.fromMs, windowBefore(window).fromMs]) {
      await makeStartBuild({ store, world }, await readRollupState({ store, world }, endMs), atMs, window.backMs)
    }
  }
}

/** p50 of each task, and of the processor time that the engine took; tasks take turns, so that a busy moment hits all of them. */
async function measure(
  tasks: Record<string, () => Promise<unknown>>,
): Promise<{ ms: Record<string, number>; cpuMs: Record<string, number> }> {
  const times = new Map<string, number[]>()
  const cpuTimes = new Map<string, number[]>()
  for (let run = 0; run <= runCount; run++) {
    for (const [name, task] of Object.entries(tasks)) {
      const beforeMs = await engineCpuMs()
      const tookMs = await timed(task)
      const tookCpuMs = (await engineCpuMs()) - beforeMs
      // The first round warms the caches.
      if (run === 0) continue
      times.set(name, [...(times.get(name) ?? []), tookMs])
      cpuTimes.set(name, [...(cpuTimes.get(name) ?? []), tookCpuMs])
    }
  }
  return { ms: medians(times), cpuMs: medians(cpuTimes) }
}

function medians(times: ReadonlyMap<string, number[]>): Record<string, number> {
  return Object.fromEntries(
    [...times].map(([name, all]) => [
      name,
      Math.round((all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0) * 10) / 10,
    ]),
  )
}

/** Of all statements until now. */
async function engineCpuMs(): Promise<number> {
  const [row] = await store.query<{ us: string | number }>(
    "SELECT sum(value) AS us FROM system.events WHERE event IN ('UserTimeMicroseconds', 'SystemTimeMicroseconds')",
  )
  return Number(row?.us ?? 0) / 1000
}

async function timed(task: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await task()
  return performance.now() - startedAt
}

/** Merges of what was just written are done, as they are on a server that has been up for a while. */
async function quiet(): Promise<void> {
  for (const table of ['latest_v1', 'firsts_v1', 'boundaries_v1', 'readings_v1', 'samples_v1', 'video_niches_v1']) {
    await store.command(`OPTIMIZE TABLE cliptape.${table} FINAL`)
  }
}
