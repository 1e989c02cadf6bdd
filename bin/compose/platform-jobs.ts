import { systemClock } from '../../core/clock.ts'
import type { Queue } from '../../core/queue/port.ts'
import type { Vault } from '../../core/vault/port.ts'
import type { PlatformRegistry } from '../../platforms/registry.ts'
import { validateDue } from '../../server/features/credentials/validation.ts'
import { purgeLinks } from '../../server/features/links/purge.ts'
import { recheckAccounts } from '../../server/features/links/recheck.ts'
import { spendingOf } from './spend.ts'
import type { OpenOptions, Stores } from './stores.ts'

const validateQueue = 'credentials.validate'
const purgeQueue = 'links.purge'
const recheckQueue = 'links.recheck'

/**
 * The part of the role `jobs` that has to do with platforms. New credentials are tried as soon as the bus says so; once a
 * minute one worker of all processes looks for what is due again, or was missed. Every hour links that nobody came back to
 * are forgotten, and accounts that nobody has read for a day are asked whether their link holds.
 */
export async function startPlatformJobs(
  { scope, log }: Pick<OpenOptions, 'scope' | 'log'>,
  stores: Stores,
  { queue, vault, platforms }: { queue: Queue; vault: Vault; platforms: PlatformRegistry },
): Promise<void> {
  const underWay = new Set<Promise<unknown>>()
  const validate = async () => {
    const run = validateDue({ db: stores.db, vault, platforms, clock: systemClock, log })
    underWay.add(run)
    await run.finally(() => underWay.delete(run))
  }
  await queue.declare(validateQueue, { retryLimit: 0, expireInSeconds: 600 })
  await queue.work(validateQueue, { batchSize: 1, pollingIntervalSeconds: 2 }, validate)
  await queue.schedule(validateQueue, '* * * * *', {})
  await queue.declare(purgeQueue, { retryLimit: 3, expireInSeconds: 600 })
  await queue.work(purgeQueue, { batchSize: 1, pollingIntervalSeconds: 30 }, async () => {
    await purgeLinks({ db: stores.db, vault, clock: systemClock })
  })
  await queue.schedule(purgeQueue, '47 * * * *', {})
  const spend = spendingOf({ db: stores.db, clock: systemClock })
  await queue.declare(recheckQueue, { retryLimit: 0, expireInSeconds: 1_800 })
  await queue.work(recheckQueue, { batchSize: 1, pollingIntervalSeconds: 30 }, async () => {
    await recheckAccounts({ ...stores, vault, platforms, clock: systemClock, log, spend })
  })
  await queue.schedule(recheckQueue, '17 * * * *', {})

  await scope.start(
    'credentials nudges',
    () => stores.bus.subscribe('credentials.due', validate),
    async unsubscribe => {
      await unsubscribe()
      await Promise.allSettled(underWay)
    },
  )
}
