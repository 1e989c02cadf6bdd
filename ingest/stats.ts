import type { OpsRow } from '../contracts/ws.ts'
import type { Clock } from '../core/clock.ts'
import type { Tally } from './pipeline.ts'
import type { Writer } from './writer.ts'

/** Counts what ingestion does, for OPS. In memory: it begins anew with the process. */
export interface IngestStats {
  /** The counters of one source; the same name gives the same counters. */
  source(name: string): SourceCounter
  /** Shows a writer until the returned function is called. */
  watchWriter(name: string, writer: Writer): () => void
  rows(): OpsRow[]
}

interface SourceCounter {
  /** Tells the totals of the present run so far. */
  update(tally: Pick<Tally, 'read' | 'accepted' | 'dropped' | 'deadLettered'>): void
  /** Takes the source out of the rows. */
  forget(): void
}

/** A source that has been quiet this long is idle. */
const idleAfterMs = 10_000
/** A queue older than this is worth a look. */
const slowQueueMs = 5_000
/** Rates are those of the last seconds, and of at least one. */
const rateWindowMs = 10_000
const rateSpanMsMin = 1_000
/** How finely the window slides. */
const rateStepMs = 250
/** The most sources that are remembered; the quietest one goes first. */
const sourcesMax = 200

interface SourceState {
  read: number
  accepted: number
  dropped: number
  deadLettered: number
  reasons: string
  lastAtMs: number
  /** Records read by then, oldest first: those of the window, a step apart, and the last before it. */
  readBy: { atMs: number; read: number }[]
}

/** @param clock real time: rates are per second of it */
export function createIngestStats(clock: Clock): IngestStats {
  const sources = new Map<string, SourceState>()
  const writers = new Map<string, Writer>()

  return {
    source: name => ({
      update(tally) {
        const nowMs = clock.nowMs()
        const state = sources.get(name) ?? begin(nowMs)
        // Moved to the end, so that the first one is the quietest.
        sources.delete(name)
        sources.set(name, state)
        const [oldest] = sources.keys()
        if (sources.size > sourcesMax && oldest !== undefined) sources.delete(oldest)
        // A new run of the same source begins from zero.
        if (tally.read < state.read) state.readBy = [{ atMs: nowMs, read: 0 }]
        state.read = tally.read
        state.accepted = tally.accepted
        state.dropped = sum(tally.dropped)
        state.deadLettered = sum(tally.deadLettered)
        state.reasons = reasonsOf(tally)
        state.lastAtMs = nowMs
        const last = state.readBy.at(-1)
        if (!last || nowMs - last.atMs >= rateStepMs) state.readBy.push({ atMs: nowMs, read: tally.read })
        while ((state.readBy[1]?.atMs ?? nowMs) <= nowMs - rateWindowMs) state.readBy.shift()
      },
      forget: () => void sources.delete(name),
    }),
    watchWriter(name, writer) {
      writers.set(name, writer)
      return () => {
        if (writers.get(name) === writer) writers.delete(name)
      }
    },
    rows: () => [
      ...[...writers].map(([name, writer]) => writerRow(name, writer)),
      ...[...sources].map(([name, state]) => sourceRow(name, state, clock.nowMs())),
    ],
  }
}

function begin(nowMs: number): SourceState {
  return {
    read: 0,
    accepted: 0,
    dropped: 0,
    deadLettered: 0,
    reasons: '',
    lastAtMs: nowMs,
    readBy: [{ atMs: nowMs, read: 0 }],
  }
}

function writerRow(name: string, writer: Writer): OpsRow {
  const status = writer.status()
  const isSlow = status.queueAgeMs > slowQueueMs
  const last = status.lastWrittenAtMs === null ? 'nothing written yet' : `last ${isoSecond(status.lastWrittenAtMs)}`
  return {
    key: `writer:${name}`,
    group: 'writer',
    name,
    state: status.isRetrying ? 'down' : isSlow ? 'warn' : status.queuedRows > 0 ? 'ok' : 'idle',
    value: `${status.queuedRows} rows queued, ${(status.queueAgeMs / 1000).toFixed(1)} s`,
    detail: `${status.isRetrying ? 'the engine does not answer, batches wait; ' : ''}${total(status.rowsWritten)} rows written, ${last}`,
  }
}

function sourceRow(name: string, state: SourceState, nowMs: number): OpsRow {
  const isIdle = nowMs - state.lastAtMs > idleAfterMs
  return {
    key: `source:${name}`,
    group: 'source',
    name,
    state: state.deadLettered > 0 ? 'warn' : isIdle ? 'idle' : 'ok',
    value: `${isIdle ? 0 : rowsPerSecond(state, nowMs)} rows/s`,
    detail:
      `${state.accepted} of ${state.read} rows accepted, last ${isoSecond(state.lastAtMs)}` +
      (state.reasons === '' ? '' : `; ${state.reasons}`),
  }
}

function rowsPerSecond({ read, readBy }: SourceState, nowMs: number): number {
  const from = readBy.findLast(point => point.atMs <= nowMs - rateWindowMs) ?? readBy[0]
  if (!from) return 0
  return Math.round(((read - from.read) * 1000) / Math.max(rateSpanMsMin, nowMs - from.atMs))
}

function reasonsOf(tally: Pick<Tally, 'dropped' | 'deadLettered'>): string {
  const dropped = [...tally.dropped].map(([reason, count]) => `${count} dropped: ${reason}`)
  const dead = [...tally.deadLettered].map(([reason, count]) => `${count} dead-lettered: ${reason}`)
  return [...dropped, ...dead].join(', ')
}

function sum(counts: ReadonlyMap<string, number>): number {
  let all = 0
  for (const count of counts.values()) all += count
  return all
}

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((all, count) => all + count, 0)
}

function isoSecond(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
