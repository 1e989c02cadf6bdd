import { forgetVideos } from '../../analytics/retention.ts'
import { UserIdSchema } from '../../contracts/ids.ts'
import { systemClock } from '../../core/clock.ts'
import type { Queue } from '../../core/queue/port.ts'
import { purgePosts } from '../../ingest/platforms/retention.ts'
import { removeEndedNumbers, sweepOwnNumbers } from '../../server/features/account/ended-numbers.ts'
import type { OpenOptions, Stores } from './stores.ts'

const retentionQueue = 'retention'

/**
 * What may be kept no longer goes: numbers of an account as soon as the bus says that its grant has ended; every hour what was
 * missed, and what platforms said so long ago that their terms want it gone. The analytics store drops expired rows itself.
 */
export async function startRetentionJobs(
  { scope, log }: Pick<OpenOptions, 'scope' | 'log'>,
  queue: Queue,
  { db, store, bus }: Stores,
): Promise<void> {
  const deps = { db, store, clock: systemClock }
  await queue.declare(retentionQueue, { retryLimit: 3, expireInSeconds: 3600 })
  await queue.work(retentionQueue, { batchSize: 10, pollingIntervalSeconds: 30 }, async () => {
    const { owners } = await sweepOwnNumbers(deps)
    const { posts } = await purgePosts(deps)
    const { videos } = await forgetVideos({ store, world: { database: 'cliptape' } })
    if (owners + posts + videos > 0) log.info({ owners, posts, videos }, 'What may be kept no longer was removed.')
  })
  await queue.schedule(retentionQueue, '37 * * * *', {})

  const underWay = new Set<Promise<unknown>>()
  await scope.start(
    'numbers of accounts that ended',
    () =>
      bus.subscribe('numbers.ended', async ({ userId }) => {
        const run = removeEndedNumbers(deps, UserIdSchema.parse(userId))
        underWay.add(run)
        await run.finally(() => underWay.delete(run))
      }),
    async unsubscribe => {
      await unsubscribe()
      await Promise.allSettled(underWay)
    },
  )
}
