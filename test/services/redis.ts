import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, startUntil, stopChild } from './process.ts'

export interface RedisRig {
  readonly url: string
  /** Ends the server and starts it again on the same port, empty: every connection is lost. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts a redis-server of our own on a free loopback port, in memory only. */
export async function startRedis(): Promise<RedisRig> {
  const folder = await mkdtemp(join(tmpdir(), 'cliptape-redis-'))
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--appendonly', 'no']
  const start = () => startUntil('redis-server', args, /Ready to accept connections/)
  let server: ChildProcess = await start()
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart() {
      await stopChild(server, 'SIGKILL')
      server = await start()
    },
    async stop() {
      await stopChild(server, 'SIGTERM')
      await rm(folder, { recursive: true, force: true })
    },
  }
}
