import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { shippedMigrations } from '../migration-plan.ts'
import { copyStore, type StoreTemplate } from '../test-template.ts'
import { migrateDb } from './migrate.ts'
import { openPglite } from './pglite.ts'
import type { Db } from './port.ts'

const log = pino({ level: 'silent' })

const migrated: StoreTemplate = {
  name: 'relational',
  migrations: shippedMigrations('postgres/migrations'),
  async make(dataDir) {
    const db = await openPglite({ dataDir, log })
    await migrateDb(db)
    await db.close()
  },
}

/**
 * An embedded relational store with the newest schema and no rows, for tests that are not about making one.
 *
 * @param dataDir where it lies: what is there already is opened as it is, and `close` leaves it. Without one it lies in a
 *   temporary folder, which `close` takes away
 */
export async function openTestDb(dataDir?: string): Promise<Db> {
  if (dataDir !== undefined) return await open(dataDir)
  const folder = mkdtempSync(join(tmpdir(), 'cliptape-db-'))
  const db = await open(join(folder, 'relational'))
  return {
    ...db,
    async close() {
      await db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Puts such a store where there is none yet, for a program that will open it. */
export const placeTestDb = (dataDir: string): Promise<void> => copyStore(migrated, dataDir)

async function open(dataDir: string): Promise<Db> {
  if (!existsSync(dataDir)) await placeTestDb(dataDir)
  return await openPglite({ dataDir, log })
}
