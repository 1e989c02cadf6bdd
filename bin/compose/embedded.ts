import assert from 'node:assert/strict'
import { memoryBus } from '../../core/bus/memory.ts'
import { startChdb } from '../../core/clickhouse/chdb.ts'
import { migrateAnalytics } from '../../core/clickhouse/migrate.ts'
import { findSandbox } from '../../core/clickhouse/sandbox.ts'
import { systemClock } from '../../core/clock.ts'
import { ensureLocalOwner } from '../../core/db/local-owner.ts'
import { migrateDb } from '../../core/db/migrate.ts'
import { openPglite } from '../../core/db/pglite.ts'
import { ensureSecrets } from '../../core/home.ts'
import { lockHome } from '../../core/home-lock.ts'
import { memoryKeyValue } from '../../core/key-value/memory.ts'
import type { OpenOptions, Stores } from './stores.ts'

/**
 * The embedded profile: both engines inside our own process tree, on one home that is ours alone.
 * @throws AppError CONFLICT when another process has the home
 */
export async function openEmbedded({ config, paths, scope, log }: OpenOptions): Promise<Stores> {
  await scope.start(
    'home lock',
    () => lockHome(paths.root),
    lock => lock.release(),
  )
  const secrets = await ensureSecrets(paths, config.secrets)
  const jwt = secrets.get('JWT_SECRET')
  const agentKey = secrets.get('AGENT_API_KEY')
  assert(jwt && agentKey, 'the home holds every secret by now')
  // The engines open side by side: each takes most of a second.
  const [store, { db, ownerId }] = await Promise.all([
    (async () => {
      const sandbox = await findSandbox({ ...config.engine, mode: config.engine.sandbox })
      if (sandbox === null) log.info('The analytics engine runs without bwrap around it.')
      const opened = await scope.start(
        'analytics store',
        () => startChdb({ dataDir: paths.analytics, log, sandbox }),
        store => store.close(),
        { stopDeadlineMs: 10_000 },
      )
      await migrateAnalytics(opened, { database: 'cliptape' })
      return opened
    })(),
    (async () => {
      const opened = await scope.start(
        'relational store',
        () => openPglite({ dataDir: paths.relational, log }),
        db => db.close(),
        { stopDeadlineMs: 10_000 },
      )
      await migrateDb(opened)
      return { db: opened, ownerId: await ensureLocalOwner(opened) }
    })(),
  ])
  const bus = await scope.start(
    'bus',
    () => memoryBus({ log }),
    bus => bus.close(),
  )
  const keyValue = await scope.start(
    'key-value store',
    () => memoryKeyValue({ clock: systemClock }),
    keyValue => keyValue.close(),
  )
  return {
    db,
    store,
    bus,
    keyValue,
    ownerId,
    secrets: { jwt, agentKey },
  }
}
