import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { ImportProgress, ImportRequest, ImportSummary } from '../contracts/import.ts'
import { memoryBus } from '../core/bus/memory.ts'
import { dropWorld, migrateAnalytics } from '../core/clickhouse/migrate.ts'
import { startTestStore } from '../core/clickhouse/test-store.ts'
import { systemClock } from '../core/clock.ts'
import { ensureLocalOwner } from '../core/db/local-owner.ts'
import { openTestDb } from '../core/db/test-db.ts'
import type { Touched } from '../core/touched.ts'
import type { WorldDatabase } from '../core/world.ts'
import { countDeadLetters } from './dead-letters.ts'
import { type IngestDeps, runImport } from './import.ts'
import { targets } from './rows.ts'

/** Both real engines on a scratch home, for the tests of this room. */
export interface Rig {
  readonly deps: IngestDeps
  /** What `settle` was told, in order. */
  readonly touched: Touched[]
  readonly prepareWorld: (database: WorldDatabase) => Promise<unknown>
  readonly dropWorld: (database: 'replay') => Promise<unknown>
  /** Runs an import and gives its summaries and failures. */
  import(request: Partial<ImportRequest> & { files: string[] }): Promise<{
    summaries: ImportSummary[]
    failures: { file: string; code: string; message: string }[]
    progress: ImportProgress[]
  }>
  /** The rows of the five tables without duplicates, as text: equal text is equal content. */
  content(): Promise<string>
  /** A short text of the same: counts and hashes, computed by the engine. */
  digest(): Promise<string>
  /** Empties the five tables. */
  clear(): Promise<void>
  close(): Promise<void>
}

/** Opens the engines. @param home kept after `close` when given */
export async function openRig(home?: string): Promise<Rig> {
  const root = home ?? mkdtempSync(join(tmpdir(), 'cliptape-ingest-'))
  const log = pino({ level: 'silent' })
  const [{ store }, db] = await Promise.all([
    startTestStore({ world: 'cliptape', dataDir: join(root, 'analytics') }),
    openTestDb(join(root, 'relational')),
  ])
  const prepareWorld = (database: WorldDatabase) => migrateAnalytics(store, { database })
  const touched: Touched[] = []
  const deps: IngestDeps = {
    store,
    db,
    bus: memoryBus({ log }),
    world: { database: 'cliptape', clock: systemClock },
    ownerId: await ensureLocalOwner(db),
    settle: async what => {
      touched.push(what)
    },
    clock: systemClock,
    log,
  }
  const tables = Object.values(targets)
  return {
    deps,
    touched,
    prepareWorld,
    dropWorld: database => dropWorld(store, database),
    async import(request) {
      const progress: ImportProgress[] = []
      await runImport(deps, { dryRun: false, ...request }, line => progress.push(line))
      const summaries = progress.flatMap(line => (line.type === 'fileDone' ? [line.summary] : []))
      const failures = progress.flatMap(line =>
        line.type === 'fileFailed' ? [{ file: line.file, code: line.code, message: line.message }] : [],
      )
      return { summaries, failures, progress }
    },
    async content() {
      const parts = await Promise.all(
        tables.map(({ table, columns }) =>
          store.query(`SELECT ${columns.join(', ')} FROM cliptape.${table} FINAL ORDER BY ${columns.join(', ')}`),
        ),
      )
      return parts.map(rows => rows.map(row => JSON.stringify(row)).join('\n')).join('\n\n')
    },
    async digest() {
      const parts: string[] = []
      for (const { table, columns } of tables) {
        const [row] = await store.query<{ count: number; hash: string }>(
          `SELECT count() AS count, toString(groupBitXor(cityHash64(toString(tuple(${columns.join(', ')}))))) AS hash
           FROM cliptape.${table} FINAL`,
        )
        parts.push(`${table} ${row?.count} ${row?.hash}`)
      }
      for (const { reason, count } of await countDeadLetters(deps)) parts.push(`dead letters ${reason} ${count}`)
      return parts.join('\n')
    },
    async clear() {
      for (const { table } of tables) await store.command(`TRUNCATE TABLE cliptape.${table}`)
      touched.length = 0
    },
    async close() {
      await deps.bus.close()
      await store.close()
      await db.close()
      if (home === undefined) rmSync(root, { recursive: true, force: true })
    },
  }
}
