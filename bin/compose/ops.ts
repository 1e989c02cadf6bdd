import type { OpsRow } from '../../contracts/ws.ts'
import { systemClock } from '../../core/clock.ts'
import type { Queue } from '../../core/queue/port.ts'
import type { IngestStats } from '../../ingest/stats.ts'
import { mediaRow } from '../../server/features/ops/media-row.ts'
import type { Stores } from './stores.ts'

const queueAgeWarnSeconds = 60

/** The lines of the OPS screen: stores, sources and writers, queues, this process. */
export async function opsRows(stores: Stores, stats: IngestStats, queue: Queue | null): Promise<OpsRow[]> {
  const [relational, queues, media] = await Promise.all([
    relationalRow(stores),
    queueRows(queue),
    mediaRow({ db: stores.db, clock: systemClock }).catch(() => null),
  ])
  return [analyticsRow(stores), relational, ...stats.rows(), ...queues, ...(media ? [media] : []), processRow()]
}

function analyticsRow({ store }: Stores): OpsRow {
  const status = store.status()
  const states = { up: 'ok', restarting: 'warn', down: 'down' } as const
  return {
    key: 'store:analytics',
    group: 'store',
    name: status.kind === 'embedded' ? 'analytics (chDB)' : 'analytics (ClickHouse)',
    state: states[status.state],
    value: status.state,
    detail: `version ${status.version}${status.pid === null ? '' : `, pid ${status.pid}`}, restarts ${status.restartCount}`,
  }
}

async function relationalRow({ db }: Stores): Promise<OpsRow> {
  const name = db.kind === 'pglite' ? 'relational (PGlite)' : 'relational (Postgres)'
  const row = { key: 'store:relational', group: 'store', name } as const
  const startedMs = performance.now()
  try {
    await db.ping()
    return { ...row, state: 'ok', value: 'up', detail: `answers in ${(performance.now() - startedMs).toFixed(0)} ms` }
  } catch (error) {
    return { ...row, state: 'down', value: 'down', detail: error instanceof Error ? error.message : String(error) }
  }
}

async function queueRows(queue: Queue | null): Promise<OpsRow[]> {
  const queues = (await queue?.stats().catch(() => [])) ?? []
  return queues.map(({ name, waiting, active, oldestWaitingSeconds: age }) => ({
    key: `queue:${name}`,
    group: 'queue',
    name,
    state: age !== null && age > queueAgeWarnSeconds ? 'warn' : waiting + active > 0 ? 'ok' : 'idle',
    value: `${waiting} waiting, ${active} active`,
    detail: age === null ? 'nothing waits' : `oldest ${Math.round(age)} s`,
  }))
}

function processRow(): OpsRow {
  const { rss } = process.memoryUsage()
  return {
    key: 'process:main',
    group: 'process',
    name: 'cliptape',
    state: 'ok',
    value: `${Math.round(rss / 1024 / 1024)} MiB`,
    detail: `pid ${process.pid}, up ${Math.round(process.uptime())} s, Node ${process.versions.node}`,
  }
}
