/**
 * The server process of `bench/live.ts`: real stores in a folder given as argument, the real writer, the real
 * server, and beside it a raw WebSocket broadcast to compare with. Driven over IPC.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import pino from 'pino'
import { WebSocketServer } from 'ws'
import { loadNicheRules } from '../analytics/niches/rules.ts'
import { repairRollups, settleRollups } from '../analytics/settle.ts'
import type { Platform } from '../contracts/ids.ts'
import type { Item } from '../contracts/samples.ts'
import { memoryBus } from '../core/bus/memory.ts'
import { startChdb } from '../core/clickhouse/chdb.ts'
import { migrateAnalytics } from '../core/clickhouse/migrate.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { systemClock } from '../core/clock.ts'
import { ensureLocalOwner } from '../core/db/local-owner.ts'
import { migrateDb } from '../core/db/migrate.ts'
import { openPglite } from '../core/db/pglite.ts'
import { memoryKeyValue } from '../core/key-value/memory.ts'
import { openOutbound } from '../core/outbound/guarded-fetch.ts'
import { createSqlGate } from '../core/sql-gate/gate.ts'
import { MasterKeys, masterKey } from '../core/vault/master-key.ts'
import { ownVault } from '../core/vault/own-vault.ts'
import type { World } from '../core/world.ts'
import { createWriter } from '../ingest/writer.ts'
import { openPlatforms } from '../platforms/clients.ts'
import { openAccounts } from '../server/auth/open-accounts.ts'
import type { WorldSource } from '../server/deps.ts'
import { UsageMeter } from '../server/features/billing/usage-meter.ts'
import { ClipperDesk } from '../server/features/copies/own-clippers.ts'
import { SharedAnswers } from '../server/features/shared-answers.ts'
import { createMetrics } from '../server/metrics/registry.ts'
import { startServer } from '../server/server.ts'
import { fixedAuthenticator } from '../test/fixed-authenticator.ts'
import { testMediaDesk } from '../test/media-desk.ts'
import { urlsNowhere } from '../test/urls-nowhere.ts'
import { markerVideo, type Order, type Report, rowsPerWrite, token } from './live-protocol.ts'

const [, , folder = '', sampleCountText = '', videoCountText = ''] = process.argv
const sampleCount = Number(sampleCountText)
const videoCount = Number(videoCountText)
const log = pino({ level: 'warn' }, pino.destination(2))
const world: World = { database: 'cliptape', clock: systemClock }
const bus = memoryBus({ log })
const store = await startChdb({ dataDir: join(folder, 'analytics'), log })
const db = await openPglite({ dataDir: join(folder, 'relational'), log })
await migrateDb(db)
await migrateAnalytics(store, { database: world.database })
await loadSamples(store)
await repairRollups(store, world)

const niches = await loadNicheRules()
const metrics = createMetrics()
const keyValue = memoryKeyValue({ clock: systemClock })
const ownerId = await ensureLocalOwner(db)
const accounts = await openAccounts(
  { db, bus, keyValue, clock: systemClock, log },
  {
    secret: 'secret of the bench, long enough to be one',
    ownerId,
    mailer: null,
    google: null,
    registration: 'closed',
    linkBase: () => null,
  },
)
const shown: WorldSource = {
  current: () => world,
  status: () => ({ mode: 'live', notice: 'Bench.', now: new Date().toISOString(), speed: 1, sources: ['bench'] }),
}
const outbound = openOutbound({ configuredOrigins: [] })
const server = await startServer(
  {
    db,
    store,
    bus,
    keyValue,
    gate: await createSqlGate(store),
    world: shown,
    answers: new SharedAnswers({ world: shown, clock: systemClock }),
    niches: () => niches,
    clock: systemClock,
    log,
    version: 'bench',
    vault: ownVault(new MasterKeys(masterKey('key of the bench, long enough to be one'))),
    outbound,
    platforms: openPlatforms({ outbound, clock: systemClock, urls: urlsNowhere }),
    webhookOrigins: [],
    auth: fixedAuthenticator({ token, userId: ownerId }),
    accounts: accounts.accounts,
    usage: new UsageMeter({ db, clock: systemClock, log }),
    clippers: new ClipperDesk({ db, store, clock: systemClock, log, niches: () => niches }),
    ops: async () => [],
    deadLetters: {
      list: async () => [],
      replay: async () => ({ replayed: 0, kept: 0 }),
      discard: async () => ({ discarded: 0 }),
    },
    quota: async () => [],
    findCreator: async () => ({ found: null, isUnknown: false, reason: 'No platform is asked here.' }),
    media: testMediaDesk({ folder, clock: systemClock, outbound }),
    metrics,
  },
  { host: '127.0.0.1', port: 0 },
)
const raw = await startRaw()
const writer = createWriter({
  store,
  bus,
  world,
  settle: touched => settleRollups(store, world, touched),
  log,
  clock: systemClock,
})
let writing: NodeJS.Timeout | null = null
let writeNumber = 0
let writeMsMax = 0
let failedWrites = 0
report({ type: 'ready', url: server.url, rawUrl: raw.url })

process.on('message', (order: Order) => {
  switch (order.type) {
    case 'write':
      if (writing) clearInterval(writing)
      writing = order.perSecond > 0 ? setInterval(() => void write(), 1000 / order.perSecond) : null
      return
    case 'stats':
      return report({
        type: 'stats',
        rssBytes: process.memoryUsage().rss,
        engineRssBytes: residentBytes(store.status().pid),
        cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
        metrics: metrics.render(),
        writeMsMax,
        failedWrites,
      })
    case 'broadcast':
      return raw.broadcast(order)
    case 'stop':
      void stop()
  }
})

/** Samples over 30 days, `sampleCount / videoCount` of each video, made in the engine; every video has a description. */
async function loadSamples(into: AnalyticsStore): Promise<void> {
  const each = Math.round(sampleCount / videoCount)
  const stepSec = Math.floor((30 * 86_400) / each)
  // By slices of videos, so that one insert's rollups stay small.
  const slice = 2000
  for (let first = 0; first < videoCount; first += slice) {
    const count = Math.min(slice, videoCount - first)
    await into.command(
      `INSERT INTO cliptape.samples_v1 (platform, video_id, creator_id, observed_at, views, likes, comments, source, endpoint, definition_version)
       SELECT ['youtube', 'tiktok', 'instagram'][video % 3 + 1], concat('v', toString(video)), concat('c', toString(video % 500)),
              now64(3, 'UTC') - toIntervalSecond((${each} - step) * ${stepSec}), toUInt64(step * (1000 + cityHash64(video) % 9000)),
              toUInt64(step * 10), toUInt64(step), 'import:bench', '', 1
       FROM (SELECT ${first} + intDiv(number, ${each}) AS video, number % ${each} AS step FROM numbers(${count * each}))`,
    )
    await into.command(
      `INSERT INTO cliptape.videos_v1 (platform, video_id, creator_id, kind, title, url, thumbnail_url, published_at, category, tags, regions, topics, source, observed_at)
       SELECT ['youtube', 'tiktok', 'instagram'][video % 3 + 1], concat('v', toString(video)), concat('c', toString(video % 500)), 'clip',
              concat('A video about number ', toString(video)), '', '', now64(3, 'UTC') - toIntervalDay(31), 'Music', ['tag'], ['US'], ['topic'],
              'bench', now64(3, 'UTC')
       FROM (SELECT ${first} + number AS video FROM numbers(${count}))`,
    )
  }
  // The marker was read for longer than any window with hardly a view: whatever is written now is its gain.
  await into.command(
    `INSERT INTO cliptape.samples_v1 (platform, video_id, creator_id, observed_at, views, source, endpoint, definition_version)
     SELECT 'youtube', '${markerVideo}', 'c1', now64(3, 'UTC') - toIntervalHour(6 * (number + 1)), 1000 - number, 'import:bench', '', 1
     FROM numbers(140)`,
  )
}

