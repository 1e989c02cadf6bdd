import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pino from 'pino'
import { type ChdbOptions, startChdb } from './chdb.ts'
import type { AnalyticsStore } from './port.ts'

/** A log that says nothing. */
export const silentLog = pino({ level: 'silent' })

/** An engine on a folder of its own under the system's temporary one; `end` closes it and takes the folder away. */
export async function startTestStore(
  o: Partial<Pick<ChdbOptions, 'port' | 'limits'>> = {},
): Promise<{ store: AnalyticsStore; dataDir: string; end(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'cliptape-chdb-'))
  const dataDir = join(folder, 'data')
  const store = await startChdb({ dataDir, log: silentLog, ...o })
  return {
    store,
    dataDir,
    async end() {
      await store.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A TCP port of 127.0.0.1 that nobody listens on. */
export async function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error())))
  })
  return await promise
}
