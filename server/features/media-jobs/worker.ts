/**
 * Works on media, a bounded number of jobs at a time.
 *
 * Any number of nodes may do it at once. A job is claimed with a lease, in one statement that skips what another node is
 * claiming; while it is worked on, each beat renews the lease, writes the progress, and learns whether the job was
 * cancelled or is gone. When a process dies, the lease ends and somebody else takes the job: what the dead one had made
 * lies in a folder of its own, which a later start removes, and nothing of it was ever visible. A job whose worker died
 * again and again fails, so that a file which kills the process does not do so for ever.
 *
 * Small work goes before large work that was asked for at the same time, and nothing waits for ever: a job's turn comes by
 * when it was asked for plus how long it will take. Beside the places for any work there is one that only quick work may
 * take: a clip does not wait for the hours that are analysed.
 */
import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { AppError } from '../../../contracts/errors.ts'
import type { Bus } from '../../../core/bus/port.ts'
import type { Clock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import type { Log } from '../../../core/log.ts'
import { statusesBefore } from '../credentials/transitions.ts'
import { completeJob, failJob, type Lease, requeueJob, type StoredFile, tellOfJob } from './finish-job.ts'
import { jobTransitions, type MediaJobRow } from './job-states.ts'

const beatMs = 2_000
const leaseMs = 60_000
const attemptsMax = 3
/** Work that takes no longer, as estimated, is quick. */
const quickCpuSecMax = 30
const quickPlaces = 1
/** The pause after the first attempt that may pass, and three times that after the second. */
const pauseMs = 5_000
/** The longest that a job may take: an hour, to fetch hours from a slow server, and so many times its estimate. */
const limitMs = 3_600_000
const limitPerEstimate = 10

/** What came of a job. The files lie in the blob store. */
export interface MadeByJob {
  readonly result: unknown
  readonly files: readonly StoredFile[]
  /** Processor time, in seconds; null where nobody measured it. */
  readonly cpuSeconds: number | null
}

export interface WorkerDeps {
  readonly db: Db
  readonly bus: Bus
  readonly clock: Clock
  readonly log: Log
  /** Does the work. Aborted, it stops soon, and leaves nothing behind. */
  readonly work: (
    job: MediaJobRow,
    o: { signal: AbortSignal; onProgress: (share: number) => void },
  ) => Promise<MadeByJob>
  /** Removes files that were stored for a job which is no longer this worker's. */
  readonly discard: (job: MediaJobRow, files: readonly StoredFile[]) => Promise<void>
}

interface UnderWay {
  readonly lease: Lease
  readonly row: MediaJobRow
  readonly stop: AbortController
  progress: number
  toldProgress: number
  ended: Promise<void>
}

/** Why a job's signal was aborted. */
const stopped = {
  closing: new AppError('UNAVAILABLE', 'The server is stopping: the work goes on when it runs again.'),
  lost: new AppError('CONFLICT', 'The work was cancelled.'),
} as const

/** One per process that does jobs. */
export class MediaWorker {
  readonly #deps: WorkerDeps
  readonly #concurrentMax: number
  readonly #underWay = new Map<string, UnderWay>()
  readonly #beat: NodeJS.Timeout
  readonly #timers = new Set<NodeJS.Timeout>()
  #filling: Promise<void> | null = null
  #isWanted = false
  #isClosing = false

  /** @param o.concurrentMax jobs of any length at a time; one more when it is quick */
  constructor(deps: WorkerDeps, o: { readonly concurrentMax: number }) {
    this.#deps = deps
    this.#concurrentMax = o.concurrentMax
    this.#beat = setInterval(() => void this.beat(), beatMs).unref()
  }

  /** Begins what is due, as far as there is room; resolves when it has begun. Called meanwhile, it looks once more. */
  async run(): Promise<void> {
    this.#isWanted = true
    this.#filling ??= this.#fill().finally(() => {
      this.#filling = null
    })
    await this.#filling
  }

  /** Resolves when nothing is under way here and nothing is due. */
  async drain(): Promise<void> {
    for (;;) {
      await this.run()
      if (this.#underWay.size === 0) return
      await Promise.race([...this.#underWay.values()].map(one => one.ended))
    }
  }

  /** Stops a job that was cancelled, when it is this worker's. */
  cancel(jobId: string): void {
    this.#underWay.get(jobId)?.stop.abort(stopped.lost)
  }

  /** Renews the leases and tells the progress of everything that is under way. */
  async beat(): Promise<void> {
    await Promise.all([...this.#underWay.values()].map(one => this.#beatOne(one)))
  }

  /** Puts what is under way back, for another process or the next start. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#beat)
    for (const timer of this.#timers) clearTimeout(timer)
    for (const one of this.#underWay.values()) one.stop.abort(stopped.closing)
    await this.#filling
    await Promise.allSettled([...this.#underWay.values()].map(one => one.ended))
  }

  async #fill(): Promise<void> {
    while (this.#isWanted && !this.#isClosing) {
      this.#isWanted = false
      while (this.#underWay.size < this.#concurrentMax + quickPlaces && !this.#isClosing) {
        const row = await this.#claim(this.#hasPlaceForAny() ? null : quickCpuSecMax)
        if (row === null) break
        this.#begin(row)
      }
    }
  }

  /** Quick work stands in its own place first, so that a stream of it holds nothing else up. */
  #hasPlaceForAny(): boolean {
    const rows = [...this.#underWay.values()].map(one => one.row)
    const quickCount = rows.filter(row => row.estimate_cpu_seconds <= quickCpuSecMax).length
    return rows.length - Math.min(quickPlaces, quickCount) < this.#concurrentMax
  }

  /** @param cpuSecMax what the job may take, as estimated; null for any */
  async #claim(cpuSecMax: number | null): Promise<MediaJobRow | null> {
    const now = new Date(this.#deps.clock.nowMs())
    const next = sql<string>`(
      select id from media_jobs
      where ((status = 'queued' and due_at <= ${now}) or (status = 'running' and lease_until <= ${now}))
        and (${cpuSecMax}::float8 is null or estimate_cpu_seconds <= ${cpuSecMax}::float8)
      order by created_at + estimate_cpu_seconds * interval '1 second', id limit 1 for update skip locked)`
    const row = await this.#deps.db.system
      .updateTable('media_jobs')
      .set(eb => ({
        status: 'running',
        attempts: eb('attempts', '+', 1),
        lease_id: randomUUID(),
        lease_until: new Date(now.getTime() + leaseMs),
        started_at: now,
        progress: 0,
      }))
      .where('id', '=', next)
      .where('status', 'in', statusesBefore(jobTransitions, 'running'))
      .returningAll()
      .executeTakeFirst()
    return row ?? null
  }

  #begin(row: MediaJobRow): void {
    const lease = { jobId: row.id, leaseId: row.lease_id ?? '' }
    const one: UnderWay = {
      lease,
      row,
      stop: new AbortController(),
      progress: 0,
      toldProgress: 0,
      ended: Promise.resolve(),
    }
    this.#underWay.set(row.id, one)
    one.ended = this.#work(one)
      .catch(err =>
        this.#deps.log.error({ err, jobId: row.id }, 'How a job ended could not be written: it is taken again.'),
      )
      .then(() => {
        this.#underWay.delete(row.id)
        if (!this.#isClosing)
          void this.run().catch(err => this.#deps.log.warn({ err }, 'Work on media could not be looked for.'))
      })
  }

  async #work(one: UnderWay): Promise<void> {
    const { row, lease, stop } = one
    if (row.attempts > attemptsMax) {
      await failJob(this.#deps, lease, {
        code: 'INTERNAL',
        message: 'The work broke off several times: it is not tried again.',
      })
      return
    }
    await tellOfJob(this.#deps, row)
    const timeout = AbortSignal.timeout(Math.ceil(limitMs + row.estimate_cpu_seconds * limitPerEstimate * 1000))
    try {
      const made = await this.#deps.work(row, {
        signal: AbortSignal.any([stop.signal, timeout]),
        onProgress: share => {
          one.progress = Math.min(0.99, Math.max(one.progress, share))
        },
      })
      if (await completeJob(this.#deps, lease, made)) return
      await this.#deps.discard(row, made.files)
    } catch (error) {
      await this.#onFailure(one, timeout.aborted ? tookTooLong() : error)
    }
  }

  async #onFailure({ row, lease, stop }: UnderWay, error: unknown): Promise<void> {
    if (stop.signal.reason === stopped.lost) return
    const nowMs = this.#deps.clock.nowMs()
    if (stop.signal.reason === stopped.closing) {
      await requeueJob(this.#deps, lease, { dueAt: new Date(nowMs), countsAsAttempt: false })
      return
    }
    if (!(error instanceof AppError))
      this.#deps.log.error({ err: error, jobId: row.id, type: row.type }, 'Work on media failed.')
    const mayPass = error instanceof AppError ? error.isRetryable : true
    if (mayPass && row.attempts < attemptsMax) {
      const waitMs = pauseMs * 3 ** (row.attempts - 1)
      await requeueJob(this.#deps, lease, { dueAt: new Date(nowMs + waitMs), countsAsAttempt: true })
      this.#runIn(waitMs)
      return
    }
    await failJob(this.#deps, lease, error instanceof AppError ? error : new AppError('INTERNAL'))
  }

  #runIn(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.run().catch(err => this.#deps.log.warn({ err }, 'Work on media could not be looked for.'))
    }, ms).unref()
    this.#timers.add(timer)
  }

  async #beatOne(one: UnderWay): Promise<void> {
    const { progress } = one
    try {
      const row = await this.#deps.db.system
        .updateTable('media_jobs')
        .set({ lease_until: new Date(this.#deps.clock.nowMs() + leaseMs), progress })
        .where('id', '=', one.lease.jobId)
        .where('lease_id', '=', one.lease.leaseId)
        .returningAll()
        .executeTakeFirst()
      if (!row) {
        if (this.#underWay.get(one.row.id) === one) one.stop.abort(stopped.lost)
      } else if (progress > one.toldProgress) {
        one.toldProgress = progress
        await tellOfJob(this.#deps, row)
      }
    } catch (err) {
      this.#deps.log.warn({ err }, 'The lease of a job could not be renewed: tried again at the next beat.')
    }
  }
}

function tookTooLong(): AppError {
  return new AppError('BAD_REQUEST', 'The work took far longer than it should, and was stopped: try a shorter part.')
}

/**
 * Gives back at once what a killed process had in hand. Only for an embedded store, on which nobody else works: elsewhere
 * the leases end by themselves.
 */
export async function takeBackOrphans({ db, clock }: Pick<WorkerDeps, 'db' | 'clock'>): Promise<void> {
  await db.system
    .updateTable('media_jobs')
    .set({ lease_until: new Date(clock.nowMs()) })
    .where('status', '=', 'running')
    .execute()
}
