import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { migrationOf, shippedMigrations } from '../migration-plan.ts'
import { backupStore, restoreStore } from './backup.ts'
import { dropWorld, migrateAnalytics } from './migrate.ts'
import { startTestStore } from './test-store.ts'

type TestStore = Awaited<ReturnType<typeof startTestStore>>
let test: TestStore
let folder: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cliptape-backup-'))
  test = await startTestStore()
})

afterAll(async () => {
  await test.end()
  rmSync(folder, { recursive: true, force: true })
})

const owner = '11111111-1111-4111-8111-111111111111'
const stranger = '22222222-2222-4222-8222-222222222222'

const sample = {
  platform: 'youtube',
  video_id: 'a',
  creator_id: 'c',
  observed_at: '2024-05-01 00:00:00.250',
  views: '18446744073709551615',
  likes: null,
  source: 'test\ttab',
  endpoint: '',
  definition_version: 1,
}

describe('migrateAnalytics', () => {
  it('brings both worlds up, the views of users only over the real one, and runs nothing twice', async () => {
    const files = shippedMigrations('clickhouse/migrations').map(file => file.name)
    expect(await migrateAnalytics(test.store, { database: 'cliptape' })).toEqual({ applied: files })
    expect(await migrateAnalytics(test.store, { database: 'cliptape' })).toEqual({ applied: [] })
    expect(await migrateAnalytics(test.store, { database: 'replay' })).toEqual({ applied: files })
    const views = await test.store.query(`SELECT count() > 0 AS there FROM system.tables WHERE database = 'v'`)
    expect(views).toEqual([{ there: 1 }])
    const overReplay = `SELECT name FROM system.tables WHERE database IN ('v', 'mine') AND position(create_table_query, 'replay.') > 0`
    expect(await test.store.query(overReplay)).toEqual([])
  })

  it('gives every MergeTree table the settings that let it survive a power loss', async () => {
    const weak = await test.store.query(
      `SELECT database, name FROM system.tables WHERE database IN ('cliptape', 'replay') AND engine LIKE '%MergeTree' AND NOT (
        create_table_query LIKE '%fsync_after_insert = 1%' AND create_table_query LIKE '%fsync_part_directory = 1%'
        AND create_table_query LIKE '%min_rows_to_fsync_after_merge = 1%'
        AND create_table_query LIKE '%min_compressed_bytes_to_fsync_after_merge = 1%')`,
    )
    expect(weak).toEqual([])
  })

  it('refuses a history that was edited', async () => {
    const [first, ...rest] = shippedMigrations('clickhouse/migrations')
    const files = [migrationOf(first?.name ?? '', 'SELECT 1'), ...rest]
    await expect(migrateAnalytics(test.store, { database: 'cliptape', files })).rejects.toMatchObject({
      code: 'CONFLICT',
    })
  })

  it('runs a file again from its start when it was cut off', async () => {
    const shipped = shippedMigrations('clickhouse/migrations')
    const name = `${String(shipped.length + 1).padStart(4, '0')}_more.sql`
    const more = (end: string) =>
      migrationOf(
        name,
        `CREATE TABLE IF NOT EXISTS {database}.more_v1 (a UInt8) ENGINE = MergeTree ORDER BY a;\n${end};\n`,
      )
    const run = (end: string) => migrateAnalytics(test.store, { database: 'replay', files: [...shipped, more(end)] })
    await expect(run('SELECT absent')).rejects.toMatchObject({ code: 'QUERY_FAILED' })
    expect(await run('SELECT 1')).toEqual({ applied: [name] })
  })

  it('drops a replay with all its rows and leaves the real world alone', async () => {
    await test.store.insert('cliptape.samples_v1', [sample])
    await test.store.insert('replay.samples_v1', [sample])
    await dropWorld(test.store, 'replay')
    await migrateAnalytics(test.store, { database: 'replay' })
    expect(await test.store.query('SELECT count() AS rows FROM replay.samples_v1')).toEqual([{ rows: 0 }])
    expect(await test.store.query('SELECT count() AS rows FROM cliptape.samples_v1')).toEqual([{ rows: 1 }])
  })
})

describe('a backup of the analytics store', () => {
  it('brings every row back into an empty store, with its views and rollups, while the first one goes on', async () => {
    const dir = join(folder, 'first')
    mkdirSync(dir)
    const many = Array.from({ length: 30_000 }, (_, index) => ({ ...sample, video_id: `v${index}`, views: index }))
    await test.store.insert('cliptape.samples_v1', many)
    await test.store.insert('cliptape.own_samples_v1', [
      { ...sample, owner_id: owner, views: 5 },
      { ...sample, owner_id: stranger, views: 6 },
    ])
    const copying = backupStore(test.store, dir)
    await test.store.insert('cliptape.creators_v1', [
      {
        platform: 'youtube',
        creator_id: 'c',
        name: 'during',
        handle: '',
        source: 'x',
        observed_at: '2024-05-01 00:00:00',
      },
    ])
    await copying

    const other = await startTestStore()
    await migrateAnalytics(other.store, { database: 'cliptape' })
    await restoreStore(other.store, dir)
    expect(await migrateAnalytics(other.store, { database: 'cliptape' })).toEqual({ applied: [] })
    for (const sql of [
      'SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM cliptape.samples_v1',
      'SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM (SELECT * FROM cliptape.readings_v1 FINAL)',
      'SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM (SELECT * FROM cliptape.latest_v1 FINAL)',
      "SELECT count() AS rows, sum(cityHash64(*)) AS hash FROM v.samples WHERE video_id = 'a'",
      `SELECT * FROM mine.samples(owner = '${owner}')`,
    ]) {
      expect(await other.store.query(sql), sql).toEqual(await test.store.query(sql))
    }
    const definitions = `SELECT database, name, create_table_query FROM system.tables WHERE database IN ('cliptape', 'v', 'mine') ORDER BY database, name`
    expect(await other.store.query(definitions)).toEqual(await test.store.query(definitions))
    await expect(restoreStore(other.store, dir)).rejects.toMatchObject({ code: 'CONFLICT' })
    await other.end()
  })

  it('refuses a folder that holds none', async () => {
    await expect(restoreStore(test.store, folder)).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})
