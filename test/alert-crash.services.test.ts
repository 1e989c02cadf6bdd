import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { AlertSchema, AlertsSchema, FiringSchema } from '../contracts/alerts.ts'
import { cliOn, endProcess, makeHome } from './cli.ts'
import { LiveClient } from './live-client.ts'

// What is killed is a server in the middle of telling of many alerts at once.

const home = await makeHome()
afterAll(() => rm(home, { recursive: true, force: true }))

const alertCount = 60

test('alerts that fire while the server is killed are told after the next start, each exactly once', async () => {
  const cli = cliOn(home)
  const first = await cli.serve()
  const token = (await cli.run('token')).stdout.trim()
  expect(await read(cli, 5, 120)).toContain('1 accepted')
  const before = caller(first.url, token)
  const rule = {
    measure: { source: 'subject', type: 'clips', id: 'youtube:crashcrash1', metric: 'views' },
    condition: { kind: 'threshold', value: 50 },
  }
  for (let n = 0; n < alertCount; n += 1)
    AlertSchema.parse(await before('POST', '/api/alerts', { name: `Alert ${n}`, rule }))
  const live = await LiveClient.open(first.url, token)
  const importing = read(cli, 100, 60)
  let event = await live.next('event')
  while (event.topic !== 'alert.fired') event = await live.next('event')
  process.kill(first.pid, 'SIGKILL')
  await once(first.child, 'exit')
  await importing

  const second = await cli.serve()
  const after = caller(second.url, (await cli.run('token')).stdout.trim())
  const alerts = async () => AlertsSchema.parse(await after('GET', '/api/alerts')).data
  let listed = await alerts()
  for (; listed.some(({ firedAt }) => firedAt === null); listed = await alerts()) await delay(500)
  const firings: unknown[] = []
  for (const { id } of listed) {
    const { data } = FiringsSchema.parse(await after('GET', `/api/alerts/${id}/firings`))
    firings.push(...data.map(({ value, alertId }) => ({ value, isOwn: alertId === id })))
  }
  expect(firings).toEqual(Array.from({ length: alertCount }, () => ({ value: 100, isOwn: true })))
  await endProcess(second.child, 'SIGTERM')
})

const FiringsSchema = z.object({ data: z.array(FiringSchema) })

/** Imports one reading of the clip, taken so many seconds ago; says what the import said, if it was let finish. */
async function read(cli: ReturnType<typeof cliOn>, views: number, secondsAgo: number): Promise<string> {
  const file = join(home, `reading-${views}.csv`)
  const at = new Date(Date.now() - secondsAgo * 1000).toISOString()
  await writeFile(file, `platform,video_id,title,observed_at,views\nyoutube,crashcrash1,A clip,${at},${views}\n`)
  return (await cli.run('import', file)).stdout
}

function caller(url: string, token: string) {
  return async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return await response.json()
  }
}
