import { mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ensureLocalOwner } from './local-owner.ts'
import { openPglite } from './pglite.ts'
import type { Db } from './port.ts'
import { describeDb } from './port-suite.ts'

const log = pino({ level: 'silent' })
let folder: string
let dataDir: string
let db: Db

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-pglite-'))
  dataDir = join(folder, 'home', 'postgres')
  db = await openPglite({ dataDir, log })
})

afterAll(async () => {
  await db.close()
  await rm(folder, { recursive: true })
})

describe('PGlite', () => {
  describeDb(() => ({ db, folder }))

  it('leaves nothing half made beside the store', async () => {
    expect(await readdir(join(folder, 'home'))).toEqual(['postgres'])
  })

  it('has the vector extension at hand', async () => {
    await db.executeSql('create extension if not exists vector')
    const { rows } = await db.executeSql(`select '[3,4]'::vector <-> '[0,0]'::vector as distance`)
    expect(rows).toEqual([{ distance: 5 }])
    await db.executeSql('drop extension vector')
  })

  it('keeps its log short however much is written', async () => {
    await db.executeSql('create table bulk (n int, filler text)')
    for (let batch = 0; batch < 40; batch += 1) {
      await db.executeSql(`insert into bulk select n, repeat(md5(n::text), 60) from generate_series(1, 2000) n`)
    }
    const segments = (await readdir(join(dataDir, 'pg_wal'))).filter(name => /^[0-9A-F]{24}$/.test(name))
    expect(segments.length).toBeLessThanOrEqual(6)
    await db.executeSql('drop table bulk')
  })

  it('logs nothing when it is closed, even if only plain SQL was used', async () => {
    await db.close()
    const lines: string[] = []
    const listening = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) })
    const plain = await openPglite({ dataDir, log: listening })
    await plain.executeSql('select 1')
    await plain.close()
    expect(lines).toEqual([])
    db = await openPglite({ dataDir, log })
  })

  it('fails what is under way when its files are gone, and goes on when they are back', async () => {
    const owner = await ensureLocalOwner(db)
    await rename(join(dataDir, 'global'), join(dataDir, 'global.away'))
    await expect(db.executeSql('checkpoint')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await rename(join(dataDir, 'global.away'), join(dataDir, 'global'))
    expect(await ensureLocalOwner(db)).toBe(owner)
  })

  it('has every row after it was closed and opened again', async () => {
    const owner = await ensureLocalOwner(db)
    await db.close()
    db = await openPglite({ dataDir, log })
    expect(await ensureLocalOwner(db)).toBe(owner)
  })

  it('refuses queries after it was closed', async () => {
    const closed = db
    await closed.close()
    await expect(closed.ping()).rejects.toThrow()
    db = await openPglite({ dataDir, log })
  })
})
