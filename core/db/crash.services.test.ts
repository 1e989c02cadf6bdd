/**
 * Promises under the worst: a commit that was acknowledged survives kill -9 of the program and of the server, reaches
 * fsync, and survives a disk filled to the brim. The same writer runs against both engines.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { startPostgres } from '../../test/services/postgres.ts'
import { run, stopChild } from '../../test/services/process.ts'
import { canMountTmpfs, mountTmpfs } from '../../test/services/tmpfs.ts'
import {
  type CrashState,
  CrashStateSchema,
  type CrashTarget,
  crashWriterPath,
  createCrashTables,
  openCrashStore,
  readCrashState,
  writeOne,
} from './crash-writer.ts'
import type { Db } from './port.ts'

const rounds = 20
/** Of the four loops, each may have one transaction under way that nobody was told about. */
const unacknowledgedMax = 4

class Acknowledged {
  /** Row → the lowest version that it must have now. */
  readonly versions = new Map<number, number>()

  add(line: string): void {
    const [, id = 0, changedId = 0, version = 0] = line.split(' ').map(Number)
    this.#atLeast(id, 1)
    if (version > 0) this.#atLeast(changedId, version)
  }

  #atLeast(id: number, version: number): void {
    this.versions.set(id, Math.max(version, this.versions.get(id) ?? 0))
  }

  expectKept(state: CrashState, killed: number): void {
    const found = new Map(state.rows.map(row => [row.id, row.version]))
    const lost = [...this.versions].filter(([id, version]) => (found.get(id) ?? 0) < version)
    expect(lost, 'acknowledged rows or changes that are gone').toEqual([])
    expect(found.size - this.versions.size).toBeLessThanOrEqual(killed * unacknowledgedMax)
    expect(state.total, 'the sum agrees with the rows').toBe(state.amountSum)
    expect(state.rowCount).toBe(found.size)
  }
}

/** Lets a writer run until it has acknowledged `acks` commits, checks what it found first, then calls `kill`. */
async function round(options: {
  target: CrashTarget
  acks: number
  acknowledged: Acknowledged
  killed: number
  kill: (writer: ChildProcess) => Promise<void>
}): Promise<void> {
  const { target, acks, acknowledged } = options
  const writer = spawn(process.execPath, [crashWriterPath, JSON.stringify(target)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(writer, 'close')
  let count = 0
  let killing: Promise<void> | null = null
  let found: CrashState | null = null
  // To the very end: an acknowledgement that was still in the pipe when the writer died counts like any other.
  for await (const line of createInterface({ input: writer.stdout })) {
    if (line.startsWith('state ')) {
      found = CrashStateSchema.parse(JSON.parse(line.slice(6)))
      acknowledged.expectKept(found, options.killed)
    }
    if (!line.startsWith('ack ')) continue
    acknowledged.add(line)
    count += 1
    if (count === acks) killing = options.kill(writer)
  }
  await killing
  await closed
  expect(found, 'the writer could open the store').not.toBeNull()
  expect(count).toBeGreaterThanOrEqual(acks)
}

const acksOf = (index: number) => 5 + ((index * 37) % 60)

async function stateOf(target: CrashTarget): Promise<CrashState> {
  const db = await openCrashStore(target)
  try {
    return await readCrashState(db)
  } finally {
    await db.close()
  }
}

describe('kill -9 in the middle of commits', () => {
  it(`loses nothing that was acknowledged in ${rounds} rounds on PGlite`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cliptape-crash-'))
    const target: CrashTarget = { kind: 'pglite', dataDir: join(folder, 'postgres') }
    const acknowledged = new Acknowledged()
    for (let index = 0; index < rounds; index += 1) {
      await round({
        target,
        acks: acksOf(index),
        acknowledged,
        killed: index,
        kill: writer => stopChild(writer, 'SIGKILL'),
      })
    }
    acknowledged.expectKept(await stateOf(target), rounds)
    console.log(`PGlite: ${rounds} kills, ${acknowledged.versions.size} acknowledged rows, 0 lost`)
    await rm(folder, { recursive: true })
  })

  it('makes a whole store when the very first start was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cliptape-first-'))
    const target: CrashTarget = { kind: 'pglite', dataDir: join(folder, 'postgres') }
    for (const shown of ['postgres.new', join('postgres.new', 'global'), join('postgres.new', 'pg_wal')]) {
      const writer = spawn(process.execPath, [crashWriterPath, JSON.stringify(target)], { stdio: 'ignore' })
      while (!existsSync(join(folder, shown))) await new Promise(resolve => setImmediate(resolve))
      await stopChild(writer, 'SIGKILL')
      expect(existsSync(target.dataDir)).toBe(false)
    }
    const db = await openCrashStore(target)
    await createCrashTables(db)
    expect(await writeOne(db, 1, 1)).toBe(2)
    await db.close()
    await rm(folder, { recursive: true })
  })

  it(`loses nothing that was acknowledged in ${rounds} rounds on Postgres, of the program and of the server`, async () => {
    const rig = await startPostgres()
    const target: CrashTarget = { kind: 'postgres', url: rig.url }
    const acknowledged = new Acknowledged()
    for (let index = 0; index < rounds; index += 1) {
      const isServerKilled = index % 2 === 1
      const kill = async (writer: ChildProcess) => {
        if (isServerKilled) await rig.kill()
        else await stopChild(writer, 'SIGKILL')
      }
      await round({ target, acks: acksOf(index), acknowledged, killed: index, kill })
      if (isServerKilled) await rig.start()
    }
    acknowledged.expectKept(await stateOf(target), rounds)
    console.log(`Postgres: ${rounds} kills, ${acknowledged.versions.size} acknowledged rows, 0 lost`)
    await rig.stop()
  })
})