/**
 * One write of a few readings, one of them of the marker video, whose views say which write it was. Writes do not wait
 * for each other: what comes while the writer gathers, or is busy, goes in with the next batch.
 */
async function write(): Promise<void> {
  writeNumber += 1
  const number = writeNumber
  const startMs = performance.now()
  const videos = Array.from({ length: rowsPerWrite - 1 }, (_, at) => (number * 7919 + at * 104_729) % videoCount)
  const platforms = ['youtube', 'tiktok', 'instagram'] as const
  try {
    await writer.write([
      ...videos.map(video =>
        reading(platforms[video % 3] ?? 'youtube', `v${video}`, `c${video % 500}`, 10_000_000 + number),
      ),
      reading('youtube', markerVideo, 'c1', 9_000_000_000 + number),
    ])
    report({ type: 'acknowledged', number, atMs: wallMs() })
  } catch (error) {
    failedWrites += 1
    log.warn({ err: error }, 'A write failed.')
  }
  writeMsMax = Math.max(writeMsMax, performance.now() - startMs)
}

function reading(platform: Platform, videoId: string, creatorId: string, views: number): Item {
  const unknown = { likes: null, comments: null, shares: null, saves: null, expiresAtMs: null }
  const origin = { source: 'import:bench', endpoint: '', definitionVersion: 1 }
  return {
    kind: 'sample',
    row: { platform, videoId, creatorId, observedAtMs: Date.now(), views, ...unknown, ...origin },
  }
}

/** Of another process; 0 where the system does not say. */
function residentBytes(pid: number | null): number {
  try {
    return 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** What a bare WebSocket server needs for the same: so many clients in groups, a frame of the same size for each group. */
async function startRaw() {
  const http = createServer()
  const sockets = new WebSocketServer({ server: http, perMessageDeflate: false })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = http.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    url: `ws://127.0.0.1:${port}`,
    broadcast(order: Extract<Order, { type: 'broadcast' }>) {
      const clients = [...sockets.clients]
      for (let group = 0; group < order.groups; group += 1) {
        const frame = Buffer.alloc(order.frameBytes, 'x')
        frame.write(`${wallMs().toFixed(3)} `)
        for (let at = group; at < clients.length; at += order.groups) clients[at]?.send(frame, { binary: false })
      }
    },
    close() {
      for (const client of sockets.clients) client.terminate()
      http.close()
    },
  }
}

async function stop(): Promise<void> {
  if (writing) clearInterval(writing)
  await writer.close()
  raw.close()
  await server.close(1000)
  await store.close()
  await db.close()
  process.disconnect()
}

function wallMs(): number {
  return performance.timeOrigin + performance.now()
}

function report(message: Report): void {
  process.send?.(message)
}
