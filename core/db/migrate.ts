import { CompiledQuery, sql, type Transaction } from 'kysely'
import { AppError } from '../../contracts/errors.ts'
import { type Migration, planMigrations, shippedMigrations } from '../migration-plan.ts'
import type { Db } from './port.ts'
import type { Database } from './schema.ts'

/** Any number that only we use: one migration at a time per database, whoever starts it. */
const lockKey = 4_400_001

/**
 * Brings the store up to the newest schema. Each file runs once, in one transaction with its record; running it again
 * does nothing. Several processes may call it at once on a Postgres: they take turns.
 *
 * @param files all migrations, for tests and restores; those of `sql/postgres/migrations` otherwise
 * @returns the names that ran now, in order
 * @throws AppError CONFLICT when history was edited, has a gap or is newer than this program; INTERNAL when a file fails
 */
export async function migrateDb(
  db: Db,
  files: readonly Migration[] = shippedMigrations('postgres/migrations'),
): Promise<{ applied: string[] }> {
  await db.transaction(async trx => {
    await lock(trx)
    await sql`create table if not exists schema_migrations (
      name text primary key, checksum text not null, applied_at timestamptz not null default now())`.execute(trx)
  })
  const applied: string[] = []
  for (;;) {
    const name = await applyNext(db, files)
    if (name === null) return { applied }
    applied.push(name)
  }
}

/** What the store has recorded, oldest first; empty for a store that was never migrated. */
export async function recordedMigrations(trx: Transaction<Database>): Promise<{ name: string; checksum: string }[]> {
  const { rows: found } = await sql<{ isThere: boolean }>`
    select to_regclass('public.schema_migrations') is not null as "isThere"`.execute(trx)
  if (!found[0]?.isThere) return []
  const { rows } = await sql<{ name: string; checksum: string }>`
    select name, checksum from schema_migrations order by name`.execute(trx)
  return rows
}

/** Plans again under the lock for every file, so that a second process sees what the first one did meanwhile. */
async function applyNext(db: Db, files: readonly Migration[]): Promise<string | null> {
  return await db.transaction(async trx => {
    await lock(trx)
    const next = planMigrations(files, await recordedMigrations(trx))[0]
    if (!next) return null
    await run(trx, next)
    await sql`insert into schema_migrations (name, checksum) values (${next.name}, ${next.checksum})`.execute(trx)
    return next.name
  })
}

async function run(trx: Transaction<Database>, migration: Migration): Promise<void> {
  try {
    await trx.executeQuery(CompiledQuery.raw(migration.sql))
  } catch (cause) {
    const reason = cause instanceof AppError && cause.cause instanceof Error ? cause.cause.message : String(cause)
    throw new AppError(
      'INTERNAL',
      `The migration ${migration.name} failed and was rolled back: ${reason}. The schema is as it was before it.`,
      { cause },
    )
  }
}

/** Held to the end of the transaction. PGlite grants it always; there the single connection keeps the order. */
async function lock(trx: Transaction<Database>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${lockKey})`.execute(trx)
}
