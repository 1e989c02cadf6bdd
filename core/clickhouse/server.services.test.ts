import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { AnalyticsStore } from './port.ts'
import { analyticsStoreSuite } from './port-suite.ts'
import { openClickhouseServer } from './server.ts'
import { freePort, silentLog, startTestStore } from './test-store.ts'

// No current ClickHouse server can be installed where this runs, so the embedded engine stands in, listening on TCP:
// what is tested is the client's side, and the part of the interface that both have.
let engine: Awaited<ReturnType<typeof startTestStore>>
let server: AnalyticsStore
let url: string

beforeAll(async () => {
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  engine = await startTestStore({ port })
  server = await openClickhouseServer({ url, log: silentLog })
  await server.command('CREATE DATABASE cliptape')
})

afterAll(async () => {
  await server.close()
  await engine.end()
})

describe('the analytics store on a server', () => {
  analyticsStoreSuite(() => server)

  it('says that it is a server', () => {
    expect(server.status()).toMatchObject({ kind: 'server', state: 'up', restartCount: 0, pid: null })
  })

  it('takes user, password and database from the address, and keeps them out of its errors', async () => {
    const port = await freePort()
    const lost = openClickhouseServer({ url: `http://someone:s3cret@127.0.0.1:${port}/?database=x`, log: silentLog })
    const error = await lost.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'UNAVAILABLE' })
    expect(String(error)).not.toContain('s3cret')
  })

  it('outlives a restart of the server: what runs fails as retryable, what comes after is answered', async () => {
    process.kill(engine.store.status().pid ?? 0, 'SIGKILL')
    await expect
      .poll(() => server.query('SELECT 1 AS one').catch(() => null), { timeout: 20_000 })
      .toEqual([{ one: 1 }])
  })
})
