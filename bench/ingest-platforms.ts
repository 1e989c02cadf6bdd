/**
 * Reading from the platforms: items a second from the request to durable rows, and how long ten thousand monitored creators
 * take to plan, their rows read and written.
 *
 * The baseline is the raw fetch of the same pages: every request that the worker made, once more and in the same order, by
 * an HTTP client (undici) with as many at once, each answer read to its end and parsed as JSON, and thrown away. The sandbox
 * runs in a process of its own, on the same cores for both. All is done once before, on other stores and unmeasured, so that
 * neither pays for code that is not compiled yet, nor for what the sandbox makes up when it is asked for the first time.
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
import { PollWorker, planWork } from '../ingest/platforms/poll-worker.ts'
import { QuotaBudget } from '../ingest/platforms/quota-budget.ts'
import { createWriter, pollLimits } from '../ingest/writer.ts'
import { openPlatforms } from '../platforms/clients.ts'
import { startSandbox, urlsUnder } from '../platforms/sandbox/sandbox.ts'

const SandboxSchema = z.object({ url: z.string(), apiKey: z.string(), creators: z.array(z.string()) })
const plentyUnits = 1_000_000_000
const runsMax = 96
const clock = systemClock

if (process.argv[2] === 'sandbox') await serveSandbox(Number(process.argv[3]))
else await measure(Number(process.argv[2] ?? 1_000), Number(process.argv[3] ?? 10_000))

async function serveSandbox(creatorCount: number): Promise<void> {
  const { url, controls } = await startSandbox({ clock, creatorCount })
  Object.assign(controls.limits, { youtubeUnits: plentyUnits, youtubeStats: plentyUnits })
  const creators = Array.from({ length: creatorCount }, (_, place) => controls.world.creatorAt('youtube', place)?.id)
  // Whoever measures was killed.
  process.once('disconnect', () => process.exit())
  process.send?.({ url, apiKey: controls.app('google').apiKeys[0], creators })
}

async function measure(creatorCount: number, plannedCount: number): Promise<void> {
  const child = fork(new URL(import.meta.url).pathname, ['sandbox', String(creatorCount)])
  const [told] = await once(child, 'message')
  const sandbox = SandboxSchema.parse(told)
  const warm = await openReader(sandbox)
  await warm.read()
  await warm.close()
  const reader = await openReader(sandbox)
  const read = await reader.read()
  const planned = await reader.plan(plannedCount)
  process.stdout.write(
    `${JSON.stringify({
      bench: 'ingest-platforms',
      cores: availableParallelism(),
      itemsPerSecondGoal: 2_000,
      ratioToRawGoal: 0.4,
      planMsGoal: 200,
      ...read,
      ...planned,
    })}\n`,
  )
  await reader.close()
  child.kill()
}

/** A worker on empty stores. */
async function openReader({ url, apiKey, creators }: z.infer<typeof SandboxSchema>) {
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
  const writer = createWriter({ store, bus, world, settle, log, clock }, pollLimits)
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
      bus,
      ownerId,
      world,
      writer,
      clock,
      log,
      platforms: openPlatforms({ outbound: recording, clock, urls: urlsUnder(url) }),
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
  const planMs = async (): Promise<number> => {
    const started = performance.now()
    await planWork({ db, clock, random: Math.random }, { platforms: ['youtube'] })
    return Math.round(performance.now() - started)
  }
  const countSamples = async (): Promise<number> => {
    const [row] = await store.query<{ count: number }>(
      'SELECT count() AS count FROM (SELECT DISTINCT video_id, observed_at FROM cliptape.samples_v1)',
    )
    return Number(row?.count ?? 0)
  }
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
  return {
    /** The lists of all creators, then the numbers of all posts that were in them. */
    async read() {
      await monitor(creators)
      await planMs()
      await sql`update polls set next_poll_at = now()`.execute(db.system)
      const lists = await phase()
      await sql`update polled_posts set next_poll_at = now() - random() * interval '1 minute'`.execute(db.system)
      await sql`update polls set next_poll_at = now() where task = 'metrics'`.execute(db.system)
      return { lists, numbers: await phase() }
    },
    /** First every row is made and gets its time; then nothing changes, as in most minutes. */
    async plan(creatorCount: number) {
      await monitor(Array.from({ length: creatorCount }, (_, place) => `UCplanned${place}`))
      const planFirstMs = await planMs()
      return {
        plannedCreators: creatorCount,
        planFirstMs,
        planMs: Math.min(await planMs(), await planMs(), await planMs()),
      }
    },
    async close() {
      await worker.close()
      await writer.close()
      await outbound.close()
      await bus.close()
      await db.close()
      await store.close()
      rmSync(root, { recursive: true })
    },
  }
}

/** The baseline: as many requests at once as the worker has runs that ask. */
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
        JSON.parse(await body.text())
        // A channel without uploads has no list of them.
        if (statusCode !== 200 && statusCode !== 404) throw new Error(`The sandbox answered ${statusCode}.`)
      }
    }),
  )
  const elapsedMs = performance.now() - started
  await agent.close()
  return elapsedMs
}
