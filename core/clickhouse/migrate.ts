import { planMigrations, shippedMigrations } from '../migration-plan.ts'
import type { WorldDatabase } from '../world.ts'
import { renderSql } from './literal.ts'
import type { AnalyticsStore } from './port.ts'
import { splitStatements } from './statements.ts'

/** Without these four settings the engine may not start again after a power loss. */
const durable =
  'fsync_after_insert = 1, fsync_part_directory = 1, min_rows_to_fsync_after_merge = 1, min_compressed_bytes_to_fsync_after_merge = 1'

/**
 * Brings one world's database to the newest schema. Files whose name holds `.schema.` make the views of users' SQL over
 * the real world: in a replay's database they are recorded as done without being run.
 *
 * Every statement is idempotent (`IF NOT EXISTS`), because the engine has no transactions over DDL: a migration that was
 * cut off runs again from its start.
 *
 * @throws AppError CONFLICT when a migration that has run was edited, or the store is newer than this program
 */
export async function migrateAnalytics(
  store: AnalyticsStore,
  { database, files = shippedMigrations('clickhouse/migrations') }: MigrateOptions,
): Promise<{ applied: string[] }> {
  const inDatabase = (sql: string) => renderSql(sql, { database })
  await store.command(inDatabase('CREATE DATABASE IF NOT EXISTS {database:Identifier}'))
  await store.command(
    inDatabase(
      `CREATE TABLE IF NOT EXISTS {database:Identifier}.migrations_v1 (name String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3)) ENGINE = MergeTree ORDER BY name SETTINGS ${durable}`,
    ),
  )
  const recorded = await store.query<{ name: string; checksum: string }>(
    inDatabase('SELECT DISTINCT name, checksum FROM {database:Identifier}.migrations_v1'),
  )
  const applied: string[] = []
  for (const { name, sql, checksum } of planMigrations(files, recorded)) {
    const isSkipped = name.includes('.schema.') && database !== 'cliptape'
    if (!isSkipped) {
      for (const statement of splitStatements(sql)) await store.command(statement.replaceAll('{database}', database))
    }
    await store.insert(`${database}.migrations_v1`, [{ name, checksum }])
    applied.push(name)
  }
  return { applied }
}

interface MigrateOptions {
  database: WorldDatabase
  /** What ships, but for tests. */
  files?: ReturnType<typeof shippedMigrations>
}

/** Drops a replay's world with all its rows. The real world has no such door. */
export async function dropWorld(store: AnalyticsStore, database: Exclude<WorldDatabase, 'cliptape'>): Promise<void> {
  await store.command(renderSql('DROP DATABASE IF EXISTS {database:Identifier}', { database }))
}
