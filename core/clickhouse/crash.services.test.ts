/**
 * What an acknowledged insert is worth: the store is killed in the middle of mixed writes, its disk is filled to the
 * brim, and its system calls are watched. Rows that were acknowledged are counted afterwards; none may be missing, and of a
 * batch that was not acknowledged there are all rows or none.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChdb } from './chdb.ts'
import { migrateAnalytics } from './migrate.ts'
import type { AnalyticsStore } from './port.ts'
import { silentLog } from './test-store.ts'

const rounds = 20
const batchRows = 100
let folder: string
let dataDir: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cliptape-crash-'))
  dataDir = join(folder, 'data')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tables = ['samples_v1', 'creator_samples_v1', 'topic_samples_v1'] as const
type TableName = (typeof tables)[number]

/** A batch of one table, told from all others by its endpoint. */
function batchOf(table: TableName, name: string, rows = batchRows): object[] {
  const key = { samples_v1: 'video_id', creator_samples_v1: 'creator_id', topic_samples_v1: 'topic' }[table]
  return Array.from({ length: rows }, (_, index) => ({
    platform: 'youtube',
    [key]: `${name}-${index}`,
    observed_at: '2024-05-01 00:00:00',
    views: index,
    source: 'crash',
    endpoint: name,
    definition_version: 1,
  }))
}

/** How many rows there are of each batch. */
async function countBatches(store: AnalyticsStore, table: TableName): Promise<Map<string, number>> {
  const rows = await store.query<{ endpoint: string; rows: number }>(
    `SELECT endpoint, count() AS rows FROM cliptape.${table} FINAL GROUP BY endpoint`,
  )
  return new Map(rows.map(row => [row.endpoint, row.rows]))
}

/** @param acknowledged names of batches, by table */
async function expectNothingLost(
  store: AnalyticsStore,
  acknowledged: ReadonlyMap<TableName, string[]>,
): Promise<number> {
  let count = 0
  for (const [table, names] of acknowledged) {
    const found = await countBatches(store, table)
    expect(names.filter(name => found.get(name) !== batchRows)).toEqual([])
    expect([...found].filter(([, rows]) => rows !== batchRows)).toEqual([])
    count += names.length
  }
  return count
}

/** A process with a store in it that inserts into all tables at once and prints each batch when it is acknowledged. */
function startWriter(round: number): ChildProcess {
  const file = (name: string) => JSON.stringify(new URL(name, import.meta.url).href)
  const script = `
    import { startChdb } from ${file('chdb.ts')}
    const log = new Proxy({}, { get: () => () => {} })
    const store = await startChdb({ dataDir: ${JSON.stringify(dataDir)}, log })
    const batchOf = ${batchOf.toString()}
    const batchRows = ${batchRows}
    process.stdout.write('engine ' + store.status().pid + '\\n')
    for (const table of ${JSON.stringify(tables)}) {
      for (const writer of [1, 2]) {
        (async () => {
          for (let batch = 0; ; batch += 1) {
            const name = ['${round}', writer, batch].join('.')
            await store.insert('cliptape.' + table, batchOf(table, name))
            process.stdout.write(table + ' ' + name + '\\n')
          }
        })()
      }
    }`
  return spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
}

describe('kill -9', () => {
  it(`of the whole tree in the middle of mixed inserts, ${rounds} times, loses no acknowledged row`, async () => {
    const first = await startChdb({ dataDir, log: silentLog })
    await migrateAnalytics(first, { database: 'cliptape' })
    await first.close()
    const acknowledged = new Map<TableName, string[]>(tables.map(table => [table, []]))
    for (let round = 0; round < rounds; round += 1) {
      const writer = startWriter(round)
      let enginePid = 0
      let batches = 0
      const killAfter = 20 + round * 5
      const lines = createInterface({ input: writer.stdout ?? process.stdin })
      lines.on('line', line => {
        const [what = '', name = ''] = line.split(' ')
        if (what === 'engine') enginePid = Number(name)
        for (const table of tables) if (table === what) acknowledged.get(table)?.push(name)
        batches += 1
        // The engine first in every second round: the parent must not be able to save anything.
        if (batches !== killAfter) return
        for (const pid of round % 2 === 0 ? [writer.pid, enginePid] : [enginePid, writer.pid]) {
          if (pid) spawnSync('kill', ['-9', String(pid)])
        }
      })
      await once(lines, 'close')
    }
    const store = await startChdb({ dataDir, log: silentLog })
    const count = await expectNothingLost(store, acknowledged)
    expect(count).toBeGreaterThan(rounds * 20)
    await store.close()
    console.log(`${count} acknowledged batches of ${batchRows} rows in ${rounds} kills of the whole tree: 0 rows lost`)
  })

  it(`of the engine alone, ${rounds} times, loses no acknowledged row and leaves the store usable`, async () => {
    const store = await startChdb({ dataDir, log: silentLog })
    const acknowledged = new Map<TableName, string[]>(tables.map(table => [table, []]))
    let isEnding = false
    let failed = 0
    const write = async (table: TableName) => {
      for (let batch = 0; !isEnding; batch += 1) {
        const name = `alone.${batch}`
        try {
          await store.insert(`cliptape.${table}`, batchOf(table, name))
          acknowledged.get(table)?.push(name)
        } catch (error) {
          expect(error).toMatchObject({ code: 'UNAVAILABLE', isRetryable: true })
          failed += 1
        }
      }
    }
    const writers = tables.map(write)
    const total = () => [...acknowledged.values()].reduce((sum, names) => sum + names.length, 0)
    for (let round = 0; round < rounds; round += 1) {
      const before = total()
      await expect.poll(total, { timeout: 60_000, interval: 5 }).toBeGreaterThan(before + 10 + round)
      const { restartCount, pid } = store.status()
      if (pid) process.kill(pid, 'SIGKILL')
      await expect
        .poll(() => store.status(), { timeout: 60_000 })
        .toMatchObject({ state: 'up', restartCount: restartCount + 1 })
    }
    isEnding = true
    await Promise.all(writers)
    // Earlier rounds' batches are counted with these: their names differ.
    const count = await expectNothingLost(store, acknowledged)
    await store.close()
    console.log(
      `${count} acknowledged batches in ${rounds} kills of the engine, ${failed} failed as retryable: 0 rows lost`,
    )
  })
})

