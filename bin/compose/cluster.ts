import assert from 'node:assert/strict'
import { redisBus } from '../../core/bus/redis.ts'
import { migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import { openClickhouseServer } from '../../core/clickhouse/server.ts'
import type { Config } from '../../core/config.ts'
import { ensureLocalOwner } from '../../core/db/local-owner.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import { openPostgres } from '../../core/db/postgres.ts'
import { redisKeyValue } from '../../core/key-value/redis.ts'
import type { OpenOptions, Stores } from './stores.ts'

type ClusterStores = Extract<Config['stores'], { profile: 'cluster' }>

/** The cluster profile: servers that others run. Any number of processes may do this at once; migrations take a lock. */
export async function openCluster({ config, scope, log }: OpenOptions, urls: ClusterStores): Promise<Stores> {
  const db = await scope.start(
    'relational store',
    () => openPostgres({ url: urls.databaseUrl, log }),
    db => db.close(),
  )
  await migrateDb(db)
  const store = await scope.start(
    'analytics store',
    () => openClickhouseServer({ url: urls.clickhouseUrl, log }),
    store => store.close(),
  )
  await migrateAnalytics(store, { database: 'cliptape' })
  const bus = await scope.start(
    'bus',
    () => redisBus({ url: urls.redisUrl, log }),
    bus => bus.close(),
  )
  const keyValue = await scope.start(
    'key-value store',
    () => redisKeyValue({ url: urls.redisUrl }),
    keyValue => keyValue.close(),
  )
  const { JWT_SECRET: jwt, AGENT_API_KEY: agentKey } = config.secrets
  // The configuration refuses a cluster without secrets.
  assert(jwt !== null && agentKey !== null, 'a cluster has its secrets')
  return { db, store, bus, keyValue, ownerId: await ensureLocalOwner(db), secrets: { jwt, agentKey } }
}
