import pino from 'pino'
import { afterAll, beforeAll, describe } from 'vitest'
import { migrateDb } from '../../../core/db/migrate.ts'
import type { Db } from '../../../core/db/port.ts'
import { openPostgres } from '../../../core/db/postgres.ts'
import { type PostgresRig, startPostgres } from '../../../test/services/postgres.ts'
import { describeWorker } from './worker-suite.ts'

let rig: PostgresRig
let db: Db

beforeAll(async () => {
  rig = await startPostgres()
  db = await openPostgres({ url: rig.url, log: pino({ level: 'silent' }) })
  await migrateDb(db)
})
afterAll(async () => {
  await db.close()
  await rig.stop()
})

describe('Postgres', () => {
  describeWorker(() => ({ db }))
})
