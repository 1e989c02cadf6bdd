import { afterAll, beforeAll, describe } from 'vitest'
import type { Db } from '../../../core/db/port.ts'
import { openTestDb } from '../../../core/db/test-db.ts'
import { describeWorker } from './worker-suite.ts'

let db: Db

beforeAll(async () => {
  db = await openTestDb()
})
afterAll(() => db.close())

describe('PGlite', () => {
  describeWorker(() => ({ db }))
})
