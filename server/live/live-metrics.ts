import type { OpsRow } from '../../contracts/ws.ts'
import type { Metrics } from '../metrics/registry.ts'
import type { LiveEngine, LiveStats } from './engine.ts'

const gauges: readonly { name: string; help: string; read: (stats: LiveStats) => number }[] = [
  { name: 'cliptape_live_queries', help: 'Distinct live queries, watched or kept.', read: stats => stats.queries },
  { name: 'cliptape_live_watchers', help: 'Subscriptions of live queries.', read: stats => stats.watchers },
  {
    name: 'cliptape_live_waiting',
    help: 'Live queries that wait for their computation.',
    read: stats => stats.waiting,
  },
  {
    name: 'cliptape_live_computations_total',
    help: 'Computations of live queries; equal queries share one.',
    read: stats => stats.computations,
  },
  { name: 'cliptape_live_failures_total', help: 'Computations that failed.', read: stats => stats.failures },
  { name: 'cliptape_live_publications_total', help: 'New versions of answers.', read: stats => stats.publications },
  {
    name: 'cliptape_live_frame_bytes_total',
    help: 'Bytes of new versions, once each.',
    read: stats => stats.frameBytes,
  },
  { name: 'cliptape_live_compute_seconds_total', help: 'Time spent computing.', read: stats => stats.computeMs / 1000 },
]

export function registerLiveMetrics(metrics: Metrics, engine: LiveEngine): void {
  for (const { name, help, read } of gauges) metrics.gauge(name, help, () => read(engine.stats()))
}

/** The lines of the OPS screen about live queries; rates are over the time since the last reading. */
export function liveOpsRows(engine: LiveEngine): () => OpsRow[] {
  let last = { atMs: performance.now(), stats: engine.stats() }
  return () => {
    const now = { atMs: performance.now(), stats: engine.stats() }
    const seconds = Math.max((now.atMs - last.atMs) / 1000, 0.001)
    const computed = now.stats.computations - last.stats.computations
    const failed = now.stats.failures - last.stats.failures
    last = now
    const { queries, watchers, waiting } = now.stats
    return [
      {
        key: 'live:queries',
        group: 'live',
        name: 'Live queries',
        state: queries === 0 ? 'idle' : 'ok',
        value: `${queries} for ${watchers}`,
        detail: `${queries} distinct queries serve ${watchers} subscriptions; ${waiting} wait for their turn.`,
      },
      {
        key: 'live:computations',
        group: 'live',
        name: 'Computations',
        state: failed > 0 ? 'warn' : computed === 0 ? 'idle' : 'ok',
        value: `${(computed / seconds).toFixed(1)}/s`,
        detail: failed > 0 ? `${failed} failed since the last look.` : 'Equal queries share one computation.',
      },
    ]
  }
}
