import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startChdb } from './chdb.ts'
import { analyticsStoreSuite, endlessSql, testLimits } from './port-suite.ts'
import { silentLog, startTestStore } from './test-store.ts'

type TestStore = Awaited<ReturnType<typeof startTestStore>>
let test: TestStore

beforeAll(async () => {
  test = await startTestStore({
    limits: { concurrentMax: 4, readOnlyConcurrentMax: 2, queuedMax: 3, bodyBytesMax: 1_000_000 },
  })
  await test.store.command('CREATE DATABASE cliptape')
})

afterAll(() => test.end())

describe('the embedded analytics store', () => {
  analyticsStoreSuite(() => test.store)

  it.skipIf(process.platform !== 'linux')(
    'is a process of its own with an empty environment, on a socket that only this user can open',
    () => {
      const pid = test.store.status().pid
      expect(pid).not.toBe(process.pid)
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      const names = environment.split('\0').flatMap(entry => entry.split('=')[0] || [])
      expect(names.sort()).toEqual(['NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE', 'TZ', 'UV_THREADPOOL_SIZE'])
      const socket = statSync(`${test.dataDir}-run/engine.sock`)
      expect(socket.mode & 0o077).toBe(0)
      expect(statSync(`${test.dataDir}-run`).mode & 0o077).toBe(0)
      expect(statSync(test.dataDir).mode & 0o077).toBe(0)
    },
  )

  it('grants our own databases and nothing else', async () => {
    const denied = { details: { engineError: 'ACCESS_DENIED' } }
    for (const sql of [
      "SELECT * FROM file('/etc/passwd', 'LineAsString')",
      "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
      "DESCRIBE url('http://127.0.0.1:1/', 'CSV')",
      "SELECT * FROM remote('127.0.0.1:9000', 'a.b')",
      'CREATE DATABASE other',
      'CREATE TABLE cliptape.outside (a String) ENGINE = File(CSV)',
      "BACKUP DATABASE cliptape TO File('/tmp/x')",
      'CREATE USER somebody',
      'SYSTEM SHUTDOWN',
    ]) {
      await expect(test.store.query(sql), sql).rejects.toMatchObject(denied)
    }
    await expect(test.store.query("SELECT * FROM executable('id', 'CSV', 'a String')")).rejects.toThrow()
  })

  it('refuses a second process on its folder, and goes on itself', async () => {
    await expect(startChdb({ dataDir: test.dataDir, log: silentLog })).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(await test.store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('answers a full queue and a body over the limit as what they are', async () => {
    const limits = { ...testLimits, timeSecMax: 1, readRowsMax: 1e15 }
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, () => test.store.queryReadOnly(endlessSql, limits)),
    )
    const codes = results.map(result => result.status === 'rejected' && result.reason.code)
    // Two run and three wait; seven are sent away at once.
    expect(codes.filter(code => code === 'QUERY_LIMIT')).toHaveLength(5)
    expect(codes.filter(code => code === 'UNAVAILABLE')).toHaveLength(7)
    await test.store.command('CREATE OR REPLACE TABLE cliptape.wide (a String) ENGINE = MergeTree ORDER BY a')
    const tooLarge = test.store.insert('cliptape.wide', [{ a: 'x'.repeat(1_100_000) }])
    await expect(tooLarge).rejects.toMatchObject({ details: { engineError: 'TOO_MANY_BYTES' } })
  })

  it('answers what it does not know with an error, not with silence', async () => {
    const ask = async (path: string, body: string) => {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number | undefined; body: string }>()
      const sent = request({ socketPath: `${test.dataDir}-run/engine.sock`, path, method: 'POST' }, answer => {
        text(answer).then(received => resolve({ status: answer.statusCode, body: received }), reject)
      })
      sent.on('error', reject)
      sent.end(body)
      return await promise
    }
    expect(await ask('/?--config-file=/etc/passwd', 'SELECT 1')).toMatchObject({ status: 500 })
    expect(await ask('/?path=%2Ftmp', 'SELECT 1')).toMatchObject({ status: 500 })
    expect(await ask('/?query=INSERT%20INTO%20x%20SELECT%201', '')).toMatchObject({ status: 500 })
    expect(await ask('/', 'SELECT 1')).toEqual({ status: 200, body: '1\n' })
  })

  it('starts its engine again when that is killed: what runs fails as retryable, what comes waits, no row is lost', async () => {
    const { store } = test
    await store.command(
      'CREATE OR REPLACE TABLE cliptape.kept (id UInt32) ENGINE = MergeTree ORDER BY id SETTINGS fsync_after_insert = 1',
    )
    await store.insert('cliptape.kept', [{ id: 1 }, { id: 2 }])
    const restarts = store.status().restartCount
    const pid = store.status().pid ?? 0
    const failures = [
      store.query(endlessSql, { queryId: 'doomed' }),
      store.queryReadOnly(endlessSql, { ...testLimits, readRowsMax: 1e15 }),
    ]
    const expected = failures.map(query =>
      expect(query).rejects.toMatchObject({ code: 'UNAVAILABLE', isRetryable: true }),
    )
    while (
      (
        await store.query(
          `SELECT 1 FROM system.processes WHERE query LIKE '%sum(cityHash64%' AND query NOT LIKE '%system.processes%'`,
        )
      ).length < 2
    );
    process.kill(pid, 'SIGKILL')
    await Promise.all(expected)
    await expect.poll(() => store.status().restartCount).toBe(restarts + 1)
    expect(await store.query('SELECT count() AS rows FROM cliptape.kept')).toEqual([{ rows: 2 }])
    expect(store.status().state).toBe('up')
    expect(store.status().pid).not.toBe(pid)
  })

  it('cuts a stream off with an error when the engine dies in the middle of it', async () => {
    const restarts = test.store.status().restartCount
    const stream = await test.store.stream('SELECT number FROM numbers(1000000000)', 'TabSeparated')
    const failure = expect(text(stream)).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    stream.once('readable', () => process.kill(test.store.status().pid ?? 0, 'SIGKILL'))
    await failure
    await expect.poll(() => test.store.status().restartCount).toBe(restarts + 1)
  })

  it('ends the engine when a query outlives three times its limit', async () => {
    const restarts = test.store.status().restartCount
    // As a function does that never looks at the clock.
    const late = `${endlessSql} SETTINGS max_execution_time = 0`
    const query = test.store.query(late, { settings: { max_execution_time: 1 } })
    await expect(query).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    await expect.poll(() => test.store.status().restartCount).toBe(restarts + 1)
    expect(await test.store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('leaves no process and no socket behind when it is closed, and refuses what comes after', async () => {
    const other = await startTestStore()
    const { pid } = other.store.status()
    await other.store.close()
    expect(() => process.kill(pid ?? 0, 0)).toThrow()
    expect(existsSync(`${other.dataDir}-run`)).toBe(false)
    await expect(other.store.query('SELECT 1')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(other.store.status()).toMatchObject({ state: 'down', pid: null })
    await other.end()
  })

  it.skipIf(process.platform !== 'linux')('ends with its parent, whatever ended that', async () => {
    const other = await startTestStore()
    await other.end()
    const script = `
      import { startChdb } from ${JSON.stringify(new URL('chdb.ts', import.meta.url).href)}
      const log = new Proxy({}, { get: () => () => {} })
      const store = await startChdb({ dataDir: ${JSON.stringify(other.dataDir)}, log })
      process.stdout.write(String(store.status().pid))
      process.kill(process.pid, 'SIGKILL')`
    const run = () =>
      execFileSync(process.execPath, ['--input-type=module', '-e', script], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      })
    let printed = ''
    try {
      printed = run()
    } catch (error) {
      if (error instanceof Error && 'stdout' in error) printed = String(error.stdout)
    }
    const pid = Number(printed)
    expect(pid).toBeGreaterThan(1)
    const isAlive = () => existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
    await expect.poll(isAlive, { timeout: 10_000 }).toBe(false)
  })
})
