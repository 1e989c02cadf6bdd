/**
 * The writer: takes items from whatever ingests, writes them in batches, and says when they are durable.
 *
 * The problem: single rows cost the engine about 3 ms each, large inserts a few microseconds a row; a source wants to
 * know that its rows are safe; a file must not fill the memory when the engine is slower than the disk. So rows gather
 * in one open batch, as bytes that are ready to send, until it is full or old. A sealed batch is written while the next
 * one fills; with two sealed ones waiting, `room()` holds the producer back. Batches are written strictly in order,
 * and a batch is acknowledged after all of its tables are durable and the rollups are settled. A batch that is old, and
 * not full, while another is being written stays open until that one is done: an insert costs the engine more than its
 * rows do, so the busier it is, the more rows share one.
 *
 * Everything here may be written twice: the tables keep one row per key by an order-independent rule, so a batch that failed
 * half way is simply sent again. An engine that restarts (`UNAVAILABLE`) is waited for, up to `retryMsMax`.
 *
 * Descriptions repeat with every reading of a video. Inside a batch only the newest of each (video, source) is kept.
 */

import { AppError } from '../contracts/errors.ts'
import { type Platform, videoId } from '../contracts/ids.ts'
import type { CreatorRecord, Item, VideoRecord } from '../contracts/samples.ts'
import type { Bus } from '../core/bus/port.ts'
import type { AnalyticsStore } from '../core/clickhouse/port.ts'
import type { Clock } from '../core/clock.ts'
import type { Log } from '../core/log.ts'
import { type Touched, touchedVideosMax } from '../core/touched.ts'
import type { World } from '../core/world.ts'
import { checkItems } from './check.ts'
import {
  creatorLine,
  creatorSampleLine,
  type ItemKind,
  knownFields,
  LineBuffer,
  sampleLine,
  targets,
  topicSampleLine,
  videoLine,
} from './rows.ts'

export interface WriterDeps {
  readonly store: AnalyticsStore
  readonly bus: Bus
  /** Where rows go: its database is fixed for the writer's life. */
  readonly world: World
  /** Brings rollups and boundary snapshots up to date; runs after the rows are durable, before they are acknowledged. */
  readonly settle: (touched: Touched) => Promise<void>
  readonly log: Log
  readonly clock: Clock
}

/** When a batch is sealed: whatever comes first. */
export interface WriterLimits {
  readonly rowsMax: number
  readonly bytesMax: number
  readonly ageMsMax: number
  /** How long an engine that does not answer is waited for before the batch is given up. */
  readonly retryMsMax: number
}

/** For sources that trickle: at most a fifth of a second old, so that a screen is live. */
export const liveLimits: WriterLimits = {
  rowsMax: 20_000,
  bytesMax: 8 * 1024 * 1024,
  ageMsMax: 200,
  retryMsMax: 120_000,
}
/**
 * For polls, whose readings are minutes apart: a screen may wait a second for them, and inserts of many rows cost less. Not
 * of too many: while one batch is written, the one before it is marked.
 */
export const pollLimits: WriterLimits = { ...liveLimits, rowsMax: 10_000, ageMsMax: 1_000 }
/** For files: large batches, because nobody waits for a single row and each insert pays for its fsyncs. */
export const bulkLimits: WriterLimits = { ...liveLimits, rowsMax: 100_000, bytesMax: 24 * 1024 * 1024, ageMsMax: 5_000 }

/** What OPS shows of a writer. */
interface WriterStatus {
  readonly queuedRows: number
  /** Age of the oldest row that is not durable yet; 0 when there is none. */
  readonly queueAgeMs: number
  readonly rowsWritten: Readonly<Record<ItemKind, number>>
  readonly lastWrittenAtMs: number | null
  /** True while the engine does not answer and batches wait. */
  readonly isRetrying: boolean
}

export interface Writer {
  /**
   * Takes the items of one record, all or none.
   * @returns the name of the field that is out of its range (nothing was taken), or null
   */
  add(items: readonly Item[]): string | null
  /** Resolves when more may be added. Rejects when a batch could not be written. */
  room(): Promise<void>
  /** Takes items and resolves when they are durable. Rejects with `BAD_REQUEST` or what the store said. */
  write(items: readonly Item[]): Promise<void>
  /** Waits for no more rows: what is there is written as soon as the engine is free. */
  hurry(): void
  /** Writes what is there and resolves when all of it is durable. Rejects when a batch could not be written. */
  drain(): Promise<void>
  status(): WriterStatus
  /** Drains, then takes no more. */
  close(): Promise<void>
}

/** How many sealed batches may wait before the producer does. */
const sealedMax = 2
/** A file sorted by video spans all of its months in one batch; the engine's own limit is 100 partitions. */
const settings = { max_partitions_per_insert_block: 0 }
/** Metadata before samples: a screen that sees the number can show the name. */
const writeOrder: readonly ItemKind[] = ['creator', 'video', 'creatorSample', 'topicSample', 'sample']

