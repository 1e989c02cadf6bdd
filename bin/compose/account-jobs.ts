import { systemClock } from '../../core/clock.ts'
import type { Log } from '../../core/log.ts'
import type { Queue } from '../../core/queue/port.ts'
import { sweepOwnNumbers } from '../../server/features/account/remove.ts'
import { settleBilling } from '../../server/features/billing/service.ts'
import type { Stores } from './stores.ts'

const settleQueue = 'credits.settle'
const sweepQueue = 'accounts.sweep'

/**
 * Work on accounts that nobody waits for: every hour credits that ended unspent are taken back, every day private numbers
 * go that were written while their account was removed.
 */
export async function startAccountJobs(queue: Queue, stores: Stores, log: Log): Promise<void> {
  await queue.declare(settleQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(settleQueue, { batchSize: 10, pollingIntervalSeconds: 30 }, async () => {
    const { users } = await settleBilling({ db: stores.db, clock: systemClock })
    if (users > 0) log.info({ users }, 'Credits that ended unspent were taken back.')
  })
  await queue.schedule(settleQueue, '7 * * * *', {})
  await queue.declare(sweepQueue, { retryLimit: 3, expireInSeconds: 3600 })
  await queue.work(sweepQueue, { batchSize: 10, pollingIntervalSeconds: 30 }, async () => {
    const { owners } = await sweepOwnNumbers(stores)
    if (owners > 0) log.info({ owners }, 'Private numbers of accounts that are gone were removed.')
  })
  await queue.schedule(sweepQueue, '37 3 * * *', {})
}
