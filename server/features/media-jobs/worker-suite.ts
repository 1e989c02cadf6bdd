import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '../../../contracts/errors.ts'
import { type UserId, UserIdSchema } from '../../../contracts/ids.ts'
import { memoryBus } from '../../../core/bus/memory.ts'
import { manualClock } from '../../../core/clock.ts'
import type { Db } from '../../../core/db/port.ts'
import { openOutbound } from '../../../core/outbound/guarded-fetch.ts'
import { testMediaDesk } from '../../../test/media-desk.ts'
import { createJob, type JobDeps, type NewJob } from './create-job.ts'
import { findJob, removeJob } from './find-job.ts'
import { MediaWorker, type WorkerDeps } from './worker.ts'

const startMs = Date.parse('2026-01-31T12:00:00Z')
const clock = manualClock(startMs)
const log = pino({ level: 'silent' })
const bus = memoryBus({ log })
const outbound = openOutbound({ configuredOrigins: [] })
const clip: NewJob = {
  type: 'clip',
  vodId: 'own:0b6b4c1e-7d0d-4f6a-8f0e-2a6f6f1c9a57',
  params: { startTime: 1, endTime: 5, options: {} },
  contentId: 'content-1',
  estimateCpuSeconds: 25.123,
  reason: 'A clip',
}

type Work = WorkerDeps['work']
const nothing = { result: { made: true }, files: [], cpuSeconds: 2 }

/** Work that lasts until it is told to end, or stopped. */
function held(): { work: Work; begun: Promise<unknown>; end: () => void } {
  const events = new EventTarget()
  const begun = once(events, 'begun')
  return {
    begun,
    end: () => void events.dispatchEvent(new Event('end')),
    async work(_job, { signal }) {
      const ended = once(events, 'end', { signal })
      events.dispatchEvent(new Event('begun'))
      await ended.catch(() => {
        throw signal.reason
      })
      return nothing
    },
  }
}

/**
 * How work on media is done, on every engine: its leases, its credits, its end.
 * @param setup an open, migrated store, closed by the file that calls this
 */
