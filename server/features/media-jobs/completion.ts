import type { Transaction } from 'kysely'
import type { Database } from '../../../core/db/schema.ts'
import type { MediaJobRow } from './job-states.ts'

/** Work of everybody that is looked at for an estimate. */
const aheadMax = 10_000
/** From this share on, what is done says more than the estimate. */
const tellingProgress = 0.05

/**
 * When a job will probably be done; null once it is over. It goes by what waits in front of it, one piece after the
 * other: more workers are sooner done.
 * @param trx of our own bookkeeping: what waits is everybody's
 */
export async function completionOf(trx: Transaction<Database>, row: MediaJobRow, now: Date): Promise<Date | null> {
  if (row.status === 'running') return new Date(now.getTime() + runningLeftMs(row, now))
  if (row.status !== 'queued') return null
  const { seconds } = await trx
    .selectFrom(
      trx
        .selectFrom('media_jobs')
        .select('estimate_cpu_seconds')
        .where('status', 'in', ['queued', 'running'])
        .where('created_at', '<=', row.created_at)
        .where('id', '<>', row.id)
        .limit(aheadMax)
        .as('ahead'),
    )
    .select(eb => eb.fn.sum<number | null>('estimate_cpu_seconds').as('seconds'))
    .executeTakeFirstOrThrow()
  return new Date(now.getTime() + ((seconds ?? 0) + row.estimate_cpu_seconds) * 1000)
}

/** Of a job that is worked on, in ms. */
function runningLeftMs(row: MediaJobRow, now: Date): number {
  const passedMs = now.getTime() - (row.started_at ?? now).getTime()
  if (row.progress >= tellingProgress) return (passedMs * (1 - row.progress)) / row.progress
  return Math.max(1000, row.estimate_cpu_seconds * 1000 - passedMs)
}
