import { randomUUID } from 'node:crypto'
import { sql, type Transaction } from 'kysely'
import type { PlanLimits } from '../../../contracts/billing.ts'
import { AppError } from '../../../contracts/errors.ts'
import type { UserId } from '../../../contracts/ids.ts'
import type { Database } from '../../../core/db/schema.ts'
import { derivedKey } from '../../../media/timeline/derived-key.ts'
import type { ServerDeps } from '../../deps.ts'
import { reserveCredits } from '../billing/ledger.ts'
import { settleCredits } from '../billing/service.ts'
import { statusesBefore } from '../credentials/transitions.ts'
import { assertDiskHasRoom } from './disk-room.ts'
import { removeFiles } from './files.ts'
import { jobTransitions, type MediaJobRow } from './job-states.ts'

type Trx = Transaction<Database>
export type JobDeps = Pick<ServerDeps, 'db' | 'bus' | 'clock' | 'log' | 'media'>

/** Jobs of one user that wait or run. */
const openMax = 100
/** A credit for each so many seconds of processor time that a job is estimated to take. */
const cpuSecondsPerCredit = 10

export interface NewJob {
  readonly type: MediaJobRow['type']
  readonly vodId: string
  /** JSON; parsed and complete, defaults included. */
  readonly params: Readonly<Record<string, unknown>>
  /** Of the media that it works on. */
  readonly contentId: string
  /** 0 when what it makes is there already. */
  readonly estimateCpuSeconds: number
  readonly idempotencyKey?: string | undefined
  /** In the ledger: what it was for. */
  readonly reason: string
}

/** What a job costs when it succeeds, in whole credits: nothing when it has nothing to do. The owner of an embedded home pays nobody. */
export function creditsOf(estimateCpuSeconds: number): number {
  return Math.ceil(estimateCpuSeconds / cpuSecondsPerCredit)
}

/**
 * Has a piece of work done, and its credits reserved. Work that is equal to some which waits, runs or is done, of the same
 * media, is that work, and costs nothing again.
 *
 * @throws AppError INSUFFICIENT_CREDITS; CONFLICT for an idempotency key of other work, too many open jobs, or results
 *   that take all the plan's room; UNAVAILABLE while the disk is almost full
 */
export async function createJob(
  deps: JobDeps,
  userId: UserId,
  job: NewJob,
): Promise<{ row: MediaJobRow; isNew: boolean }> {
  const contentKey = derivedKey({ contentId: job.contentId, kind: job.type, params: job.params })
  // What was done before is given on a full disk as well.
  const disk = await Promise.allSettled([assertDiskHasRoom(deps.media)])
  const now = new Date(deps.clock.nowMs())
  const made = await deps.db.transaction(async trx => {
    await sql`select pg_advisory_xact_lock(hashtext('media_jobs'), hashtext(${userId}))`.execute(trx)
    const found = await equalJob(trx, userId, { ...job, contentKey, now })
    if (found) return { row: found, isNew: false, expired: null }
    for (const one of disk) if (one.status === 'rejected') throw one.reason
    const expired = await makeRoomForSame(trx, userId, contentKey)
    const { limits } = await settleCredits({ trx, at: now }, userId)
    await checkRoom(trx, userId, limits)
    const id = randomUUID()
    const credits = creditsOf(job.estimateCpuSeconds)
    const reservation =
      credits === 0
        ? null
        : await reserveCredits({ trx, at: now }, { userId, amount: credits, reason: job.reason, key: `media:${id}` })
    const row = await trx
      .insertInto('media_jobs')
      .values({
        id,
        owner_id: userId,
        type: job.type,
        vod_id: job.vodId,
        params: JSON.stringify(job.params),
        content_key: contentKey,
        idempotency_key: job.idempotencyKey ?? null,
        estimate_cpu_seconds: job.estimateCpuSeconds,
        actual_cpu_seconds: null,
        credits,
        reservation_id: reservation?.id ?? null,
        due_at: now,
        lease_id: null,
        lease_until: null,
        result: null,
        error_code: null,
        error_message: null,
        created_at: now,
        started_at: null,
        finished_at: null,
        expires_at: limits.resultDays === null ? null : new Date(now.getTime() + limits.resultDays * 86_400_000),
      })
      .returningAll()
      .executeTakeFirstOrThrow()
    return { row, isNew: true, expired }
  })
  if (made.expired) await removeFiles(deps, { ownerId: userId, jobId: made.expired })
  if (made.isNew) await wakeWorkers(deps)
  return { row: made.row, isNew: made.isNew }
}

