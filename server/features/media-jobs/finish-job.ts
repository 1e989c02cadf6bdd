/**
 * How a job ends, and what that means for its credits: captured when it is done, released otherwise. State, ledger and
 * what webhooks are told change in one transaction. A worker's verbs hold only while it has the job's lease: a job that
 * was cancelled, or that another worker took over, is not finished by the one who lost it.
 */
import type { Transaction, UpdateObject } from 'kysely'
import type { ErrorCode } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import type { MediaChange } from '../../../contracts/media-jobs.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Database } from '../../../core/db/schema.ts'
import type { Log } from '../../../core/log.ts'
import { captureCredits, releaseCredits } from '../billing/ledger.ts'
import { statusesBefore } from '../credentials/transitions.ts'
import { tellWebhooks, wakeSender } from '../webhooks/outbox.ts'
import { jobTransitions, type MediaJobRow } from './job-states.ts'

type Trx = Transaction<Database>

interface FinishDeps {
  readonly db: Db
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
}

/** A job that a worker has in hand. */
export interface Lease {
  readonly jobId: string
  readonly leaseId: string
}

/** A file that lies in the blob store already. */
export interface StoredFile {
  readonly fileId: string
  readonly name: string
  readonly contentType: string
  readonly bytes: number
  /** Lower-case hex. */
  readonly sha256: string
}

/**
 * The work is done: its files may be downloaded from now on.
 * @returns `false` when the lease was lost, and nothing was written: the files are nobody's
 */
export async function completeJob(
  deps: FinishDeps,
  lease: Lease,
  made: { readonly result: unknown; readonly files: readonly StoredFile[]; readonly cpuSeconds: number | null },
): Promise<boolean> {
  return await finish(deps, lease, {
    status: 'done',
    change: { progress: 1, result: JSON.stringify(made.result), actual_cpu_seconds: made.cpuSeconds },
    async also(trx, row, now) {
      if (made.files.length > 0)
        await trx
          .insertInto('media_outputs')
          .values(made.files.map(file => toRow(file, row, now)))
          .execute()
      if (row.reservation_id === null) return
      await captureCredits({ trx, at: now }, { ...ledgerLine(row, 'capture'), amount: row.credits })
    },
  })
}

/** The work cannot be done: it costs nothing. `false` when the lease was lost. */
export async function failJob(
  deps: FinishDeps,
  lease: Lease,
  error: { readonly code: ErrorCode; readonly message: string },
): Promise<boolean> {
  return await finish(deps, lease, {
    status: 'failed',
    change: { error_code: error.code, error_message: error.message.slice(0, 500) },
    also: (trx, row, now) => release(trx, row, now),
  })
}

/** The work was interrupted: somebody takes it again from `dueAt` on. */
export async function requeueJob(
  deps: FinishDeps,
  { jobId, leaseId }: Lease,
  o: { readonly dueAt: Date; readonly countsAsAttempt: boolean },
): Promise<void> {
  await deps.db.system
    .updateTable('media_jobs')
    .set(eb => ({
      status: 'queued',
      progress: 0,
      due_at: o.dueAt,
      lease_id: null,
      lease_until: null,
      ...(o.countsAsAttempt ? {} : { attempts: eb('attempts', '-', 1) }),
    }))
    .where('id', '=', jobId)
    .where('lease_id', '=', leaseId)
    .where('status', 'in', statusesBefore(jobTransitions, 'queued'))
    .execute()
}

/**
 * Stops a job of a user: its worker hears of it at once, or at its next beat.
 * @param trx of our own bookkeeping: the ledger is written
 * @returns the job as it is now, or null when it was not open
 */
export async function cancelJob(trx: Trx, userId: UserId, jobId: string, now: Date): Promise<MediaJobRow | null> {
  const row = await trx
    .updateTable('media_jobs')
    .set({ status: 'cancelled', finished_at: now, lease_id: null, lease_until: null })
    .where('id', '=', jobId)
    .where('owner_id', '=', userId)
    .where('status', 'in', statusesBefore(jobTransitions, 'cancelled'))
    .returningAll()
    .executeTakeFirst()
  if (!row) return null
  await release(trx, row, now)
  return row
}

/** Tells everybody who looks at it: screens of its owner, and the worker that has it. What is missed is in the store. */
export async function tellOfJob({ bus, log }: Pick<FinishDeps, 'bus' | 'log'>, row: MediaJobRow): Promise<void> {
  const change: MediaChange = {
    jobId: row.id,
    type: row.type,
    vodId: row.vod_id,
    status: row.status,
    progress: row.progress,
  }
  await bus
    .publish('media.changed', { userId: row.owner_id, change })
    .catch(err => log.warn({ err }, 'The bus does not answer: how work on media goes is told late.'))
}

async function finish(
  deps: FinishDeps,
  { jobId, leaseId }: Lease,
  o: {
    readonly status: 'done' | 'failed'
    readonly change: UpdateObject<Database, 'media_jobs'>
    readonly also: (trx: Trx, row: MediaJobRow, now: Date) => Promise<void>
  },
): Promise<boolean> {
  const now = new Date(deps.clock.nowMs())
  const row = await deps.db.transaction(async trx => {
    const changed = await trx
      .updateTable('media_jobs')
      .set({ ...o.change, status: o.status, finished_at: now, lease_id: null, lease_until: null })
      .where('id', '=', jobId)
      .where('lease_id', '=', leaseId)
      .where('status', 'in', statusesBefore(jobTransitions, o.status))
      .returningAll()
      .executeTakeFirst()
    if (!changed) return null
    await o.also(trx, changed, now)
    await tellWebhooks(trx, [happeningOf(changed)], { now, userId: UserIdSchema.parse(changed.owner_id) })
    return changed
  })
  if (row === null) return false
  await tellOfJob(deps, row)
  await wakeSender(deps)
  return true
}

function happeningOf(row: MediaJobRow) {
  const isDone = row.status === 'done'
  const event = row.type === 'clip' ? (isDone ? 'clip.ready' : 'clip.failed') : isDone ? 'media.done' : 'media.failed'
  const ids = row.type === 'clip' ? { requestId: row.id } : { jobId: row.id, type: row.type }
  return {
    event,
    dedupeKey: `${event} ${row.id}`,
    data: { ...ids, vodId: row.vod_id, ...(isDone ? {} : { reason: row.error_message ?? '' }) },
  } as const
}

async function release(trx: Trx, row: MediaJobRow, now: Date): Promise<void> {
  if (row.reservation_id !== null) await releaseCredits({ trx, at: now }, ledgerLine(row, 'release'))
}

function ledgerLine(row: MediaJobRow, verb: 'capture' | 'release') {
  return {
    userId: UserIdSchema.parse(row.owner_id),
    reservationId: row.reservation_id ?? '',
    reason: `${row.type === 'clip' ? 'Clip' : row.type} of ${row.vod_id}`.slice(0, 200),
    key: `media:${row.id}:${verb}`,
  }
}

function toRow(file: StoredFile, job: MediaJobRow, now: Date) {
  return {
    id: file.fileId,
    job_id: job.id,
    owner_id: job.owner_id,
    name: file.name,
    content_type: file.contentType,
    bytes: file.bytes,
    sha256: file.sha256,
    created_at: now,
  }
}
