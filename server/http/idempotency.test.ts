import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../contracts/ids.ts'
import { ensureLocalOwner } from '../../core/db/local-owner.ts'
import type { Db } from '../../core/db/port.ts'
import { openTestDb } from '../../core/db/test-db.ts'
import { describeIdempotency } from './idempotency-suite.ts'

let db: Db
let ownerId: UserId

beforeAll(async () => {
  db = await openTestDb()
  ownerId = await ensureLocalOwner(db)
})

afterAll(() => db.close())

describeIdempotency(() => ({ db, ownerId }))
