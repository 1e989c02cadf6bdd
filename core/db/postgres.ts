import { sql } from 'kysely'
import pg from 'pg'
import type { Log } from '../log.ts'
import { poolDb } from './pool-db.ts'
import type { Db } from './port.ts'

const connectionsMax = 10
const connectTimeoutMs = 10_000

/**
 * Opens a Postgres (15 or newer) by its URL. The login owns our tables and must not be a superuser: it needs CREATEROLE
 * or an existing role `cliptape_app` that it is a member of. Rejects with `UNAVAILABLE` when the server does not answer.
 */
export async function openPostgres(options: { url: string; log: Log }): Promise<Db> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'cliptape',
    keepAlive: true,
  })
  const db = poolDb({ kind: 'postgres', pool, log: options.log })
  try {
    await warnAboutSuperuser(db, options.log)
  } catch (error) {
    await db.close()
    throw error
  }
  return db
}

async function warnAboutSuperuser(db: Db, log: Log): Promise<void> {
  const { rows } = await sql<{ name: string; rolsuper: boolean }>`
    select current_user::text as name, rolsuper from pg_roles where rolname = current_user`.execute(db.system)
  const login = rows[0]
  if (!login?.rolsuper) return
  log.warn(
    { login: login.name },
    'DATABASE_URL logs in as a superuser. Row level security still guards users from each other, but not our own tables from a mistake: use a login that only owns the database.',
  )
}
