import { type Platform, platforms } from '../contracts/ids.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { emptyWorld, startTestStore } from '../core/clickhouse/test-store.ts'
import { manualClock } from '../core/clock.ts'
import type { AnalyticsContext } from './context.ts'
import { compileNicheRules, loadNicheRules } from './niches/rules.ts'
import { repairRollups } from './settle.ts'

/** One sample of a test; what is left out is not provided, and `at` is ISO 8601 without a zone (UTC). */
export interface TestSample {
  readonly platform?: Platform
  readonly video: string
  readonly creator?: string
  readonly at: string
  readonly views?: number | null
  readonly likes?: number | null
  readonly comments?: number | null
  readonly shares?: number | null
  readonly saves?: number | null
  readonly source?: string
}

export interface TestVideo {
  readonly platform?: Platform
  readonly video: string
  readonly creator?: string
  readonly title?: string
  readonly kind?: 'clip' | 'vod' | 'stream'
  readonly publishedAt?: string | null
  readonly durationSeconds?: number | null
  readonly category?: string
  readonly tags?: string[]
  readonly regions?: string[]
  readonly topics?: string[]
  readonly source?: string
  readonly at?: string
}

/** A real engine with the real schema; `fresh()` empties it and gives a context with a clock that only tests move. */
export interface AnalyticsRig {
  readonly store: AnalyticsStore
  readonly ctx: AnalyticsContext
  fresh(nowAt: string): Promise<void>
  samples(rows: readonly TestSample[]): Promise<void>
  videos(rows: readonly TestVideo[]): Promise<void>
  rows(table: string, rows: readonly object[]): Promise<void>
  settle(): Promise<void>
  close(): Promise<void>
}

/** Starts it, with the replay world, in which the tests run. */
export async function startAnalyticsRig(): Promise<AnalyticsRig> {
  const { store, end } = await startTestStore({ world: 'replay' })
  const clock = manualClock(0)
  const niches = await loadNicheRules()
  const ctx: AnalyticsContext = { store, world: { database: 'replay', clock }, niches }
  const insert = (table: string, rows: readonly object[]) => store.insert(`replay.${table}`, rows)
  return {
    store,
    ctx,
    async fresh(nowAt) {
      await emptyWorld(store, 'replay')
      clock.set(Date.parse(`${nowAt}Z`))
    },
    samples: rows => insert('samples_v1', rows.map(sampleRow)),
    videos: rows => insert('videos_v1', rows.map(videoRow)),
    rows: insert,
    settle: () => repairRollups(store, ctx.world),
    close: end,
  }
}

/** Rules of a test's own. */
export const testNiches = (value: unknown) => compileNicheRules(value, 'test')

function sampleRow(sample: TestSample): object {
  return {
    platform: sample.platform ?? platforms[0],
    video_id: sample.video,
    creator_id: sample.creator ?? '',
    observed_at: engineTime(sample.at),
    views: sample.views ?? null,
    likes: sample.likes ?? null,
    comments: sample.comments ?? null,
    shares: sample.shares ?? null,
    saves: sample.saves ?? null,
    source: sample.source ?? 'import:test',
    endpoint: '',
    definition_version: 1,
  }
}

function videoRow(video: TestVideo): object {
  const publishedAt = video.publishedAt ?? null
  return {
    platform: video.platform ?? platforms[0],
    video_id: video.video,
    creator_id: video.creator ?? '',
    kind: video.kind ?? 'clip',
    title: video.title ?? video.video,
    url: `https://example.com/${video.video}`,
    thumbnail_url: '',
    published_at: publishedAt === null ? null : engineTime(publishedAt),
    ended_at: null,
    duration_seconds: video.durationSeconds ?? null,
    category: video.category ?? '',
    tags: video.tags ?? [],
    regions: video.regions ?? [],
    topics: video.topics ?? [],
    source: video.source ?? 'import:test',
    observed_at: engineTime(video.at ?? '2024-01-01T00:00:00'),
  }
}

function engineTime(at: string): string {
  return new Date(`${at}Z`).toISOString().replace('T', ' ').replace('Z', '')
}