class Batch {
  readonly openedAtMs: number
  readonly lines: Record<'sample' | 'creatorSample' | 'topicSample', LineBuffer> = {
    sample: new LineBuffer(),
    creatorSample: new LineBuffer(),
    topicSample: new LineBuffer(),
  }
  readonly counts: Record<ItemKind, number> = { sample: 0, video: 0, creator: 0, creatorSample: 0, topicSample: 0 }
  readonly videos = new Map<string, VideoRecord>()
  readonly creators = new Map<string, CreatorRecord>()
  readonly touched = new Map<string, { platform: Platform; videoId: string }>()
  readonly platforms = new Set<Platform>()
  isCut = false
  minObservedAtMs = Number.POSITIVE_INFINITY
  maxObservedAtMs = 0
  metadataChars = 0
  readonly waiters: { resolve: () => void; reject: (error: unknown) => void }[] = []

  constructor(openedAtMs: number) {
    this.openedAtMs = openedAtMs
  }

  get rowCount(): number {
    const { sample, creatorSample, topicSample } = this.counts
    return sample + creatorSample + topicSample + this.videos.size + this.creators.size
  }

  get bytes(): number {
    return (
      this.lines.sample.length + this.lines.creatorSample.length + this.lines.topicSample.length + this.metadataChars
    )
  }

  take(item: Item): void {
    switch (item.kind) {
      case 'sample':
        this.lines.sample.append(sampleLine(item.row))
        this.platforms.add(item.row.platform)
        this.#touch(item.row)
        break
      case 'creatorSample':
        this.lines.creatorSample.append(creatorSampleLine(item.row))
        this.platforms.add(item.row.platform)
        break
      case 'topicSample':
        this.lines.topicSample.append(topicSampleLine(item.row))
        this.platforms.add(item.row.platform)
        break
      case 'video':
        this.#keepNewest(
          this.videos,
          `${knownFields(item.row)} ${item.row.platform} ${item.row.videoId} ${item.row.source}`,
          item.row,
        )
        return
      case 'creator':
        this.#keepNewest(
          this.creators,
          `${knownFields(item.row)} ${item.row.platform} ${item.row.creatorId} ${item.row.source}`,
          item.row,
        )
        return
    }
    this.counts[item.kind]++
  }

  /** At equal instants the later one of the same known fields wins, as it does in the table. */
  #keepNewest<R extends VideoRecord | CreatorRecord>(rows: Map<string, R>, key: string, row: R): void {
    const known = rows.get(key)
    if (known && known.observedAtMs > row.observedAtMs) return
    rows.set(key, row)
    if (!known) this.metadataChars += 'title' in row ? 200 + row.title.length + row.tags.length * 20 : 100
  }

  #touch(row: { platform: Platform; videoId: string; observedAtMs: number }): void {
    if (row.observedAtMs < this.minObservedAtMs) this.minObservedAtMs = row.observedAtMs
    if (row.observedAtMs > this.maxObservedAtMs) this.maxObservedAtMs = row.observedAtMs
    if (this.isCut) return
    const { platform, videoId } = row
    const key = `${platform} ${videoId}`
    if (this.touched.has(key)) return
    if (this.touched.size >= touchedVideosMax) {
      this.isCut = true
      return
    }
    this.touched.set(key, { platform, videoId })
  }
}

/** Makes a writer; close it to stop its timer. */
export function createWriter(deps: WriterDeps, limits: WriterLimits = liveLimits): Writer {
  return new BatchWriter(deps, limits)
}

class BatchWriter implements Writer {
  readonly #deps: WriterDeps
  readonly #limits: WriterLimits
  readonly #written: Record<ItemKind, number> = { sample: 0, video: 0, creator: 0, creatorSample: 0, topicSample: 0 }
  #open: Batch | null = null
  #isHurried = false
  #sealed: Batch[] = []
  #timer: NodeJS.Timeout | null = null
  #running: Promise<void> | null = null
  #roomWaiters: (() => void)[] = []
  #failure: unknown = null
  #lastWrittenAtMs: number | null = null
  #isRetrying = false
  #isClosed = false

  constructor(deps: WriterDeps, limits: WriterLimits) {
    this.#deps = deps
    this.#limits = limits
  }

