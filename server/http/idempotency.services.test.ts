import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../contracts/ids.ts'
import { ensureLocalOwner } from '../../core/db/local-owner.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import type { Db } from '../../core/db/port.ts'
import { openPostgres } from '../../core/db/postgres.ts'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import { describeIdempotency } from './idempotency-suite.ts'

let rig: PostgresRig
let db: Db
let ownerId: UserId

beforeAll(async () => {
  rig = await startPostgres()
  db = await openPostgres({ url: rig.url, log: pino({ level: 'silent' }) })
  await migrateDb(db)
  ownerId = await ensureLocalOwner(db)
})

afterAll(async () => {
  await db.close()
  await rig.stop()
})

describeIdempotency(() => ({ db, ownerId }))
