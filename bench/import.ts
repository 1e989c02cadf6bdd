import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { pino } from 'pino'
import type { AnalyticsContext } from '../analytics/context.ts'
import { computeLive } from '../analytics/live.ts'
import { loadNicheRules } from '../analytics/niches/rules.ts'
import { repairRollups, settleRollups } from '../analytics/settle.ts'
import type { ImportSummary } from '../contracts/import.ts'
import { memoryBus } from '../core/bus/memory.ts'
import { startChdb } from '../core/clickhouse/chdb.ts'
import { migrateAnalytics } from '../core/clickhouse/migrate.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import { systemClock } from '../core/clock.ts'
import { ensureLocalOwner } from '../core/db/local-owner.ts'
import { migrateDb } from '../core/db/migrate.ts'
import { openPglite } from '../core/db/pglite.ts'
import type { World } from '../core/world.ts'
import { type IngestDeps, runImport } from '../ingest/import.ts'

// Import: sustained rows a second of the whole pipeline (file → parse → check → batch → durable insert with its rollups →
// settled), trend queries running beside it, against the raw JSONEachRow insert of the same rows through the same client
// into the same engine; and how much memory a file ten times as long takes. Prints one JSON object.
//
// The baseline is a strict one: rows that are objects already, in batches of the same size, into a table with the same
// columns and fsync settings but without rollups.
//
//     node bench/import.ts [rows]     rows of the short file, default 200,000; the long one has ten times as many

const rowCount = Number(process.argv[2] ?? 200_000)
const videoCount = 10_000
const batchRows = 100_000
const hourMs = 3_600_000
/** The last reading of the long file is taken about now, so that windows that end now have something to read. */
const startMs = Math.floor(Date.now() / hourMs - (rowCount * 10) / videoCount) * hourMs

/** The reading number `row`: all videos once an hour. */
function reading(row: number) {
  const video = row % videoCount
  const hour = Math.floor(row / videoCount)
  return {
    platform: 'youtube',
    video_id: `v${video.toString(36).padStart(10, '0')}`,
    creator_id: `UC${(video % 500).toString().padStart(22, '0')}`,
    observedAtMs: startMs + hour * hourMs,
    views: 1_000 + video * hour,
    likes: 10 + hour * 3,
    comments: hour,
  }
}

async function writeFile(path: string, rows: number): Promise<void> {
  const file = createWriteStream(path)
  file.write('platform,video_id,creator_id,observed_at,views,likes,comments\n')
  let text = ''
  for (let row = 0; row < rows; row++) {
    const { platform, video_id, creator_id, observedAtMs, views, likes, comments } = reading(row)
    text += `${platform},${video_id},${creator_id},${new Date(observedAtMs).toISOString()},${views},${likes},${comments}\n`
    if (text.length < 1 << 20) continue
    if (!file.write(text)) await new Promise<void>(resolve => file.once('drain', () => resolve()))
    text = ''
  }
  file.end(text)
  await finished(file)
}

async function rawRowsPerSecond(store: AnalyticsStore, rows: number): Promise<number> {
  await store.command('CREATE TABLE cliptape.raw_baseline_v1 AS cliptape.samples_v1')
  const batches: object[][] = []
  for (let from = 0; from < rows; from += batchRows) {
    const size = Math.min(batchRows, rows - from)
    batches.push(
      Array.from({ length: size }, (_, index) => {
        const { observedAtMs, ...row } = reading(from + index)
        const rest = { shares: null, saves: null, source: 'import:generic', endpoint: 'generic', definition_version: 1 }
        return { ...row, ...rest, observed_at: observedAtMs / 1000, expires_at: '2106-02-07 00:00:00' }
      }),
    )
  }
  const started = performance.now()
  for (const batch of batches) await store.insert('cliptape.raw_baseline_v1', batch)
  const elapsedMs = performance.now() - started
  await store.command('DROP TABLE cliptape.raw_baseline_v1')
  return (rows * 1000) / elapsedMs
}

