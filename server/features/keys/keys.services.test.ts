import { pino } from 'pino'
import { afterAll, beforeAll } from 'vitest'
import type { UserId } from '../../../contracts/ids.ts'
import type { Bus } from '../../../core/bus/port.ts'
import { redisBus } from '../../../core/bus/redis.ts'
import { ensureLocalOwner } from '../../../core/db/local-owner.ts'
import { migrateDb } from '../../../core/db/migrate.ts'
import type { Db } from '../../../core/db/port.ts'
import { openPostgres } from '../../../core/db/postgres.ts'
import { type PostgresRig, startPostgres } from '../../../test/services/postgres.ts'
import { type RedisRig, startRedis } from '../../../test/services/redis.ts'
import { describeKeys } from './keys-suite.ts'

const log = pino({ level: 'silent' })
let postgres: PostgresRig
let redis: RedisRig
let db: Db
let near: Bus
let far: Bus
let ownerId: UserId

beforeAll(async () => {
  ;[postgres, redis] = await Promise.all([startPostgres(), startRedis()])
  db = await openPostgres({ url: postgres.url, log })
  await migrateDb(db)
  ownerId = await ensureLocalOwner(db)
  ;[near, far] = await Promise.all([redisBus({ url: redis.url, log }), redisBus({ url: redis.url, log })])
})

afterAll(async () => {
  await Promise.all([near.close(), far.close(), db.close()])
  await Promise.all([postgres.stop(), redis.stop()])
})

describeKeys(() => ({ db, ownerId, near, far }))
