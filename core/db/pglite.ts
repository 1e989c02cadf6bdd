import { resolve } from 'node:path'
import pg from 'pg'
import type { Log } from '../log.ts'
import { PgliteHost } from './pglite-host.ts'
import { poolDb } from './pool-db.ts'
import type { Db } from './port.ts'

/**
 * Opens the embedded relational store in `dataDir`, making it when it is not there (2 to 6 seconds the first time,
 * a fraction of a second later). The caller holds the home's lock: two processes on one folder lose rows silently.
 * One connection: queries run in strict order, so bound each by a limit. A dead worker fails what was under way as
 * `UNAVAILABLE` and is started again by the next query.
 */
export async function openPglite(options: { dataDir: string; log: Log }): Promise<Db> {
  const host = new PgliteHost({ dataDir: resolve(options.dataDir), log: options.log })
  await host.ready()
  const pool = new pg.Pool({
    stream: () => host.openSocket(),
    max: 1,
    idleTimeoutMillis: 0,
    user: 'postgres',
    database: 'postgres',
    ssl: false,
  })
  return poolDb({ kind: 'pglite', pool, log: options.log, onClose: () => host.close() })
}
