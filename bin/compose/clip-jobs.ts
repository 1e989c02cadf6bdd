import { availableParallelism } from 'node:os'
import { systemClock } from '../../core/clock.ts'
import type { Outbound } from '../../core/outbound/port.ts'
import type { Queue } from '../../core/queue/port.ts'
import type { Vault } from '../../core/vault/port.ts'
import { createJobFolder, sweepJobFolders } from '../../media/job-folder.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import { sweepLostFiles } from '../../server/features/media-jobs/lost-files.ts'
import type { MediaDesk } from '../../server/features/media-jobs/media-desk.ts'
import { sweepMedia } from '../../server/features/media-jobs/retention.ts'
import { discardFiles, runJob } from '../../server/features/media-jobs/run-job.ts'
import { MediaWorker, takeBackOrphans } from '../../server/features/media-jobs/worker.ts'
import type { OpenOptions, Stores } from './stores.ts'

const workQueue = 'media.work'
const sweepQueue = 'media.sweep'
const lostQueue = 'media.lost'

/**
 * The part of the role `jobs` that works on media. What is new is begun as soon as the bus says so; once a minute one
 * worker of all processes looks for what is due again, or was missed. Every ten minutes goes what has expired, every day what nothing knows any
 * more.
 */
export async function startClipJobs(
  { paths, scope, log }: OpenOptions,
  stores: Stores,
  parts: { queue: Queue; vault: Vault; outbound: Outbound; platforms: PlatformRegistry; media: MediaDesk },
): Promise<void> {
  const { queue, vault, outbound, platforms, media } = parts
  const engine = await media.engine()
  await sweepJobFolders(paths.work, systemClock)
  const deps = { ...stores, vault, outbound, platforms, media, clock: systemClock, log }
  const run = { ...deps, engine, openFolder: () => createJobFolder(paths.work, media.room) }
  if (stores.db.kind === 'pglite') await takeBackOrphans(deps)
  const worker = await scope.start(
    'media worker',
    () =>
      new MediaWorker(
        { ...deps, work: (job, o) => runJob(run, job, o), discard: (job, files) => discardFiles(run, job, files) },
        { concurrentMax: Math.max(1, availableParallelism() - 1) },
      ),
    worker => worker.close(),
    { stopDeadlineMs: 10_000 },
  )
  await queue.declare(workQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(workQueue, { batchSize: 1, pollingIntervalSeconds: 2 }, () => worker.run())
  await queue.schedule(workQueue, '* * * * *', {})
  await queue.declare(sweepQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(sweepQueue, { batchSize: 1, pollingIntervalSeconds: 10 }, () => sweepMedia(deps))
  await queue.schedule(sweepQueue, '*/10 * * * *', {})
  await queue.declare(lostQueue, { retryLimit: 3, expireInSeconds: 3600 })
  await queue.work(lostQueue, { batchSize: 1, pollingIntervalSeconds: 30 }, async () => {
    await sweepLostFiles(deps)
  })
  await queue.schedule(lostQueue, '53 3 * * *', {})
  const due = await stores.bus.subscribe('media.due', () => worker.run())
  const changed = await stores.bus.subscribe('media.changed', ({ change }) => {
    if (change.status === 'cancelled') worker.cancel(change.jobId)
  })
  await scope.start(
    'media nudges',
    () => undefined,
    async () => {
      await due()
      await changed()
    },
  )
  await worker.run()
}