  add(items: readonly Item[]): string | null {
    if (this.#isClosed) throw new AppError('UNAVAILABLE', 'The writer is closed: Cliptape is stopping.')
    const bad = checkItems(items)
    if (bad !== null) return bad
    const batch = this.#open ?? this.#begin()
    for (const item of items) batch.take(item)
    if (batch.rowCount >= this.#limits.rowsMax || batch.bytes >= this.#limits.bytesMax) this.#seal()
    return null
  }

  async room(): Promise<void> {
    while (this.#sealed.length >= sealedMax && this.#failure === null) {
      await new Promise<void>(resolve => this.#roomWaiters.push(resolve))
    }
    this.#throwFailure()
  }

  async write(items: readonly Item[]): Promise<void> {
    if (items.length === 0) return
    const batch = this.#open ?? this.#begin()
    const durable = new Promise<void>((resolve, reject) => batch.waiters.push({ resolve, reject }))
    const bad = this.add(items)
    if (bad === null) return durable
    batch.waiters.pop()
    throw new AppError('BAD_REQUEST', `The field ${bad} of a row is out of its range: the row was not written.`)
  }

  hurry(): void {
    if (this.#open === null) return
    if (this.#running === null) this.#seal()
    else this.#isHurried = true
  }

  async drain(): Promise<void> {
    this.#seal()
    while (this.#running) await this.#running
    this.#throwFailure()
  }

  status(): WriterStatus {
    const waiting = this.#open ? [...this.#sealed, this.#open] : this.#sealed
    const oldest = waiting[0]
    return {
      queuedRows: waiting.reduce((sum, batch) => sum + batch.rowCount, 0),
      queueAgeMs: oldest ? Math.max(0, this.#deps.clock.nowMs() - oldest.openedAtMs) : 0,
      rowsWritten: { ...this.#written },
      lastWrittenAtMs: this.#lastWrittenAtMs,
      isRetrying: this.#isRetrying,
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.drain()
  }

  #throwFailure(): void {
    const failure = this.#failure
    this.#failure = null
    if (failure !== null) throw failure
  }

  #begin(): Batch {
    const batch = new Batch(this.#deps.clock.nowMs())
    this.#open = batch
    this.#timer = setTimeout(() => this.hurry(), this.#limits.ageMsMax)
    return batch
  }

  #seal(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    this.#isHurried = false
    const batch = this.#open
    this.#open = null
    if (!batch) return
    this.#sealed.push(batch)
    this.#running ??= this.#run()
  }

  async #run(): Promise<void> {
    for (let batch = this.#sealed[0]; batch; batch = this.#sealed[0]) {
      try {
        await this.#store(batch)
        for (const waiter of batch.waiters) waiter.resolve()
      } catch (error) {
        // Who waits for this batch is told; a producer that waits for none is told by its next room() or drain().
        if (batch.waiters.length === 0) this.#failure = error
        for (const waiter of batch.waiters) waiter.reject(error)
        this.#deps.log.error({ err: error, rows: batch.rowCount }, 'A batch of rows could not be written.')
      }
      this.#sealed.shift()
      if (this.#isHurried && this.#sealed.length === 0) this.#seal()
      for (const resolve of this.#roomWaiters.splice(0)) resolve()
    }
    this.#running = null
  }

  async #store(batch: Batch): Promise<void> {
    const { store, world, settle, clock } = this.#deps
    const rowCount = batch.counts.sample + batch.counts.creatorSample + batch.counts.topicSample
    batch.counts.video = batch.videos.size
    batch.counts.creator = batch.creators.size
    for (const kind of writeOrder) {
      if (batch.counts[kind] === 0) continue
      const { table, format, columns } = targets[kind]
      const body = bodyOf(batch, kind)
      await this.#retrying(() =>
        store.insertRaw(`${world.database}.${table}`, body, { format, columns, tag: 'ingest:writer', settings }),
      )
      this.#written[kind] += batch.counts[kind]
    }
    if (batch.counts.sample > 0) {
      const touched: Touched = {
        database: world.database,
        rowCount: batch.counts.sample,
        minObservedAtMs: batch.minObservedAtMs,
        maxObservedAtMs: batch.maxObservedAtMs,
        videos: [...batch.touched.values()],
        isCut: batch.isCut,
      }
      await this.#retrying(() => settle(touched))
    }
    this.#lastWrittenAtMs = clock.nowMs()
    await this.#tell(batch, rowCount)
  }

  async #tell(batch: Batch, rowCount: number): Promise<void> {
    const { bus, world, clock, log } = this.#deps
    const atMs = clock.nowMs()
    try {
      if (batch.counts.video + batch.counts.creator > 0) {
        await bus.publish('metadata.written', { world: world.database, atMs })
      }
      if (rowCount === 0) return
      await bus.publish('samples.written', {
        world: world.database,
        platforms: [...batch.platforms],
        videos: [...batch.touched.values()].map(video => videoId(video.platform, video.videoId)),
        isCut: batch.isCut,
        rowCount,
        atMs,
      })
    } catch (error) {
      // The rows are durable; who missed the message reads the store.
      log.warn({ err: error }, 'Others could not be told of new rows.')
    }
  }

  async #retrying(work: () => Promise<void>): Promise<void> {
    let waitedMs = 0
    for (let delayMs = 100; ; delayMs = Math.min(delayMs * 2, 5_000)) {
      try {
        await work()
        this.#isRetrying = false
        return
      } catch (error) {
        const isRetryable = error instanceof AppError && error.code === 'UNAVAILABLE'
        if (!isRetryable || waitedMs >= this.#limits.retryMsMax) {
          this.#isRetrying = false
          throw error
        }
        this.#isRetrying = true
        await new Promise(resolve => setTimeout(resolve, delayMs))
        waitedMs += delayMs
      }
    }
  }
}

function bodyOf(batch: Batch, kind: ItemKind): Buffer {
  if (kind === 'video') return joined([...batch.videos.values()].map(videoLine))
  if (kind === 'creator') return joined([...batch.creators.values()].map(creatorLine))
  return batch.lines[kind].bytes()
}

function joined(lines: readonly string[]): Buffer {
  return Buffer.from(lines.join(''), 'utf8')
}
