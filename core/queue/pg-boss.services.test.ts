import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import type { Db } from '../db/port.ts'
import { openPostgres } from '../db/postgres.ts'
import { openQueue } from './pg-boss.ts'
import { describeQueue } from './port-suite.ts'

const log = pino({ level: 'silent' })
let rig: PostgresRig
let db: Db

beforeAll(async () => {
  rig = await startPostgres()
  db = await openPostgres({ url: rig.url, log })
})

afterAll(async () => {
  await db.close()
  await rig.stop()
})

describeQueue(() => openQueue({ db, log }))
