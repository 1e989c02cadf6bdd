import type { Clock } from '../../core/clock.ts'
import type { Db } from '../../core/db/port.ts'
import { bucketFor } from '../../ingest/platforms/poll-request.ts'
import { QuotaBudget } from '../../ingest/platforms/quota-budget.ts'
import type { Spend } from '../../server/features/links/spend.ts'

/** Calls on own accounts, counted with those of all readings. */
export function spendingOf(stores: { readonly db: Db; readonly clock: Clock }): Spend {
  const budget = new QuotaBudget(stores)
  return async ({ ownerId, credentialKey, platformAccountId, cost }) => {
    const bucket = bucketFor(cost.bucket, platformAccountId)
    return (await budget.reserve({ ownerId, credentialKey, bucket, path: 'own' }, cost.units)).isGranted
  }
}
