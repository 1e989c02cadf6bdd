import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestDb } from '../core/db/test-db.ts'
import { makeHome } from './cli.ts'
import { findLeaks } from './secret-leak-suite.ts'

let home: string
beforeAll(async () => {
  home = await makeHome()
})
afterAll(() => rm(home, { recursive: true, force: true }))

it('leaves no secret in a log, an answer, a process list, a job, a row, a file or a metric of an embedded home', async () => {
  const leaks = await findLeaks({
    home,
    stores: {},
    serve: ['serve'],
    hasChildren: true,
    openDb: () => openTestDb(join(home, 'relational')),
    elsewhere: async () => new Map(),
  })
  expect(leaks).toEqual([])
}, 240_000)
