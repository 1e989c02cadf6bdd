import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import { shippedMigrations } from '../migration-plan.ts'
import { ensureLocalOwner } from './local-owner.ts'
import { migrateDb } from './migrate.ts'
import { openPglite } from './pglite.ts'
import type { Db } from './port.ts'
import { describeDb } from './port-suite.ts'
import { openPostgres } from './postgres.ts'

const log = pino({ level: 'silent' })
let rig: PostgresRig
let folder: string
let db: Db

beforeAll(async () => {
  rig = await startPostgres()
  folder = await mkdtemp(join(tmpdir(), 'cliptape-pg-files-'))
  db = await openPostgres({ url: rig.url, log })
})

afterAll(async () => {
  await db.close()
  await rig.stop()
  await rm(folder, { recursive: true })
})

describe('Postgres', () => {
  describeDb(() => ({ db, folder }))

  it('warns about a login that is a superuser, and only then', async () => {
    const lines: string[] = []
    const listening = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
    await (await openPostgres({ url: rig.url, log: listening })).close()
    expect(lines).toEqual([])
    await (await openPostgres({ url: rig.superuserUrl, log: listening })).close()
    expect(lines.join()).toContain('logs in as a superuser')
  })

  it('lets two programs migrate one empty database at once', async () => {
    const url = await rig.createDatabase('twice')
    const both = await Promise.all([openPostgres({ url, log }), openPostgres({ url, log })])
    const results = await Promise.all(both.map(each => migrateDb(each)))
    const shipped = shippedMigrations('postgres/migrations').map(file => file.name)
    expect(results.flatMap(result => result.applied).sort()).toEqual(shipped)
    await Promise.all(both.map(each => each.close()))
  })

  it('takes over the copy of an embedded store', async () => {
    const path = join(folder, 'embedded.jsonl')
    const embedded = await openPglite({ dataDir: join(folder, 'postgres'), log })
    await migrateDb(embedded)
    const owner = await ensureLocalOwner(embedded)
    await embedded.dumpTo(path)
    await embedded.close()
    const moved = await openPostgres({ url: await rig.createDatabase('moved'), log })
    await moved.restoreFrom(path)
    expect(await ensureLocalOwner(moved)).toBe(owner)
    expect(await migrateDb(moved)).toEqual({ applied: [] })
    await moved.close()
  })

  it('says that the store is not answering while the server is down, and goes on when it is back', async () => {
    await rig.kill()
    await expect(db.ping()).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect(openPostgres({ url: rig.url, log })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await rig.start()
    await db.ping()
  })
})
