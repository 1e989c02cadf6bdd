import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Db } from '../db/port.ts'
import { openTestDb } from '../db/test-db.ts'
import { openQueue } from './pg-boss.ts'
import { describeQueue } from './port-suite.ts'

const log = pino({ level: 'silent' })
let folder: string
let db: Db

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-queue-'))
  db = await openTestDb(join(folder, 'postgres'))
})

afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})

describeQueue(() => openQueue({ db, log }))

it('still has a waiting job after the store was closed and opened again', async () => {
  const before = await openQueue({ db, log })
  await before.declare('kept')
  const id = await before.send('kept', { n: 1 })
  await before.close()
  await db.close()
  db = await openTestDb(join(folder, 'postgres'))
  const after = await openQueue({ db, log })
  const { promise, resolve } = Promise.withResolvers<unknown>()
  await after.work('kept', { batchSize: 1, pollingIntervalSeconds: 0.5 }, async jobs => resolve(jobs))
  expect(await promise).toEqual([{ id, data: { n: 1 } }])
  await after.close()
})
