import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { Db } from '../../core/db/port.ts'
import { openPostgres } from '../../core/db/postgres.ts'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import { describeQuota } from './quota-suite.ts'

const log = pino({ level: 'silent' })
let rig: PostgresRig
let one: Db
let two: Db
beforeAll(async () => {
  rig = await startPostgres()
  one = await openPostgres({ url: rig.url, log })
  two = await openPostgres({ url: rig.url, log })
})
afterAll(async () => {
  await one.close()
  await two.close()
  await rig.stop()
})

describeQuota(() => ({ one, two }))
