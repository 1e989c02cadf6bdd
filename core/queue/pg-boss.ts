import { randomUUID } from 'node:crypto'
import { PgBoss } from 'pg-boss'
import { z } from 'zod'
import type { Db } from '../db/port.ts'
import type { Log } from '../log.ts'
import type { Queue } from './port.ts'

const schema = 'pgboss'
const drainMsMax = 5_000

const StatsSchema = z.array(
  z.object({
    name: z.string(),
    waiting: z.coerce.number(),
    active: z.coerce.number(),
    oldestWaitingSeconds: z.coerce.number().nullable(),
  }),
)

/**
 * Opens the job queue on the relational store (schema `pgboss`, made and migrated by pg-boss itself).
 *
 * It runs on our own connections rather than a pool of its own: the embedded store has just one. pg-boss's adapter for
 * PGlite is not used because our worker is reached by the Postgres protocol and behaves like a pool of one.
 */
export async function openQueue(options: { db: Db; log: Log }): Promise<Queue> {
  const { db, log } = options
  const isEmbedded = db.kind === 'pglite'
  const boss = new PgBoss({
    db: { executeSql: (text, values) => db.executeSql(text, values) },
    backend: isEmbedded ? 'pglite' : 'postgres',
    schema,
    // One connection has no vacuum of others to watch and cannot rebuild an index beside its work.
    monitorVacuum: !isEmbedded,
    reindex: !isEmbedded,
  })
  boss.on('error', error => log.error({ err: error }, 'The job queue met an error; it goes on.'))
  boss.on('warning', warning => log.warn({ warning }, 'The job queue warns.'))
  await boss.start()
  if (isEmbedded) await takeBackOrphans(db)

  return {
    async declare(name, queueOptions) {
      // "short": one waiting job per key. Jobs without a key get one of their own, or they would count as equal.
      await boss.createQueue(name, { policy: 'short', ...queueOptions })
      if (queueOptions) await boss.updateQueue(name, queueOptions)
    },
    async send(name, data, sendOptions = {}) {
      const { singletonKey, startAfterSeconds, priority } = sendOptions
      return await boss.send(name, data, {
        singletonKey: singletonKey ?? randomUUID(),
        ...(startAfterSeconds === undefined ? {} : { startAfter: startAfterSeconds }),
        ...(priority === undefined ? {} : { priority }),
      })
    },
    async work<T extends object>(
      name: string,
      workOptions: { batchSize: number; pollingIntervalSeconds: number },
      handler: (jobs: { id: string; data: T }[]) => Promise<void>,
    ) {
      await boss.work<T>(name, workOptions, jobs => handler(jobs.map(({ id, data }) => ({ id, data }))))
    },
    async schedule(name, cron, data) {
      await boss.schedule(name, cron, data)
    },
    async stats() {
      const { rows } = await db.executeSql(`
        select q.name,
          count(j.id) filter (where j.state < 'active') as waiting,
          count(j.id) filter (where j.state = 'active') as active,
          extract(epoch from now() - min(j.start_after) filter (where j.state < 'active' and j.start_after <= now()))
            as "oldestWaitingSeconds"
        from ${schema}.queue q
          left join ${schema}.job j on j.name = q.name and j.state <= 'active'
        where q.name not like '\\_\\_pgboss%'
        group by q.name order by q.name`)
      return StatsSchema.parse(rows)
    },
    async close() {
      await boss.stop({ close: false, graceful: true, timeout: drainMsMax })
    },
  }
}

/**
 * Jobs that a killed process had in hand stay active until they expire, a quarter of an hour by default. Nobody else
 * works on an embedded store, so whatever is active at the start has no worker: it waits again, or has failed when that
 * was its last try.
 */
async function takeBackOrphans(db: Db): Promise<void> {
  await db.executeSql(`
    update ${schema}.job set
      state = (case when retry_count < retry_limit then 'retry' else 'failed' end)::${schema}.job_state,
      completed_on = case when retry_count < retry_limit then null else now() end,
      start_after = now()
    where state = 'active'`)
}