export function describeWorker(setup: () => { readonly db: Db }): void {
  let folder: string
  let db: Db
  let deps: JobDeps & { freeShare: number }
  let userId: UserId
  const workers: MediaWorker[] = []

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'cliptape-worker-'))
    db = setup().db
  })
  afterAll(() => Promise.all([outbound.close(), rm(folder, { recursive: true, force: true })]))
  beforeEach(async () => {
    clock.set(startMs)
    await db.system.deleteFrom('media_jobs').execute()
    const row = await db.system
      .insertInto('users')
      .values({ email: `${crypto.randomUUID()}@example.com`, role: 'user', is_local: false })
      .returning('id')
      .executeTakeFirstOrThrow()
    userId = UserIdSchema.parse(row.id)
    deps = {
      db,
      bus,
      clock,
      log,
      freeShare: 1,
      media: { ...testMediaDesk({ folder, clock, outbound }), freeDiskShare: async () => deps.freeShare },
    }
  })
  afterEach(() => Promise.all(workers.splice(0).map(worker => worker.close())))

  function startWorker(work: Work, o: { concurrentMax: number } = { concurrentMax: 1 }): MediaWorker {
    const worker = new MediaWorker({ db, bus, clock, log, work, discard: async () => undefined }, o)
    workers.push(worker)
    return worker
  }

  async function balance() {
    const { available, reserved } = await db.system
      .selectFrom('credit_accounts')
      .select(['available', 'reserved'])
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow()
    return { available: Number(available), reserved: Number(reserved) }
  }

  const stateOf = async (id: string) => (await findJob(deps, userId, id, 'clips')).row

  describe('work on media', () => {
    it('holds its credits while it waits, and spends them when it is done', async () => {
      const { row } = await createJob(deps, userId, clip)
      expect(row).toMatchObject({ status: 'queued', credits: 3 })
      expect(await balance()).toEqual({ available: 47, reserved: 3 })
      await startWorker(async () => nothing).drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'done', progress: 1, actual_cpu_seconds: 2 })
      expect(await balance()).toEqual({ available: 47, reserved: 0 })
    })

    it('is done once when it is asked for twice, and again when it failed', async () => {
      const first = await createJob(deps, userId, clip)
      const again = await createJob(deps, userId, { ...clip, params: { options: {}, endTime: 5, startTime: 1 } })
      expect(again).toEqual({ row: first.row, isNew: false })
      await startWorker(async () => {
        throw new AppError('BAD_REQUEST', 'The file is damaged.')
      }).drain()
      expect(await stateOf(first.row.id)).toMatchObject({ status: 'failed', error_message: 'The file is damaged.' })
      expect(await balance()).toEqual({ available: 50, reserved: 0 })
      expect((await createJob(deps, userId, clip)).isNew).toBe(true)
      await expect(createJob(deps, userId, { ...clip, contentId: 'other', idempotencyKey: 'k' })).resolves.toBeDefined()
      await expect(createJob(deps, userId, { ...clip, contentId: 'third', idempotencyKey: 'k' })).rejects.toMatchObject(
        {
          code: 'CONFLICT',
        },
      )
    })

    it('is refused without enough credits, and on a full disk, before anything is written', async () => {
      await expect(createJob(deps, userId, { ...clip, estimateCpuSeconds: 5000 })).rejects.toMatchObject({
        code: 'INSUFFICIENT_CREDITS',
      })
      deps.freeShare = 0.05
      await expect(createJob(deps, userId, clip)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        details: { retryAfterMs: 60_000 },
      })
      expect(await db.system.selectFrom('media_jobs').selectAll().execute()).toEqual([])
    })

    it('stops at once when it is cancelled, and costs nothing', async () => {
      const { row } = await createJob(deps, userId, clip)
      const { work, begun } = held()
      const worker = startWorker(work)
      await worker.run()
      await begun
      await removeJob(deps, userId, row.id, 'clips')
      worker.cancel(row.id)
      await worker.drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'cancelled', lease_id: null })
      expect(await balance()).toEqual({ available: 50, reserved: 0 })
    })

    it('learns at its next beat of a cancellation that nobody told it of', async () => {
      const { row } = await createJob(deps, userId, clip)
      const { work, begun } = held()
      const worker = startWorker(work)
      await worker.run()
      await begun
      await db.system.deleteFrom('media_jobs').where('id', '=', row.id).execute()
      await worker.beat()
      await worker.drain()
      await expect(stateOf(row.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('goes to another worker when the lease of a dead one ends, and the dead one finishes nothing', async () => {
      const { row } = await createJob(deps, userId, clip)
      const late = held()
      const first = startWorker(late.work)
      await first.run()
      await late.begun
      clock.advance(60_001)
      await startWorker(async () => nothing).drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'done', attempts: 2 })
      late.end()
      await first.drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'done', attempts: 2 })
      expect(await balance()).toEqual({ available: 47, reserved: 0 })
    })

    it('is tried three times when what failed may pass, then fails with the reason', async () => {
      const { row } = await createJob(deps, userId, clip)
      const worker = startWorker(async () => {
        throw new AppError('UNAVAILABLE', 'media.example.com did not answer in time.')
      })
      await worker.drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'queued', attempts: 1 })
      clock.advance(5_000)
      await worker.drain()
      expect(await stateOf(row.id)).toMatchObject({ status: 'queued', attempts: 2 })
      clock.advance(15_000)
      await worker.drain()
      expect(await stateOf(row.id)).toMatchObject({
        status: 'failed',
        error_message: 'media.example.com did not answer in time.',
      })
    })

    it('goes back to the queue when the server stops, without a try being counted', async () => {
      const { row } = await createJob(deps, userId, clip)
      const { work, begun } = held()
      const worker = startWorker(work)
      await worker.run()
      await begun
      await worker.close()
      expect(await stateOf(row.id)).toMatchObject({ status: 'queued', attempts: 0 })
    })

    it('takes small work before large work that was asked for at the same time', async () => {
      const order: string[] = []
      await createJob(deps, userId, { ...clip, contentId: 'large', estimateCpuSeconds: 60 })
      clock.advance(1000)
      await createJob(deps, userId, { ...clip, contentId: 'small', estimateCpuSeconds: 1 })
      await startWorker(async job => {
        order.push(`${job.estimate_cpu_seconds} s`)
        return nothing
      }).drain()
      expect(order).toEqual(['1 s', '60 s'])
    })

    it('is done beside long work when it is quick, and other long work waits', async () => {
      const { row: long } = await createJob(deps, userId, { ...clip, contentId: 'long', estimateCpuSeconds: 60 })
      const { work, begun, end } = held()
      const quick = Promise.withResolvers<void>()
      const done: number[] = []
      const worker = startWorker(async (job, o) => {
        if (job.id === long.id) return await work(job, o)
        done.push(job.estimate_cpu_seconds)
        quick.resolve()
        return nothing
      })
      await worker.run()
      await begun
      await createJob(deps, userId, { ...clip, contentId: 'longer', estimateCpuSeconds: 70 })
      await createJob(deps, userId, { ...clip, contentId: 'quick', estimateCpuSeconds: 1 })
      await worker.run()
      await quick.promise
      end()
      await worker.drain()
      expect(done).toEqual([1, 70])
    })

    it('is done by one of several nodes, each piece once', async () => {
      const done: string[] = []
      const work: Work = async job => {
        done.push(job.id)
        return nothing
      }
      for (let index = 0; index < 8; index += 1)
        await createJob(deps, userId, { ...clip, contentId: `${index}`, estimateCpuSeconds: 1 })
      const nodes = [1, 2, 3].map(() => startWorker(work, { concurrentMax: 2 }))
      await Promise.all(nodes.map(node => node.drain()))
      expect([done.length, new Set(done).size]).toEqual([8, 8])
      expect(await balance()).toEqual({ available: 42, reserved: 0 })
    })
  })
}
