/**
 * The process that the crash test of the queue kills: it works on jobs and records each in a table before the queue
 * hears of it, as every handler of ours does. Lines: `done <n>` for each job.
 */
import { writeSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { openPglite } from '../db/pglite.ts'
import { openQueue } from './pg-boss.ts'

export const crashWorkerPath = fileURLToPath(import.meta.url)
export const crashQueueName = 'crash'

if (import.meta.main) {
  const log = pino({ level: 'silent' })
  const db = await openPglite({ dataDir: process.argv[2] ?? '', log })
  const queue = await openQueue({ db, log })
  await queue.declare(crashQueueName, { retryLimit: 100 })
  await queue.work<{ n: number }>(crashQueueName, { batchSize: 7, pollingIntervalSeconds: 0.5 }, async jobs => {
    for (const { data } of jobs) {
      await db.executeSql('insert into crash_done values ($1) on conflict do nothing', [data.n])
      writeSync(1, `done ${data.n}\n`)
    }
  })
}
