import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../contracts/ids.ts'
import { ensureLocalOwner } from '../../core/db/local-owner.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import { openPglite } from '../../core/db/pglite.ts'
import type { Db } from '../../core/db/port.ts'
import { describeIdempotency } from './idempotency-suite.ts'

let folder: string
let db: Db
let ownerId: UserId

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-idempotency-'))
  db = await openPglite({ dataDir: join(folder, 'relational'), log: pino({ level: 'silent' }) })
  await migrateDb(db)
  ownerId = await ensureLocalOwner(db)
})

afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})

describeIdempotency(() => ({ db, ownerId }))
