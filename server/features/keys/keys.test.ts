import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../../contracts/ids.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import type { Db } from '../../../core/db/port.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import { describeKeys } from './keys-suite.ts'

const bus = memoryBus({ log: pino({ level: 'silent' }) })
let db: Db
let ownerId: UserId

beforeAll(async () => {
  db = await openTestDb()
  ownerId = await ensureLocalOwner(db)
})

afterAll(() => db.close())

describeKeys(() => ({ db, ownerId, near: bus, far: bus }))
