import type { NicheRules } from '../../analytics/niches/rules.ts'
import { tagNiches } from '../../analytics/niches/tag-niches.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import { openQueue } from '../../core/queue/pg-boss.ts'
import type { Queue } from '../../core/queue/port.ts'
import { type WorldDatabase, worldDatabases } from '../../core/world.ts'
import { startAccountJobs } from './account-jobs.ts'
import { startRetentionJobs } from './retention-jobs.ts'
import type { OpenOptions, Stores } from './stores.ts'

const tagQueue = 'niches.tag'

/**
 * The role `jobs`: work that may wait a moment. New videos are tagged with their niches: whoever wrote them says so on
 * the bus, the job is kept in the queue, and one worker of all processes does it.
 */
export async function startJobs(
  { scope, log }: Pick<OpenOptions, 'scope' | 'log'>,
  stores: Stores,
  niches: () => NicheRules,
  /** The world on the screen, where this process has one. */
  shown: () => WorldDatabase | null,
): Promise<Queue> {
  const queue = await scope.start(
    'queue',
    () => openQueue({ db: stores.db, log }),
    queue => queue.close(),
    { stopDeadlineMs: 8_000 },
  )
  await queue.declare(tagQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work<{ database: string }>(tagQueue, { batchSize: 10, pollingIntervalSeconds: 2 }, async jobs => {
    for (const database of worldDatabases) {
      if (!jobs.some(job => job.data.database === database)) continue
      await tagNiches(stores.store, { database, clock: tagClock }, niches())
      await stores.bus.publish('niches.changed', { atMs: systemClock.nowMs() })
    }
  })
  await startAccountJobs(queue, stores, log)
  await startRetentionJobs({ scope, log }, queue, stores)
  const askFor = async (database: string): Promise<void> => {
    if (isWorldDatabase(database)) await queue.send(tagQueue, { database }, { singletonKey: database })
  }
  await scope.start(
    'niche tagging',
    () => stores.bus.subscribe('metadata.written', event => askFor(event.world)),
    unsubscribe => unsubscribe(),
  )
  // Rules may have changed since the last run, a crash may have come between a write and its message, and a replay has
  // loaded its first days before anybody listened.
  await askFor('cliptape')
  const first = shown()
  if (first === 'replay') await askFor(first)
  return queue
}

/** Tags do not depend on the time; a world has a clock. */
const tagClock: Clock = systemClock

function isWorldDatabase(name: string): name is WorldDatabase {
  return worldDatabases.some(known => known === name)
}
