import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChdb } from '../core/clickhouse/chdb.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { openPostgres } from '../core/db/postgres.ts'
import { findLeaks } from './secret-leak-suite.ts'
import { type PostgresRig, startPostgres } from './services/postgres.ts'
import { freePort } from './services/process.ts'
import { type RedisRig, startRedis } from './services/redis.ts'

// The cluster profile. The embedded engine on a TCP port stands in for a ClickHouse server.

const log = pino({ level: 'silent' })
let folder: string
let postgres: PostgresRig
let redis: RedisRig
let engine: AnalyticsStore
let clickhouseUrl: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-leak-'))
  const port = await freePort()
  clickhouseUrl = `http://127.0.0.1:${port}`
  ;[postgres, redis, engine] = await Promise.all([
    startPostgres(),
    startRedis(),
    startChdb({ dataDir: join(folder, 'analytics'), log, port }),
  ])
})
afterAll(async () => {
  await Promise.all([engine.close(), redis.stop(), postgres.stop()])
  await rm(folder, { recursive: true, force: true })
})

it('leaves no secret anywhere in a cluster either', async () => {
  const home = await mkdtemp(join(folder, 'home-'))
  const leaks = await findLeaks({
    home,
    stores: { DATABASE_URL: postgres.url, CLICKHOUSE_URL: clickhouseUrl, REDIS_URL: redis.url },
    serve: ['worker', '--roles', 'http,ws,jobs'],
    hasChildren: false,
    openDb: () => openPostgres({ url: postgres.url, log }),
    elsewhere: () => redisValues(redis.url),
  })
  expect(leaks).toEqual([])
})

/** Every key of Redis with its value, as Redis itself writes it down. */
async function redisValues(url: string): Promise<Map<string, Buffer>> {
  const client = new Redis(url)
  const found = new Map<string, Buffer>()
  for (const key of await client.keys('*')) {
    const value = await client.dumpBuffer(key)
    found.set(`Redis ${key}`, Buffer.concat([Buffer.from(key), value ?? Buffer.of()]))
  }
  client.disconnect()
  return found
}
