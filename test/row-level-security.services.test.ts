import pino from 'pino'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPostgres } from '../core/db/postgres.ts'
import { describeIsolation } from './row-level-security-suite.ts'
import { openServerRig, type ServerRig } from './server-rig.ts'
import { type PostgresRig, startPostgres } from './services/postgres.ts'

let postgres: PostgresRig
let rig: ServerRig
beforeAll(async () => {
  postgres = await startPostgres()
  rig = await openServerRig({ db: await openPostgres({ url: postgres.url, log: pino({ level: 'silent' }) }) })
})
afterAll(async () => {
  await rig.close()
  await postgres.stop()
})

describe('users on Postgres', () => {
  describeIsolation(() => rig)
})