/** Asks for the top 50 of 24 hours over and over until told to stop; returns how long each took. */
function queriesBeside(context: AnalyticsContext): () => Promise<number[]> {
  const tookMs: number[] = []
  let isRunning = true
  const running = (async () => {
    while (isRunning) {
      const started = performance.now()
      await computeLive(context, 'trends', { type: 'clips', period: '24h', limit: 50 })
      tookMs.push(performance.now() - started)
      await new Promise(resolve => setTimeout(resolve, 1_000))
    }
  })()
  return async () => {
    isRunning = false
    await running
    return tookMs
  }
}

async function measure(deps: IngestDeps, file: string) {
  let rssMax = 0
  const timer = setInterval(() => {
    rssMax = Math.max(rssMax, process.memoryUsage().rss)
  }, 50)
  const stopQueries = queriesBeside({ store: deps.store, world: deps.world, niches })
  const started = performance.now()
  let summary: ImportSummary | null = null
  await runImport(deps, { files: [file], dryRun: false }, progress => {
    if (progress.type === 'fileDone') summary = progress.summary
    if (progress.type === 'fileFailed') throw new Error(progress.message)
  })
  const elapsedMs = performance.now() - started
  const queriesMs = (await stopQueries()).sort((a, b) => a - b)
  clearInterval(timer)
  const rows = (summary as ImportSummary | null)?.accepted ?? 0
  return {
    rows,
    rowsPerSecond: (rows * 1000) / elapsedMs,
    rssMax,
    queryMsP50: queriesMs[queriesMs.length >> 1] ?? 0,
  }
}

const root = mkdtempSync(join(tmpdir(), 'cliptape-bench-import-'))
const log = pino({ level: 'warn' }, pino.destination(2))
const short = join(root, 'short.csv')
const long = join(root, 'long.csv')
await Promise.all([writeFile(short, rowCount), writeFile(long, rowCount * 10)])
const store = await startChdb({ dataDir: join(root, 'analytics'), log })
const db = await openPglite({ dataDir: join(root, 'relational'), log })
await migrateAnalytics(store, { database: 'cliptape' })
await migrateDb(db)
const niches = await loadNicheRules()
const world: World = { database: 'cliptape', clock: systemClock }
const deps: IngestDeps = {
  store,
  db,
  bus: memoryBus({ log }),
  world,
  ownerId: await ensureLocalOwner(db),
  settle: touched => settleRollups(store, world, touched),
  clock: systemClock,
  log,
}
// Before and after, because the machine is not equally busy all the time.
const rawBefore = await rawRowsPerSecond(store, rowCount * 3)
const first = await measure(deps, short)
const sustained = await measure(deps, long)
const settleStarted = performance.now()
await repairRollups(store, world)
const settleRestMs = performance.now() - settleStarted
const raw = 2 / (1 / rawBefore + 1 / (await rawRowsPerSecond(store, rowCount * 3)))
const mebibytes = (bytes: number) => Math.round(bytes / 1_048_576)
process.stdout.write(
  `${JSON.stringify({
    bench: 'import',
    cores: availableParallelism(),
    rows: sustained.rows,
    fileMebibytes: mebibytes(statSync(long).size),
    rowsPerSecond: Math.round(sustained.rowsPerSecond),
    rawRowsPerSecond: Math.round(raw),
    ratioToRaw: Number((sustained.rowsPerSecond / raw).toFixed(3)),
    ratioGoal: 0.25,
    besideTrendsMsP50: Math.round(sustained.queryMsP50),
    settleRestMs: Math.round(settleRestMs),
    rssMebibytesMax: mebibytes(sustained.rssMax),
    rssGrowthMebibytes: mebibytes(sustained.rssMax - first.rssMax),
    rssGrowthMebibytesGoal: 150,
  })}\n`,
)
await db.close()
await store.close()
rmSync(root, { recursive: true })
