import { afterAll, beforeAll, describe } from 'vitest'
import type { Db } from '../../../core/db/port.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import { describeAccounts } from './accounts-suite.ts'

let db: Db

beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

describe('accounts on PGlite', () => {
  describeAccounts(() => ({ db }))
})
