import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { shippedMigrations } from '../migration-plan.ts'
import { copyStore, type StoreTemplate } from '../test-template.ts'
import type { WorldDatabase } from '../world.ts'
import { type ChdbOptions, startChdb } from './chdb.ts'
import { renderSql } from './literal.ts'
import { migrateAnalytics } from './migrate.ts'
import type { AnalyticsStore } from './port.ts'

/** A log that says nothing. */
export const silentLog = pino({ level: 'silent' })

export interface TestStoreOptions extends Partial<Pick<ChdbOptions, 'port' | 'limits' | 'sandbox'>> {
  /** Which world is there, with the newest schema and no rows; none without it. */
  readonly world?: WorldDatabase
  /** Where it lies: what is there already is opened as it is, and `end` leaves it. A temporary folder without it. */
  readonly dataDir?: string
}

/** An engine on a folder of its own; `end` closes it and takes a temporary folder away. */
export async function startTestStore({
  world,
  dataDir: given,
  ...o
}: TestStoreOptions = {}): Promise<{ store: AnalyticsStore; dataDir: string; end(): Promise<void> }> {
  const folder = given === undefined ? mkdtempSync(join(tmpdir(), 'cliptape-chdb-')) : null
  const dataDir = given ?? join(folder ?? tmpdir(), 'data')
  if (world !== undefined && !existsSync(dataDir)) await placeTestStore(world, dataDir)
  const store = await startChdb({ dataDir, log: silentLog, ...o })
  return {
    store,
    dataDir,
    async end() {
      await store.close()
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Puts a world with the newest schema and no rows where there is no store yet, for a program that will open it. */
export const placeTestStore = (world: WorldDatabase, dataDir: string): Promise<void> =>
  copyStore(migrated(world), dataDir)

function migrated(world: WorldDatabase): StoreTemplate {
  return {
    name: `analytics-${world}`,
    migrations: shippedMigrations('clickhouse/migrations'),
    async make(dataDir) {
      const store = await startChdb({ dataDir, log: silentLog })
      await migrateAnalytics(store, { database: world })
      await store.close()
    },
  }
}

/** Takes every row out of a world, which keeps its schema. A tenth of the cost of dropping it and making it anew. */
export async function emptyWorld(store: AnalyticsStore, database: WorldDatabase): Promise<void> {
  const filled = await store.query<{ table: string }>(
    renderSql(
      "SELECT DISTINCT table FROM system.parts WHERE database = {database:String} AND active AND table != 'migrations_v1'",
      { database },
    ),
  )
  for (const { table } of filled) {
    await store.command(renderSql('TRUNCATE TABLE {database:Identifier}.{table:Identifier}', { database, table }))
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error())))
  })
  return await promise
}
