import { once } from 'node:events'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { MediaChangeSchema } from '../contracts/media-jobs.ts'
import { cliOn, endProcess, makeHome } from './cli.ts'
import { LiveClient } from './live-client.ts'
import { sampleFile } from './media-desk.ts'

// Needs ffmpeg: what is killed is a server in the middle of encoding.

const home = await makeHome()
afterAll(() => rm(home, { recursive: true, force: true }))

test('a clip under way when the server is killed is made after the next start, paid for once, and nothing is left behind', async () => {
  const cli = cliOn(home)
  const first = await cli.serve()
  const token = (await cli.run('token')).stdout.trim()
  const before = caller(first.url, token)
  const { vodId } = z
    .object({ vodId: z.string() })
    .parse(await before.call('POST', '/api/vods', { source: sampleFile }))
  const live = await LiveClient.open(first.url, token)
  const request = { vodId, startTime: 0.5, endTime: 59.5, crop: '9:16' }
  const { requestId } = z
    .object({ requestId: z.string() })
    .parse(await before.call('POST', '/api/clips/request', request))
  await changeOf(live, change => change.status === 'running' && change.progress > 0)
  process.kill(first.pid, 'SIGKILL')
  await once(first.child, 'exit')
  expect(filesOfWork()).not.toEqual([])

  const second = await cli.serve()
  const after = caller(second.url, token)
  const again = await LiveClient.open(second.url, token)
  const status = z.object({ status: z.string() })
  const isReady = async () => status.parse(await after.call('GET', `/api/clips/status/${requestId}`)).status === 'ready'
  if (!(await isReady())) await changeOf(again, change => change.status === 'done')
  expect(await isReady()).toBe(true)
  const { url } = z.object({ url: z.string() }).parse(await after.call('GET', `/api/clips/download/${requestId}`))
  expect((await (await fetch(url)).arrayBuffer()).byteLength).toBeGreaterThan(100_000)
  const ledger = z
    .object({ data: z.array(z.object({ entry: z.string() })) })
    .parse(await after.call('GET', '/api/credits'))
  expect(ledger.data.map(line => line.entry)).toEqual(['capture', 'reserve'])
  expect(filesOfWork()).toEqual([])
  expect(decodersOfHome()).toEqual([])
  await again.end()
  await endProcess(second.child, 'SIGTERM')
})

function caller(url: string, token: string) {
  return {
    async call(method: string, path: string, body?: unknown): Promise<unknown> {
      const response = await fetch(url + path, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return await response.json()
    },
  }
}

async function changeOf(live: LiveClient, isWanted: (change: z.infer<typeof MediaChangeSchema>) => boolean) {
  for (;;) {
    const { topic, payload } = await live.next('event')
    if (topic === 'media.changed' && isWanted(MediaChangeSchema.parse(payload))) return
  }
}

function filesOfWork(): string[] {
  return globSync('*/*', { cwd: join(home, 'work') })
}

/** Processes that still work on files of the home. Linux alone lists them. */
function decodersOfHome(): string[] {
  if (!existsSync('/proc/self/cmdline')) return []
  return globSync('/proc/[0-9]*/cmdline')
    .map(path => (existsSync(path) ? readFileSync(path, 'latin1') : ''))
    .filter(line => line.includes(join(home, 'work')))
}
