import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { AnalyticsStore } from './port.ts'
import { findSandbox } from './sandbox.ts'
import { startTestStore } from './test-store.ts'

const sandbox = await findSandbox({ mode: 'on', searchPath: process.env.PATH ?? '' })

async function errorOf(store: AnalyticsStore, sql: string): Promise<string> {
  return await store.query(sql).then(
    rows => `ran: ${JSON.stringify(rows).slice(0, 100)}`,
    (error: unknown) => String(error),
  )
}

it('keeps files, the network and other processes out of sight, were there a way past everything else', async () => {
  const server = createServer((_request, response) => void response.end('1')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const secret = fileURLToPath(new URL('../../README.md', import.meta.url))
  const shut = await startTestStore({ sandbox })
  const open = await startTestStore()
  try {
    for (const path of ['/etc/passwd', `/proc/${process.pid}/environ`, secret]) {
      // The scalar function asks for no privilege: where it can read, only the gate is before it.
      expect(await errorOf(open.store, `SELECT file('${path}')`)).toMatch(/^ran: /)
      expect(await errorOf(shut.store, `SELECT file('${path}')`)).toContain('No such file or directory')
    }
    expect(await errorOf(shut.store, `DESCRIBE url('http://127.0.0.1:${port}/', 'CSV')`)).not.toMatch(/^ran: /)
  } finally {
    await Promise.all([shut.end(), open.end()])
    server.close()
  }
})

it('serves, ends and comes back as without it', async () => {
  const shut = await startTestStore({ sandbox, world: 'cliptape' })
  try {
    expect(await shut.store.query('SELECT count() AS n FROM cliptape.samples_v1')).toEqual([{ n: 0 }])
    process.kill(shut.store.status().pid ?? 0, 'SIGKILL')
    const again = () => shut.store.query('SELECT 1 AS n').catch(() => null)
    await expect.poll(again, { timeout: 60_000 }).toEqual([{ n: 1 }])
    expect(shut.store.status().restartCount).toBeGreaterThan(0)
  } finally {
    await shut.end()
  }
})
