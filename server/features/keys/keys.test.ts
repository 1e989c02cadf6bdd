import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../../contracts/ids.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import { migrateDb } from '../../../core/db/migrate.ts'
import { openPglite } from '../../../core/db/pglite.ts'
import type { Db } from '../../../core/db/port.ts'
import { describeKeys } from './keys-suite.ts'

const log = pino({ level: 'silent' })
const bus = memoryBus({ log })
let folder: string
let db: Db
let ownerId: UserId

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-keys-'))
  db = await openPglite({ dataDir: join(folder, 'relational'), log })
  await migrateDb(db)
  ownerId = await ensureLocalOwner(db)
})

afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})

describeKeys(() => ({ db, ownerId, near: bus, far: bus }))
