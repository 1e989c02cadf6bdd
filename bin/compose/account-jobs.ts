import { systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Queue } from '../../core/queue/port.ts'
import { settleBilling } from '../../server/features/billing/service.ts'
import type { Stores } from './stores.ts'

const settleQueue = 'credits.settle'

/** Work on accounts that nobody waits for: every hour credits that ended unspent are taken back. */
export async function startAccountJobs(queue: Queue, stores: Stores, log: Log): Promise<void> {
  await queue.declare(settleQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(settleQueue, { batchSize: 10, pollingIntervalSeconds: 30 }, async () => {
    const { users } = await settleBilling({ db: stores.db, clock: systemClock })
    if (users > 0) log.info({ users }, 'Credits that ended unspent were taken back.')
  })
  await queue.schedule(settleQueue, '7 * * * *', {})
}