const hasStrace = spawnSync('strace', ['-V']).status === 0

describe.skipIf(!hasStrace)('an insert, as strace sees it', () => {
  it('reaches fsync before it is acknowledged', async () => {
    const store = await startChdb({ dataDir: join(folder, 'traced'), log: silentLog })
    await migrateAnalytics(store, { database: 'cliptape' })
    const trace = join(folder, 'trace.txt')
    const pid = String(store.status().pid)
    const strace = spawn('strace', ['-f', '-p', pid, '-e', 'trace=fsync,fdatasync,syncfs', '-o', trace], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    // It says "attached" when it watches.
    await once(strace.stderr, 'data')
    const inserts = 5
    for (let index = 0; index < inserts; index += 1) {
      await store.insert('cliptape.samples_v1', batchOf('samples_v1', `traced.${index}`))
    }
    const exited = once(strace, 'exit')
    strace.kill('SIGINT')
    await exited
    await store.close()
    const calls = readFileSync(trace, 'utf8').match(/\b(fsync|fdatasync|syncfs)\(\d+\)/g) ?? []
    // At the least the part's data file and its folder, for each insert.
    expect(calls.length).toBeGreaterThanOrEqual(inserts * 2)
    console.log(`${calls.length} fsync calls for ${inserts} inserts`)
  })
})

const canMount = process.getuid?.() === 0 && spawnSync('mount', ['-V']).status === 0

describe.skipIf(!canMount)('a disk that is filled to the brim', () => {
  it('fails inserts as retryable, keeps every acknowledged row, and goes on when there is space', async () => {
    const disk = join(folder, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=96m', 'tmpfs', disk])
    try {
      const store = await startChdb({ dataDir: join(disk, 'data'), log: silentLog })
      await migrateAnalytics(store, { database: 'cliptape' })
      const payload = () => Buffer.from(Uint8Array.from({ length: 600 }, () => Math.random() * 256)).toString('base64')
      const acknowledged: string[] = []
      let failure: unknown = null
      for (let batch = 0; failure === null && batch < 10_000; batch += 1) {
        const name = `full.${batch}`
        const rows = batchOf('samples_v1', name, 1_000).map(row => ({ ...row, creator_id: payload() }))
        await store.insert('cliptape.samples_v1', rows).then(
          () => acknowledged.push(name),
          error => {
            failure = error
          },
        )
      }
      expect(failure).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('disk') })
      const found = await countBatches(store, 'samples_v1')
      expect(acknowledged.filter(name => found.get(name) !== 1_000)).toEqual([])
      execFileSync('mount', ['-o', 'remount,size=256m', disk])
      await store.insert('cliptape.samples_v1', batchOf('samples_v1', 'after'))
      expect((await countBatches(store, 'samples_v1')).get('after')).toBe(batchRows)
      await store.close()
      const again = await startChdb({ dataDir: join(disk, 'data'), log: silentLog })
      const kept = await countBatches(again, 'samples_v1')
      expect(acknowledged.filter(name => kept.get(name) !== 1_000)).toEqual([])
      await again.close()
      console.log(`${acknowledged.length * 1_000} acknowledged rows on a full disk: 0 lost`)
    } finally {
      // The engine may hold the disk for a moment longer.
      for (let attempt = 0; spawnSync('umount', [disk]).status !== 0 && attempt < 50; attempt += 1) await delay(100)
    }
  })
})