/** Has what waits begun now, and not when the queue's minute has passed. */
export async function wakeWorkers({ bus, clock, log }: Pick<JobDeps, 'bus' | 'clock' | 'log'>): Promise<void> {
  await bus
    .publish('media.due', { atMs: clock.nowMs() })
    .catch(err => log.warn({ err }, 'The bus does not answer: work on media begins within a minute.'))
}

async function equalJob(
  trx: Trx,
  userId: UserId,
  o: { contentKey: string; idempotencyKey?: string | undefined; now: Date },
): Promise<MediaJobRow | null> {
  if (o.idempotencyKey !== undefined) {
    const keyed = await trx
      .selectFrom('media_jobs')
      .selectAll()
      .where('owner_id', '=', userId)
      .where('idempotency_key', '=', o.idempotencyKey)
      .executeTakeFirst()
    if (keyed && keyed.content_key !== o.contentKey)
      throw new AppError('CONFLICT', 'This idempotencyKey was used for other work: send a new one.')
    if (keyed) return keyed
  }
  const same = await trx
    .selectFrom('media_jobs')
    .selectAll()
    .where('owner_id', '=', userId)
    .where('content_key', '=', o.contentKey)
    .where('status', 'in', ['queued', 'running', 'done'])
    .where(eb => eb.or([eb('status', '<>', 'done'), eb('expires_at', 'is', null), eb('expires_at', '>', o.now)]))
    .executeTakeFirst()
  return same ?? null
}

/** A result that has expired and was not swept away yet gives way to a new one: the id of its job. */
async function makeRoomForSame(trx: Trx, userId: UserId, contentKey: string): Promise<string | null> {
  const row = await trx
    .updateTable('media_jobs')
    .set({ status: 'expired' })
    .where('owner_id', '=', userId)
    .where('content_key', '=', contentKey)
    .where('status', 'in', statusesBefore(jobTransitions, 'expired'))
    .returning('id')
    .executeTakeFirst()
  return row?.id ?? null
}

async function checkRoom(trx: Trx, userId: UserId, limits: PlanLimits): Promise<void> {
  const { open } = await trx
    .selectFrom('media_jobs')
    .select(eb => eb.fn.countAll<string>().as('open'))
    .where('owner_id', '=', userId)
    .where('status', 'in', ['queued', 'running'])
    .executeTakeFirstOrThrow()
  if (Number(open) >= openMax)
    throw new AppError('CONFLICT', `${openMax} pieces of work of yours wait already: let some finish, or cancel them.`)
  if (limits.storageBytes === null) return
  const used = await usedBytes(trx, userId)
  if (used < limits.storageBytes) return
  throw new AppError('CONFLICT', 'Your results take all the room of your plan: delete some, or choose a larger plan.', {
    details: { usedBytes: used, limitBytes: limits.storageBytes },
  })
}

/** What the files of a user's results take together, in bytes. */
export async function usedBytes(trx: Trx, userId: UserId): Promise<number> {
  const { bytes } = await trx
    .selectFrom('media_outputs')
    .select(eb => eb.fn.sum<string | null>('bytes').as('bytes'))
    .where('owner_id', '=', userId)
    .executeTakeFirstOrThrow()
  return Number(bytes ?? 0)
}
