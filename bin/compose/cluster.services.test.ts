import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startChdb } from '../../core/clickhouse/chdb.ts'
import type { AnalyticsStore } from '../../core/clickhouse/port.ts'
import { cliOn, endProcess } from '../../test/cli.ts'
import { type PostgresRig, startPostgres } from '../../test/services/postgres.ts'
import { freePort } from '../../test/services/process.ts'
import { type RedisRig, startRedis } from '../../test/services/redis.ts'

// The cluster profile with a real PostgreSQL and Redis. No current ClickHouse server can be installed on the test machine: the
// embedded engine on a TCP port stands in for it.

const secret = 'k'.repeat(43)
const rows = `platform,video_id,observed_at,views
youtube,dQw4w9WgXcQ,2026-01-01T00:00:00Z,1000
youtube,dQw4w9WgXcQ,2026-01-01T06:00:00Z,1600
`

let folder: string
let postgres: PostgresRig
let redis: RedisRig
let engine: AnalyticsStore
let nodeOn: (name: string) => Promise<ReturnType<typeof cliOn>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cliptape-cluster-'))
  const port = await freePort()
  ;[postgres, redis, engine] = await Promise.all([
    startPostgres(),
    startRedis(),
    startChdb({ dataDir: join(folder, 'analytics'), log: pino({ level: 'silent' }), port }),
  ])
  const settings = {
    DATABASE_URL: postgres.url,
    CLICKHOUSE_URL: `http://127.0.0.1:${port}`,
    REDIS_URL: redis.url,
    JWT_SECRET: secret,
    VAULT_KEY: secret,
    AGENT_API_KEY: secret,
  }
  nodeOn = async name => {
    await mkdir(join(folder, name), { mode: 0o700 })
    return cliOn(join(folder, name), settings)
  }
  await writeFile(join(folder, 'rows.csv'), rows)
})
afterAll(async () => {
  await Promise.all([engine.close(), redis.stop(), postgres.stop()])
  await rm(folder, { recursive: true, force: true })
})

it('serves on one node what another one imports, without replaying anything in the shared store', async () => {
  const [server, other] = await Promise.all([nodeOn('server'), nodeOn('other')])
  const { child, url } = await server.serve('worker', '--roles', 'http,ws,jobs')
  try {
    const authorization = `Bearer ${(await server.run('token')).stdout.trim()}`
    const ask = async (path: string) => (await fetch(`${url}${path}`, { headers: { authorization } })).json()
    const window = 'from=2026-01-01T00:00:00Z&to=2026-01-01T06:00:00Z'
    expect(await ask(`/api/analytics/trends?${window}`)).toMatchObject({ data: [] })

    const imported = await other.run('import', join(folder, 'rows.csv'))
    expect(imported, imported.stderr).toMatchObject({ code: 0 })
    expect(await ask(`/api/analytics/trends?${window}`)).toMatchObject({ data: [{ gain: 600 }] })

    const replay = await server.run('replay', join(folder, 'rows.csv'))
    expect(replay).toMatchObject({ code: 1, stderr: expect.stringContaining('embedded profile') })
  } finally {
    expect(await endProcess(child, 'SIGTERM')).toBe(0)
  }
})
