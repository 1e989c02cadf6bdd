import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPglite } from '../../../core/db/pglite.ts'
import type { Db } from '../../../core/db/port.ts'
import { describeAccounts } from './accounts-suite.ts'

let folder: string
let db: Db

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-accounts-'))
  db = await openPglite({ dataDir: folder, log: pino({ level: 'silent' }) })
})
afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true, force: true })
})

describe('accounts on PGlite', () => {
  describeAccounts(() => ({ db }))
})
