import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { stopChild } from '../../test/services/process.ts'
import { openPglite } from '../db/pglite.ts'
import { crashQueueName, crashWorkerPath } from './crash-worker.ts'
import { openQueue } from './pg-boss.ts'

const log = pino({ level: 'silent' })
const jobCount = 60
const killsMax = 12

it('does every job, whatever is killed in the middle of it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-queue-crash-'))
  const dataDir = join(folder, 'postgres')
  const before = await openPglite({ dataDir, log })
  const queue = await openQueue({ db: before, log })
  await before.executeSql('create table crash_done (n int primary key)')
  await queue.declare(crashQueueName, { retryLimit: 100 })
  for (let n = 0; n < jobCount; n += 1) await queue.send(crashQueueName, { n })
  await queue.close()
  await before.close()

  const done = new Set<number>()
  for (let kill = 0; kill < killsMax && done.size < jobCount; kill += 1) {
    const worker = spawn(process.execPath, [crashWorkerPath, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] })
    let heard = 0
    for await (const line of createInterface({ input: worker.stdout })) {
      done.add(Number(line.slice(5)))
      heard += 1
      // In the middle of a batch, or once everything is done.
      if (heard % 10 === 0 || done.size === jobCount) worker.kill('SIGKILL')
    }
    await stopChild(worker, 'SIGKILL')
  }

  const after = await openPglite({ dataDir, log })
  const { rows } = await after.executeSql('select count(*)::int as count from crash_done')
  expect(rows).toEqual([{ count: jobCount }])
  const { rows: failed } = await after.executeSql(
    `select count(*)::int as count from pgboss.job where state = 'failed'`,
  )
  expect(failed).toEqual([{ count: 0 }])
  await after.close()
  await rm(folder, { recursive: true })
})
