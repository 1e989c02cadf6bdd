import type { Queue } from '../../core/queue/port.ts'
import type { OpenAccounts } from '../../server/auth/open-accounts.ts'

const tidyQueue = 'sessions.tidy'

/** Once a day, on one node of all: an old signing key is replaced, and sessions and links that ended are swept away. */
export async function startSessionJobs(queue: Queue, accounts: OpenAccounts): Promise<void> {
  await queue.declare(tidyQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(tidyQueue, { batchSize: 10, pollingIntervalSeconds: 30 }, () => accounts.tidy())
  await queue.schedule(tidyQueue, '23 3 * * *', {})
}