const hasStrace = await run('strace', ['-V']).then(
  () => true,
  () => false,
)

describe.skipIf(!hasStrace)('fsync', () => {
  it('is called at least once for every commit on PGlite', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cliptape-strace-'))
    const target: CrashTarget = { kind: 'pglite', dataDir: join(folder, 'postgres') }
    const commits = 100
    const fsyncsOf = async (commitsMax: number) => {
      const trace = join(folder, `trace-${commitsMax}`)
      const writer = [process.execPath, crashWriterPath, JSON.stringify(target), String(commitsMax)]
      await run('strace', ['-f', '-e', 'trace=fsync,fdatasync', '-o', trace, ...writer])
      const calls = (await readFile(trace, 'utf8')).split('\n').filter(line => /\bf(data)?sync\(\d+\)? /.test(line))
      return calls.length
    }
    await fsyncsOf(0)
    const idle = await fsyncsOf(0)
    const busy = await fsyncsOf(commits)
    console.log(`PGlite under strace: ${busy - idle} fsync calls for ${commits} commits`)
    expect(busy - idle).toBeGreaterThanOrEqual(commits)
    await rm(folder, { recursive: true })
  })
})

describe.skipIf(!(await canMountTmpfs()))('a disk filled to the brim', () => {
  /** Writes until the store refuses; gives the rows that it acknowledged and its error. */
  async function fill(db: Db): Promise<{ ids: number[]; error: unknown }> {
    await db.executeSql('create table full_rows (id int primary key, payload text not null)')
    await db.executeSql('alter table full_rows alter column payload set storage external')
    const ids: number[] = []
    for (let id = 1; ; id += 1) {
      try {
        await db.executeSql('insert into full_rows values ($1, $2)', [id, 'x'.repeat(500_000)])
        ids.push(id)
      } catch (error) {
        return { ids, error }
      }
    }
  }

  async function expectRows(db: Db, ids: number[]): Promise<void> {
    const { rows } = await db.executeSql('select id, length(payload) as chars from full_rows order by id')
    expect(rows).toEqual(ids.map(id => ({ id, chars: 500_000 })))
  }

  it('is a clean error on PGlite: every acknowledged row is there, and it goes on when there is room', async () => {
    const tmpfs = await mountTmpfs(150)
    const target: CrashTarget = { kind: 'pglite', dataDir: join(tmpfs.folder, 'postgres') }
    let db = await openCrashStore(target)
    try {
      const { ids, error } = await fill(db)
      expect(error).toMatchObject({ code: 'UNAVAILABLE' })
      expect(String(error)).toMatch(/No space left on device|out of disk space/)
      console.log(`PGlite on a full disk: ${ids.length} acknowledged rows, then ${String(error)}`)
      expect(ids.length).toBeGreaterThan(20)
      await tmpfs.resize(400)
      await expectRows(db, ids)
      await db.executeSql('insert into full_rows values ($1, $2)', [1_000_000, 'x'.repeat(500_000)])
      await db.close()
      db = await openCrashStore(target)
      await expectRows(db, [...ids, 1_000_000])
    } finally {
      await db.close()
      await tmpfs.unmount()
    }
  })

  it('is a clean error on Postgres: every acknowledged row is there, and it goes on when there is room', async () => {
    const tmpfs = await mountTmpfs(200)
    const rig = await startPostgres(tmpfs.folder)
    const db = await openCrashStore({ kind: 'postgres', url: rig.url })
    try {
      const { ids, error } = await fill(db)
      expect(error).toMatchObject({ code: 'UNAVAILABLE' })
      console.log(`Postgres on a full disk: ${ids.length} acknowledged rows, then ${String(error)}`)
      expect(ids.length).toBeGreaterThan(20)
      await tmpfs.resize(500)
      // A server that could not write its log has ended; an operator starts it again.
      await rig.kill()
      await rig.start()
      await expectRows(db, ids)
      await db.executeSql('insert into full_rows values ($1, $2)', [1_000_000, 'x'.repeat(500_000)])
      await expectRows(db, [...ids, 1_000_000])
    } finally {
      await db.close()
      await rig.stop()
      await tmpfs.unmount()
    }
  })
})
