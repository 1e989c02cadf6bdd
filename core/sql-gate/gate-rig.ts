import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type UserId, UserIdSchema } from '../../contracts/ids.ts'
import type { AnalyticsStore } from '../clickhouse/port.ts'
import { startTestStore } from '../clickhouse/test-store.ts'
import { createSqlGate, type QueryLimits, type SqlGate } from './gate.ts'

/** Two users with a private row each, a few public rows, and things that no query may ever show or touch. */
export interface GateRig {
  readonly store: AnalyticsStore
  readonly gate: SqlGate
  readonly user: UserId
  readonly other: UserId
  /** A file that the engine's process can read, and one that it could write. */
  readonly canaryPath: string
  readonly outPath: string
  readonly limits: QueryLimits
  /** Everything that a query could have changed: tables, their rows, files, restarts of the engine. */
  state(): Promise<string>
  close(): Promise<void>
}

/** Each is found in the canaries and nowhere else. */
export const canaries = { file: 'CANARY-FILE', table: 'CANARY-TABLE', other: 'CANARY-OTHER' } as const

const durable =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1'

export async function openGateRig(): Promise<GateRig> {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-gate-'))
  const files = join(folder, 'files')
  await mkdir(files)
  const canaryPath = join(files, 'canary.txt')
  await writeFile(canaryPath, canaries.file)
  const { store } = await startTestStore({ world: 'cliptape', dataDir: join(folder, 'engine') })
  const user = UserIdSchema.parse('11111111-1111-4111-8111-111111111111')
  const other = UserIdSchema.parse('22222222-2222-4222-8222-222222222222')
  await fill(store, { user, other })
  const gate = await createSqlGate(store)
  return {
    store,
    gate,
    user,
    other,
    canaryPath,
    outPath: join(files, 'out.txt'),
    limits: {
      timeSecMax: 10,
      memoryBytesMax: 500_000_000,
      resultRowsMax: 10_000,
      resultBytesMax: 10_000_000,
      readRowsMax: 1_000_000,
      atOnceMax: null,
    },
    async state() {
      const tables = await store.query(
        "SELECT database, name, total_rows, create_table_query FROM system.tables WHERE database IN ('cliptape', 'replay', 'v', 'mine') ORDER BY database, name",
      )
      return JSON.stringify({ tables, files: await readdir(files), restarts: store.status().restartCount })
    },
    async close() {
      await store.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function fill(store: AnalyticsStore, { user, other }: { user: UserId; other: UserId }): Promise<void> {
  const sample = (videoId: string, minute: number, views: number) => ({
    platform: videoId.startsWith('t') ? 'tiktok' : 'youtube',
    video_id: videoId,
    creator_id: `creator-${videoId}`,
    observed_at: `2024-01-01 00:${String(minute).padStart(2, '0')}:00.000`,
    views,
    likes: Math.floor(views / 10),
    comments: 1,
    source: 'test',
    endpoint: '',
    definition_version: 1,
  })
  await store.insert('cliptape.samples_v1', [
    sample('a', 0, 100),
    sample('a', 10, 150),
    sample('a', 20, 450),
    sample('t1', 0, 7),
    { ...sample('t1', 30, 0), views: '18446744073709551615', likes: '9007199254740993' },
  ])
  await store.insert('cliptape.own_samples_v1', [
    { owner_id: user, ...sample('a', 5, 111) },
    { owner_id: user, ...sample('own', 5, 222) },
    { owner_id: other, ...sample(canaries.other, 5, 333) },
  ])
  await store.insert('cliptape.own_creator_samples_v1', [
    { owner_id: user, ...creatorSample('creator-own') },
    { owner_id: other, ...creatorSample(canaries.other) },
  ])
  await store.insert('cliptape.videos_v1', [video('a'), video('own'), video('t1')])
  await store.insert('cliptape.creators_v1', [creator('creator-a'), creator(`creator-${canaries.other}`)])
  await store.command(
    `CREATE TABLE cliptape.canary_v1 (secret String) ENGINE = MergeTree ORDER BY secret SETTINGS ${durable}`,
  )
  await store.insert('cliptape.canary_v1', [{ secret: canaries.table }])
}

function creatorSample(creatorId: string) {
  return {
    platform: 'youtube',
    creator_id: creatorId,
    observed_at: '2024-01-01 00:00:00.000',
    followers: 5,
    source: 'test',
    endpoint: '',
    definition_version: 1,
  }
}

function creator(creatorId: string) {
  return {
    platform: 'youtube',
    creator_id: creatorId,
    name: `Name of ${creatorId}`,
    source: 'test',
    observed_at: '2024-01-01 00:00:00.000',
  }
}

function video(videoId: string) {
  return {
    platform: videoId.startsWith('t') ? 'tiktok' : 'youtube',
    video_id: videoId,
    creator_id: `creator-${videoId}`,
    kind: 'clip',
    title: `A cat, ${videoId}`,
    url: `https://example.org/watch?v=${videoId}`,
    thumbnail_url: '',
    published_at: '2023-12-31 12:00:00.000',
    category: 'Comedy',
    tags: ['funny', 'cat'],
    regions: ['US'],
    topics: ['funny'],
    source: 'test',
    observed_at: '2024-01-01 00:00:00.000',
  }
}
