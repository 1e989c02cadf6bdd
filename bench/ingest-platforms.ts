/**
 * Reading from the platforms: items a second from the request to durable rows, against fetching the same answers and
 * throwing them away; and how long ten thousand monitored creators take to plan. The sandbox runs in a process of its own,
 * on the same cores for both.
 *
 *     node bench/ingest-platforms.ts [creators] [planned creators]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { pino } from 'pino'
import { Agent } from 'undici'
import { z } from 'zod'
import { settleRollups } from '../analytics/settle.ts'
import { memoryBus } from '../core/bus/memory.ts'
import { startChdb } from '../core/clickhouse/chdb.ts'
import { migrateAnalytics } from '../core/clickhouse/migrate.ts'
import { systemClock } from '../core/clock.ts'
import { ensureLocalOwner } from '../core/db/local-owner.ts'
import { migrateDb } from '../core/db/migrate.ts'
import { openPglite } from '../core/db/pglite.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import type { World } from '../core/world.ts'
import { planPolls } from '../ingest/platforms/plan.ts'
import { PollWorker, planWork } from '../ingest/platforms/poll-worker.ts'
import { QuotaBudget } from '../ingest/platforms/quota-budget.ts'
import { createWriter, liveLimits } from '../ingest/writer.ts'
import { openPlatforms } from '../platforms/clients.ts'
import { startSandbox } from '../platforms/sandbox/sandbox.ts'

const SandboxSchema = z.object({
  url: z.string(),
  urls: z.object({
    googleAuthorize: z.string(),
    googleToken: z.string(),
    youtubeData: z.string(),
    youtubeAnalytics: z.string(),
    tiktokAuthorize: z.string(),
    tiktokApi: z.string(),
    instagramAuthorize: z.string(),
    instagramToken: z.string(),
    instagramGraph: z.string(),
    facebookAuthorize: z.string(),
    facebookGraph: z.string(),
    graphVersion: z.string(),
  }),
  apiKey: z.string(),
  creators: z.array(z.string()),
})
const plentyUnits = 1_000_000_000
const runsMax = 96
const clock = systemClock

if (process.argv[2] === 'sandbox') await serveSandbox(Number(process.argv[3]))
else await measure(Number(process.argv[2] ?? 400), Number(process.argv[3] ?? 10_000))

async function serveSandbox(creatorCount: number): Promise<void> {
  const { url, urls, controls } = await startSandbox({ clock, creatorCount })
  Object.assign(controls.limits, { youtubeUnits: plentyUnits, youtubeStats: plentyUnits })
  const creators = Array.from({ length: creatorCount }, (_, place) => controls.world.creatorAt('youtube', place)?.id)
  // Whoever measures was killed.
  process.once('disconnect', () => process.exit())
  process.send?.({ url, urls, apiKey: controls.app('google').apiKeys[0], creators })
}

async function measure(creatorCount: number, plannedCount: number): Promise<void> {
  const child = fork(new URL(import.meta.url).pathname, ['sandbox', String(creatorCount)])
  const [told] = await once(child, 'message')
  const { url, urls, apiKey, creators } = SandboxSchema.parse(told)
  const root = mkdtempSync(join(tmpdir(), 'cliptape-bench-platforms-'))
  const log = pino({ level: 'warn' }, pino.destination(2))
  const store = await startChdb({ dataDir: join(root, 'analytics'), log })
  const db = await openPglite({ dataDir: join(root, 'relational'), log })
  await migrateAnalytics(store, { database: 'cliptape' })
  await migrateDb(db)
  const ownerId = await ensureLocalOwner(db)
  const world: World = { database: 'cliptape', clock }
  const bus = memoryBus({ log })
  const settle: Parameters<typeof createWriter>[0]['settle'] = touched => settleRollups(store, world, touched)
  const writer = createWriter({ store, bus, world, settle, log, clock }, liveLimits)
  const outbound = openOutbound({ configuredOrigins: [url] })
  const asked: { url: string; headers: Readonly<Record<string, string>> }[] = []
  const recording: Parameters<typeof openPlatforms>[0]['outbound'] = {
    fetchConfigured(address, request) {
      asked.push({ url: address, headers: request?.headers ?? {} })
      return outbound.fetchConfigured(address, request)
    },
  }
  const worker = new PollWorker(
    {
      db,
      store,
      world,
      writer,
      clock,
      log,
      platforms: openPlatforms({ outbound: recording, clock, urls }),
      budget: new QuotaBudget({ db, clock, ruleOf: () => ({ kind: 'day', units: plentyUnits }) }),
      withAccessToken: async () => {
        throw new Error('No account is linked here.')
      },
      operatorKeys: { youtube: apiKey },
      readApiKey: async () => null,
      onAccount: async () => undefined,
      random: Math.random,
    },
    runsMax,
  )
  const monitor = (ids: readonly string[]) =>
    sql`insert into monitored_creators (owner_id, platform, creator_id)
        select ${ownerId}, 'youtube', unnest(${[...ids]}::text[])`.execute(db.system)
  const plan = () => planWork({ db, clock, random: Math.random }, { platforms: ['youtube'] })
  /** Items a second of everything that is due now, and what fetching the same alone gives. */
  const phase = async () => {
    asked.length = 0
    const before = await countSamples()
    const started = performance.now()
    await worker.run()
    await writer.drain()
    const elapsedMs = performance.now() - started
    const items = (await countSamples()) - before
    const rawMs = await fetchAll([...asked])
    return {
      items,
      requests: asked.length,
      itemsPerSecond: Math.round((items * 1000) / elapsedMs),
      rawItemsPerSecond: Math.round((items * 1000) / rawMs),
      ratioToRaw: Number((rawMs / elapsedMs).toFixed(3)),
    }
  }
  const countSamples = async (): Promise<number> => {
    const [row] = await store.query<{ count: number }>(
      'SELECT count() AS count FROM (SELECT DISTINCT video_id, observed_at FROM cliptape.samples_v1)',
    )
    return Number(row?.count ?? 0)
  }

  await monitor(creators)
  await plan()
  await sql`update polls set next_poll_at = now()`.execute(db.system)
  const lists = await phase()
  await sql`update polled_posts set next_poll_at = now()`.execute(db.system)
  await sql`update polls set next_poll_at = now() where task = 'metrics'`.execute(db.system)
  const numbers = await phase()

  await monitor(Array.from({ length: plannedCount }, (_, place) => `UCplanned${place}`))
  const planned = Array.from({ length: plannedCount }, (_, place) => ({
    id: `${place}`,
    ownerKey: `${place % 100}`,
    purse: 'operator:youtube youtube:units',
    units: 2,
    wantedIntervalMs: 900_000 * (1 + (place % 96)),
    lastPolledAtMs: clock.nowMs() - (place % 900) * 1000,
  }))
  const planning = performance.now()
  planPolls(planned, new Map([['operator:youtube youtube:units', 9_000]]), {
    nowMs: clock.nowMs(),
    random: Math.random,
  })
  const planMs = performance.now() - planning
  await plan()
  const rows = performance.now()
  await plan()
  const planAllMs = performance.now() - rows
  process.stdout.write(
    `${JSON.stringify({
      bench: 'ingest-platforms',
      cores: availableParallelism(),
      itemsPerSecondGoal: 2_000,
      ratioToRawGoal: 0.4,
      lists,
      numbers,
      plannedCreators: plannedCount,
      planMs: Math.round(planMs),
      planMsGoal: 200,
      planWithRowsMs: Math.round(planAllMs),
    })}\n`,
  )
  await worker.close()
  await writer.close()
  await outbound.close()
  await bus.close()
  await db.close()
  await store.close()
  child.kill()
  rmSync(root, { recursive: true })
}

/** Fetches with as many requests at once as the worker has runs, and reads each answer to its end. */
async function fetchAll(
  requests: readonly { url: string; headers: Readonly<Record<string, string>> }[],
): Promise<number> {
  const agent = new Agent({ connections: runsMax })
  const started = performance.now()
  let next = 0
  await Promise.all(
    Array.from({ length: runsMax }, async () => {
      for (let request = requests[next++]; request; request = requests[next++]) {
        const { origin, pathname, search } = new URL(request.url)
        const { body, statusCode } = await agent.request({
          origin,
          path: `${pathname}${search}`,
          method: 'GET',
          headers: { ...request.headers },
        })
        await body.text()
        // A channel without uploads has no list of them.
        if (statusCode !== 200 && statusCode !== 404) throw new Error(`The sandbox answered ${statusCode}.`)
      }
    }),
  )
  const elapsedMs = performance.now() - started
  await agent.close()
  return elapsedMs
}
