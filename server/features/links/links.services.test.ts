import { pino } from 'pino'
import { afterAll, beforeAll, describe } from 'vitest'
import { migrateDb } from '../../../core/db/migrate.ts'
import type { Db } from '../../../core/db/port.ts'
import { openPostgres } from '../../../core/db/postgres.ts'
import { type PostgresRig, startPostgres } from '../../../test/services/postgres.ts'
import { describeLinks } from './links-suite.ts'

let postgres: PostgresRig
let db: Db
beforeAll(async () => {
  postgres = await startPostgres()
  db = await openPostgres({ url: postgres.url, log: pino({ level: 'silent' }) })
  await migrateDb(db)
})
afterAll(async () => {
  await db.close()
  await postgres.stop()
})

describe('links on Postgres', () => {
  describeLinks(() => ({ db }))
})
