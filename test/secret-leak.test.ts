import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openPglite } from '../core/db/pglite.ts'
import { findLeaks } from './secret-leak-suite.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'cliptape-leak-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

it('leaves no secret in a log, an answer, a process list, a job, a row, a file or a metric of an embedded home', async () => {
  const leaks = await findLeaks({
    home,
    stores: {},
    serve: ['serve'],
    hasChildren: true,
    openDb: () => openPglite({ dataDir: join(home, 'relational'), log: pino({ level: 'silent' }) }),
    elsewhere: async () => new Map(),
  })
  expect(leaks).toEqual([])
}, 240_000)
