import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestSandbox, startMs, type TestSandbox } from '../../platforms/sandbox/test-sandbox.ts'
import { openRig } from '../test-rig.ts'
import { leaseMs } from './poll-rows.ts'

const creatorCount = 30
/** Of others, two pages of fifty are read. */
const pagesRead = 2
const pagePosts = 50
/** What a worker has made durable when it is killed. */
const batchesBefore = 5
const home = mkdtempSync(join(tmpdir(), 'cliptape-poll-crash-'))
let test: TestSandbox
beforeAll(async () => {
  test = await openTestSandbox({ creatorCount })
})
afterAll(async () => {
  await test.sandbox.close()
  rmSync(home, { recursive: true, force: true })
})

function startWorker(creatorIds: readonly string[]): {
  child: ChildProcess
  lines: AsyncIterable<string>
  ended: Promise<unknown>
} {
  const { url, controls } = test.sandbox
  const input = {
    home,
    origin: url,
    apiKey: controls.app('google').apiKeys[0],
    creatorIds,
    nowMs: test.clock.nowMs(),
  }
  const script = fileURLToPath(new URL('./test-poll-child.ts', import.meta.url))
  const args = ['--no-warnings', script, JSON.stringify(input)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise(resolve => child.once('close', resolve))
  if (!child.stdout) throw new Error('The child has no output.')
  return { child, lines: createInterface({ input: child.stdout }), ended }
}

it('continues where a worker was killed in the middle of its pages, and has every post once', {
  timeout: 240_000,
}, async () => {
  const { controls } = test.sandbox
  const creators = Array.from({ length: creatorCount }, (_, place) => controls.world.creatorAt('youtube', place))
  const creatorIds = creators.flatMap(creator => creator?.id ?? [])
  const killed = startWorker(creatorIds)
  let batches = 0
  for await (const line of killed.lines) {
    expect(line).toBe('durable')
    batches += 1
    if (batches < batchesBefore) continue
    killed.child.kill('SIGKILL')
    break
  }
  await killed.ended
  expect(killed.child.signalCode).toBe('SIGKILL')
  const askedBefore = controls.requests.length

  test.clock.advance(leaseMs)
  const next = startWorker(creatorIds)
  await next.ended
  expect(next.child.exitCode).toBe(0)

  const posts = creators.map(creator =>
    creator ? [...controls.world.posts(creator, startMs)].slice(0, pagesRead * pagePosts).map(post => post.id) : [],
  )
  // An account, and of each page the list and what it names.
  const askedInAll = posts.reduce((sum, ids) => sum + 1 + 2 * Math.ceil(ids.length / pagePosts), 0)
  expect(controls.requests.length - askedBefore).toBeLessThan(askedInAll)
  const rig = await openRig(home)
  try {
    const { db, store } = rig.deps
    const polls = await db.system
      .selectFrom('polls')
      .select(['lease_id', 'cursor', 'error_class', 'failures'])
      .execute()
    const isAtRest = (poll: (typeof polls)[number]) =>
      poll.lease_id === null && poll.cursor === null && poll.error_class === null && poll.failures === 0
    expect(polls.filter(poll => !isAtRest(poll))).toEqual([])
    const rows = await store.query<{ video_id: string; doubled: number }>(
      `SELECT video_id, toUInt32(max(readings) - 1) AS doubled FROM (
         SELECT video_id, observed_at, count() AS readings FROM cliptape.samples_v1 FINAL GROUP BY video_id, observed_at)
       GROUP BY video_id`,
    )
    expect(rows.filter(row => row.doubled > 0)).toEqual([])
    const read = new Set(rows.map(row => row.video_id))
    expect(posts.flat().filter(id => !read.has(id))).toEqual([])
    const [quota] = await db.system
      .selectFrom('platform_quota')
      .select('used')
      .where('bucket', '=', 'youtube:units')
      .execute()
    const asked = controls.requests.filter(each => each.endpoint.startsWith('youtube.')).length
    expect(quota?.used).toBeGreaterThanOrEqual(asked)
  } finally {
    await rig.close()
  }
})
