import type { Transaction } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { ServerDeps } from '../../deps.ts'
import type { InstantCursor } from '../../http/instant-cursor.ts'
import { completionOf } from './completion.ts'
import { removeFiles } from './files.ts'
import { cancelJob, tellOfJob } from './finish-job.ts'
import type { MediaJobRow } from './job-states.ts'

type Trx = Transaction<Database>
type Deps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log' | 'media'>

/** Clip requests have addresses of their own, and are no jobs of the others. */
export type JobFamily = 'clips' | 'others'

/** A job with what is told of it. */
export interface SeenJob {
  readonly row: MediaJobRow
  readonly completesAt: Date | null
  /** What its files take together; 0 without any. */
  readonly bytes: number
}

/** @throws AppError NOT_FOUND for another user's, or one of the other family */
export async function findJob(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  userId: UserId,
  id: string,
  family: JobFamily,
): Promise<SeenJob> {
  const now = new Date(clock.nowMs())
  return await db.transaction(async trx => {
    const row = await jobsOf(trx, userId, family).where('id', '=', id).executeTakeFirst()
    if (!row) throw noSuchJob(family)
    return await seen(trx, row, now)
  })
}

/** A user's jobs of one family, newest first. `before` is the last one that was seen. */
export async function listJobs(
  { db, clock }: Pick<Deps, 'db' | 'clock'>,
  userId: UserId,
  o: {
    readonly family: JobFamily
    readonly states: readonly MediaJobRow['status'][] | null
    readonly limit: number
    readonly before: InstantCursor | null
  },
): Promise<{ jobs: SeenJob[]; hasMore: boolean }> {
  const now = new Date(clock.nowMs())
  return await db.transaction(async trx => {
    const { before, states } = o
    const rows = await jobsOf(trx, userId, o.family)
      .$if(states !== null, query => query.where('status', 'in', states ?? []))
      .$if(before !== null, query =>
        query.where(({ eb, refTuple, tuple }) =>
          eb(refTuple('created_at', 'id'), '<', tuple(new Date(before?.createdAtMs ?? 0), before?.id ?? '')),
        ),
      )
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(o.limit + 1)
      .execute()
    const jobs: SeenJob[] = []
    for (const row of rows.slice(0, o.limit)) jobs.push(await seen(trx, row, now))
    return { jobs, hasMore: rows.length > o.limit }
  })
}

/**
 * Cancels a job that is open, which then costs nothing; forgets one that is over, with its files.
 * @throws AppError NOT_FOUND
 */
export async function removeJob(deps: Deps, userId: UserId, id: string, family: JobFamily): Promise<void> {
  const now = new Date(deps.clock.nowMs())
  const removed = await deps.db.transaction(async trx => {
    const row = await jobsOf(trx, userId, family).where('id', '=', id).forUpdate().executeTakeFirst()
    if (!row) throw noSuchJob(family)
    const cancelled = await cancelJob(trx, userId, id, now)
    if (!cancelled) await trx.deleteFrom('media_jobs').where('id', '=', id).execute()
    return cancelled
  })
  if (removed) await tellOfJob(deps, removed)
  else await removeFiles(deps, { ownerId: userId, jobId: id })
}

function jobsOf(trx: Trx, userId: UserId, family: JobFamily) {
  return trx
    .selectFrom('media_jobs')
    .selectAll()
    .where('owner_id', '=', userId)
    .where('type', family === 'clips' ? '=' : '<>', 'clip')
}

async function seen(trx: Trx, row: MediaJobRow, now: Date): Promise<SeenJob> {
  const { bytes } = await trx
    .selectFrom('media_outputs')
    .select(eb => eb.fn.sum<string | null>('bytes').as('bytes'))
    .where('job_id', '=', row.id)
    .executeTakeFirstOrThrow()
  return { row, completesAt: await completionOf(trx, row, now), bytes: Number(bytes ?? 0) }
}

function noSuchJob(family: JobFamily): AppError {
  return new AppError(
    'NOT_FOUND',
    family === 'clips' ? 'There is no such clip request of yours.' : 'There is no such job of yours.',
  )
}
