import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe } from 'vitest'
import { migrateDb } from '../../../core/db/migrate.ts'
import { openPglite } from '../../../core/db/pglite.ts'
import type { Db } from '../../../core/db/port.ts'
import { describeLinks } from './links-suite.ts'

let folder: string
let db: Db
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-links-'))
  db = await openPglite({ dataDir: join(folder, 'postgres'), log: pino({ level: 'silent' }) })
  await migrateDb(db)
})
afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})

describe('links on PGlite', () => {
  describeLinks(() => ({ db }))
})
